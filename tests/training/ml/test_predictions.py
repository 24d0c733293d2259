"""Chinese-CLIP's files of the ten best, and its recall report."""

import pytest

from training.ml.predictions import directions, recall_report


def ten(*first):
    return [*first, *(n for n in range(100, 110) if n not in first)][:10]


def test_any_right_answer_among_the_best_counts():
    answers = {1: [7], 2: [8, 9], 3: [5], 4: [6]}
    predicted = [(1, ten(7)), (2, ten(0, 9)), (3, [*ten()[:9], 5]), (4, ten(0))]
    report = recall_report(answers, predicted)
    assert report["success"]
    assert report["scoreJson"] == pytest.approx(
        {"r1": 25, "r5": 50, "r10": 75, "mean_recall": 50, "score": 50}
    )
    assert report["score"] == pytest.approx(50)


@pytest.mark.parametrize(
    ("predicted", "reason"),
    [
        ([(1, [1, 2])], "2 different predictions"),
        ([(1, [1] * 10)], "1 different predictions"),
        ([(1, [*range(9), "9"])], "whole numbers"),
        ([(1, ten()), (1, ten())], "twice"),
        ([(5, ten())], "not among"),
        ([], "no prediction"),
    ],
)
def test_predictions_that_chinese_clip_refuses_are_refused(predicted, reason):
    report = recall_report({1: [1]}, predicted)
    assert not report["success"]
    assert reason in report["errorDetail"]
    assert (report["score"], report["scoreJson"]) == (0, {})


def test_a_text_of_two_pictures_has_two_answers_and_a_picture_all_its_texts():
    stored = {
        "texts": [["a", [10, 11]], ["b", [11]]],
        "boxes": [10, 11, 12],
        "t2i": [[10, 11, 12], [11, 12, 10]],
        "i2t": [[0, 1], [1, 0], [0, 1]],
    }
    found = directions(stored)
    assert found["t2i"].right() == [
        {"text_id": 0, "image_ids": [10, 11]},
        {"text_id": 1, "image_ids": [11]},
    ]
    assert found["t2i"].predictions()[1] == {"text_id": 1, "image_ids": [11, 12, 10]}
    assert found["i2t"].answers == {10: [0], 11: [0, 1]}
    # Nobody said anything of picture 12: it asks nothing.
    assert list(found["i2t"].found) == [10, 11]
