"""Drawn people with a teacher: what it reads, in which language, and for which picture."""

import numpy as np
import pytest

from training.drawn import load_or_draw
from training.drawn_lessons import TaughtCrops, taught_images, taught_probe
from training.ml.data import ATTRIBUTES, CAPTION, CHINESE, ENGLISH


class Reader:
    """A teacher whose vector of a text tells its length and its language."""

    def encode(self, texts):
        chinese = [any(character > "\u4e00" for character in text) for text in texts]
        rows = [
            [len(text), float(is_chinese)] for text, is_chinese in zip(texts, chinese, strict=True)
        ]
        return np.array(rows, dtype=np.float32)


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    return load_or_draw(7, 12, tmp_path_factory.mktemp("drawn"), 32, 16, processes=1)


def taught(crops, **options):
    images = np.arange(24, dtype=np.float32).reshape(12, 2)
    return TaughtCrops(crops, images, Reader(), **options)


def test_each_text_has_the_teachers_vector_of_it(crops):
    data = taught(crops, attributes=True)
    batch = data.batch(np.array([3, 8, 1]), 3, np.random.default_rng(0))
    assert batch.kinds.tolist() == [CAPTION] * 3 + [ATTRIBUTES] * 3
    assert batch.described.tolist() == [0, 1, 2, 0, 1, 2]
    assert [row[0] for row in batch.teacher_text] == [len(text) for text in batch.texts]
    assert batch.teacher_image.tolist() == [[6, 7], [16, 17], [2, 3]]
    assert (batch.languages == batch.teacher_text[:, 1]).all()
    assert batch.positive[np.arange(6), batch.described].all()
    assert data.teacher_dim == 2


def test_both_languages_state_the_same_and_learn_the_english_vector(crops):
    data = taught(crops, attributes=True, bilingual=True)
    batch = data.batch(np.arange(6), 6, np.random.default_rng(1))
    assert batch.languages.tolist() == [ENGLISH] * 6 + [CHINESE] * 6
    assert (batch.positive[:6] == batch.positive[6:]).all()
    assert (batch.teacher_text[:6] == batch.teacher_text[6:]).all()
    assert not batch.teacher_text[:, 1].any()
    own = taught(crops, attributes=False, bilingual=True, target="own")
    batch = own.batch(np.arange(6), 6, np.random.default_rng(1))
    assert batch.teacher_text[6:, 1].all()


def test_the_teacher_looks_once(crops, tmp_path):
    looks = []

    def encode(pixels):
        looks.append(len(pixels))
        return pixels.reshape(len(pixels), -1)[:, :2].astype(np.float32)

    path = tmp_path / "images.npy"
    first = taught_images(crops, encode, path, lambda note: None)
    again = taught_images(crops, encode, path, lambda note: None)
    assert looks == [12]
    assert (first == again).all()
    probe = taught_probe(crops, np.arange(4, 12), first, seed=1)
    assert (probe.vectors == first[4:12]).all()
    assert len(probe.pixels) == 0
    assert probe.positive.shape == (8, 8)


def test_vectors_of_other_crops_are_refused(crops):
    with pytest.raises(ValueError, match="12 crops, 3 vectors"):
        TaughtCrops(crops, np.zeros((3, 2), np.float32), Reader(), attributes=True)
