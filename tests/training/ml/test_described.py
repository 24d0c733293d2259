"""Crops with several texts and a teacher, and labelled pictures: what a batch has of each."""

import numpy as np
import pytest

from training.ml.data import ATTRIBUTES, CAPTION, CHINESE, ENGLISH, PROMPT
from training.ml.described import DescribedCrops, Description, Lesson
from training.ml.labelled import LabelledCrops, tuples

TEXTS = [
    [
        Description("a man"),
        Description("red coat,unknown, short hair", ATTRIBUTES),
        Description("someone in red", PROMPT),
        Description("男人", CAPTION, CHINESE),
    ],
    [Description("a woman"), Description("女人", CAPTION, CHINESE)],
    [Description("a man"), Description("blue coat", ATTRIBUTES)],
]
PEOPLE = np.array([5, 9, 7])


def lesson(image_rows=(0, -1, 1)):
    images = np.eye(2, 4, dtype=np.float32)
    texts = np.arange(32, dtype=np.float32).reshape(8, 4)
    rows = [np.array([0, 1, 2, 3]), np.array([4, -1]), np.array([5, 6])]
    return Lesson(images=images, image_rows=np.array(image_rows), texts=texts, text_rows=rows)


def crops(**options):
    pixels = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    return DescribedCrops(pixels, PEOPLE, TEXTS, lesson(), **options)


def test_a_batch_has_a_caption_of_each_and_the_other_kinds_where_they_are():
    for seed in range(5):
        batch = crops().batch(np.array([2, 0, 1]), 3, np.random.default_rng(seed))
        assert batch.kinds.tolist() == [CAPTION, ATTRIBUTES, CAPTION, ATTRIBUTES, PROMPT, CAPTION]
        assert batch.described.tolist() == [0, 0, 1, 1, 1, 2]
        assert batch.pixels[:, 0, 0, 0].tolist() == [2, 0, 1]
        assert batch.text_identities.tolist() == batch.identities[batch.described].tolist()
        assert batch.teacher_image_known.tolist() == [True, True, False]
        assert batch.teacher_image[0].tolist() == [0, 1, 0, 0]
        assert not batch.teacher_image[2].any()


def test_attributes_come_in_any_order_without_unknown_and_keep_their_teachers_vector():
    seen = set()
    for seed in range(20):
        batch = crops(kinds=(ATTRIBUTES,)).batch(np.array([0]), 1, np.random.default_rng(seed))
        assert batch.kinds.tolist() == [CAPTION, ATTRIBUTES]
        seen.add(batch.texts[1])
        assert batch.teacher_text[1].tolist() == [4, 5, 6, 7]
    assert seen == {"red coat,short hair", "short hair,red coat"}


def test_words_that_two_crops_share_describe_both():
    batch = crops(kinds=()).batch(np.array([0, 1, 2]), 3, np.random.default_rng(1))
    row = batch.texts.index("a man")
    assert batch.positive[row].tolist() == [True, False, True]


def test_a_chinese_text_learns_its_english_fellows_vector_or_its_own():
    for target, expected in (("english", 0), ("own", 3)):
        data = crops(bilingual=True, target=target)
        batch = data.batch(np.array([0, 2]), 2, np.random.default_rng(0))
        assert batch.texts == ["a man", "男人", "a man"]
        assert batch.languages.tolist() == [ENGLISH, CHINESE, ENGLISH]
        assert batch.described.tolist() == [0, 0, 1]
        assert batch.teacher_text[1].tolist() == lesson().texts[expected].tolist()


def test_a_text_that_the_teacher_did_not_read_is_marked():
    batch = crops(bilingual=True, target="own").batch(np.array([1]), 1, np.random.default_rng(0))
    assert batch.teacher_text_known.tolist() == [True, False]
    assert not batch.teacher_text[1].any()


def test_a_probe_by_the_teacher_has_its_vectors_and_leaves_out_what_it_did_not_see():
    probe = crops().probe(np.arange(3), np.random.default_rng(0), by_teacher=True)
    assert probe.vectors.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert len(probe.texts) == 2
    assert crops().probe(np.arange(3), np.random.default_rng(0)).vectors is None


def test_lengths_that_differ_and_crops_without_words_are_refused():
    pixels = np.zeros((3, 2, 2, 3), np.uint8)
    with pytest.raises(ValueError, match="crop 1 has no description"):
        DescribedCrops(pixels, PEOPLE, [TEXTS[0], [], TEXTS[2]], lesson())
    with pytest.raises(ValueError, match="3 crops, 3 people, 2 described"):
        DescribedCrops(pixels, PEOPLE, TEXTS[:2], lesson())


def test_a_tuple_is_an_anchor_a_fellow_and_strangers():
    people = np.array([0, 0, 1, 1, 2])
    for seed in range(10):
        found = tuples(people, 4, np.random.default_rng(seed))
        assert found.shape == (4, 6)
        assert found[:, 0].tolist() == [0, 1, 2, 3]
        for anchor, positive, *negatives in found.tolist():
            assert positive != anchor
            assert people[positive] == people[anchor]
            assert all(people[negative] != people[anchor] for negative in negatives)
    assert tuples(np.array([0, 0]), 4, np.random.default_rng(0)).shape == (0, 6)


def test_pictures_without_words_ask_for_each_other():
    data = LabelledCrops(np.zeros((4, 2, 2, 3), np.uint8), np.array([3, 3, 8, 9]))
    assert (len(data), data.classes) == (4, 3)
    batch = data.batch(np.array([0, 1, 2]), 3, np.random.default_rng(0))
    assert batch.texts == []
    assert batch.identities.tolist() == [0, 0, 1]
    probe = data.probe(np.arange(4))
    assert probe.texts == []
    assert probe.positive.tolist() == [
        [True, True, False, False],
        [True, True, False, False],
        [False, False, True, False],
        [False, False, False, True],
    ]
