"""What reviewers refused reaches a batch: texts, pictures, and what fits what."""

import numpy as np
import pytest

from training.ml.config import TrainConfig
from training.ml.data import CaptionedCrops
from training.ml.loader import epoch_steps


def crops(captions, rejected=(), people=None, judged=1, **options):
    pixels = np.arange(len(captions), dtype=np.uint8)[:, None, None, None]
    people = np.arange(len(captions)) if people is None else np.array(people)
    return CaptionedCrops(pixels, people, captions, rejected, judged=judged, **options)


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


def test_a_probe_asks_what_was_confirmed_of_some_and_refused_of_others():
    data = crops([["a"], ["red"], ["c"]], [["x"], [], ["red"]])
    probe = data.probe(np.array([1, 2]), np.random.default_rng(0))
    (asked,) = probe.questions
    assert (asked.text, asked.confirmed.tolist(), asked.refused.tolist()) == ("red", [0], [1])
    assert data.probe(np.array([0, 1]), np.random.default_rng(0)).questions == []


def test_judged_pairs_are_in_order_where_the_confirmed_one_is_closer(monkeypatch):
    from training.ml import validation

    data = crops([["red"], ["red"], ["c"], ["d"]], [[], [], ["red"], ["red"]])
    probe = data.probe(np.arange(4), np.random.default_rng(0))
    cosines = np.array([[0.9], [0.2], [0.5], [0.1]], np.float32)
    monkeypatch.setattr(validation, "encode_pictures", lambda model, pixels: cosines)
    monkeypatch.setattr(validation, "encode_texts", lambda model, texts: np.ones((1, 1)))
    assert validation.judged_order(None, probe) == 0.75


def test_of_words_of_a_search_only_judged_pairs_count():
    """Whoever nobody judged may wear a red coat too: no negative, and no positive either."""
    data = crops([["a"], ["red coat"], ["c"]], [[], [], ["red coat"]])
    batch = drawn(data, rows=(0, 1, 2))
    asked = batch.texts.index("red coat")
    kinds = (batch.positive, batch.rejected, batch.unknown)
    told = {row: tuple(bool(of[asked, at]) for of in kinds) for at, row in enumerate(shown(batch))}
    assert told == {0: (False, False, True), 1: (True, False, False), 2: (False, True, False)}
    assert not batch.unknown[batch.texts.index("a")].any()
    alone = crops([["a"], ["red coat"]], judged=0, confirmed=frozenset({"red coat"}))
    assert drawn(alone).unknown.tolist() == [[False, False], [True, False]]
    assert drawn(crops([["a"], ["b"]])).unknown is None


def test_a_probe_asks_with_a_box_s_own_words_where_it_has_some():
    data = crops([["a", "red"], ["red"]], confirmed=frozenset({"red"}))
    for seed in range(8):
        assert data.probe(np.arange(2), np.random.default_rng(seed)).texts == ["a", "red"]
