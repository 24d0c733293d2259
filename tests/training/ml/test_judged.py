"""What reviewers refused reaches a batch: texts, pictures, and what fits what."""

import numpy as np
import pytest

from training.ml.config import TrainConfig
from training.ml.data import CaptionedCrops
from training.ml.loader import epoch_steps


def crops(captions, rejected=(), people=None, judged=1):
    pixels = np.arange(len(captions), dtype=np.uint8)[:, None, None, None]
    people = np.arange(len(captions)) if people is None else np.array(people)
    return CaptionedCrops(pixels, people, captions, rejected, judged=judged)


def shown(batch):
    return batch.pixels[:, 0, 0, 0].tolist()


def drawn(data, rows=(0, 1), seed=0):
    return data.batch(np.array(rows), len(rows), np.random.default_rng(seed))


def test_a_refused_text_comes_with_its_box_and_with_one_it_was_confirmed_for():
    data = crops([["a"], ["b"], ["red coat"], ["d"]], [[], [], [], ["red coat"]])
    batch = drawn(data)
    assert batch.texts == ["a", "b", "red coat", "d"]
    assert shown(batch) == [0, 1, 3, 2]
    assert batch.positive.tolist() == [
        [True, False, False, False],
        [False, True, False, False],
        [False, False, False, True],
        [False, False, True, False],
    ]
    assert np.argwhere(batch.rejected).tolist() == [[2, 2]]


def test_a_box_with_nothing_but_what_it_is_not_is_shown_and_never_drawn_by_itself():
    data = crops([["a"], ["b"], []], [[], [], ["red coat"]])
    assert len(data) == 2
    assert data.identities.tolist() == [0, 1]
    assert epoch_steps(TrainConfig(batch=2), data) == 1
    batch = drawn(data)
    assert (batch.texts, shown(batch)) == (["a", "b", "red coat"], [0, 1, 2])
    assert not batch.positive[2].any()
    assert batch.rejected[2].tolist() == [False, False, True]


def test_what_was_refused_fits_no_more_even_of_the_same_person():
    """One person in a red coat, and from behind, where nobody sees that it is red."""
    data = crops([["red coat"], ["a back"]], [[], ["red coat"]], people=[7, 7], judged=0)
    batch = data.batch(np.array([0, 1]), 2, np.random.default_rng(0))
    assert batch.positive.tolist() == [[True, False], [True, True]]
    assert data.texts(np.array([0]), np.array([0, 1]), np.random.default_rng(0))[1].tolist() == [
        [True, False]
    ]


def test_without_judgements_a_batch_is_what_it_was():
    batch = drawn(crops([["a"], ["b"]], judged=8))
    assert batch.rejected is None
    assert batch.described.tolist() == [0, 1]


def test_many_questions_take_turns_and_each_step_has_as_many_as_were_asked_for():
    data = crops([["a"], ["b"], ["c"]], [["x"], ["y"], ["z"]], judged=2)
    asked = {tuple(drawn(data, seed=seed).texts[2::2]) for seed in range(20)}
    assert {len(texts) for texts in asked} == {2}
    assert {text for texts in asked for text in texts} == {"x", "y", "z"}


def test_a_crop_without_words_must_be_refused_something_and_come_last():
    with pytest.raises(ValueError, match="crop 1 has no caption"):
        crops([["a"], []], [[], []])
    with pytest.raises(ValueError, match="crop 0 has no caption"):
        crops([[], ["a"]], [["x"], []])
