"""Metrics against loops that cannot be misread."""

import numpy as np
import pytest

from training.ml.ranking import recall_at
from training.ml.verification import equal_error_rate


def test_recall_is_what_a_loop_counts():
    rng = np.random.default_rng(0)
    scores, relevant = rng.normal(size=(40, 30)), rng.random((40, 30)) < 0.1
    hits = {1: 0, 5: 0}
    asked = 0
    for row in range(40):
        if not relevant[row].any():
            continue
        asked += 1
        ranked = sorted(range(30), key=lambda column: -scores[row, column])
        for k in hits:
            hits[k] += any(relevant[row, column] for column in ranked[:k])
    assert recall_at(scores, relevant, (1, 5)) == {k: hits[k] / asked for k in hits}


def test_recall_refuses_scores_that_are_no_numbers_and_queries_without_an_answer():
    with pytest.raises(ValueError, match="NaN"):
        recall_at(np.array([[np.nan]]), np.array([[True]]))
    with pytest.raises(ValueError, match="relevant"):
        recall_at(np.array([[1.0]]), np.array([[False]]))


def test_equal_error_rate_is_where_a_sweep_over_all_thresholds_finds_it():
    rng = np.random.default_rng(1)
    positive, negative = rng.normal(1, 1, 400), rng.normal(-1, 1, 3000)
    gaps = []
    for threshold in np.unique(np.concatenate([positive, negative])):
        rejected, accepted = (positive < threshold).mean(), (negative >= threshold).mean()
        gaps.append((abs(accepted - rejected), (accepted + rejected) / 2))
    assert equal_error_rate(positive, negative)[0] == pytest.approx(min(gaps)[1], abs=0.002)


def test_scores_that_part_cleanly_have_no_error_and_ties_have_half():
    assert equal_error_rate(np.array([2.0, 3.0]), np.array([0.0, 1.0]))[0] == 0
    assert equal_error_rate(np.ones(10), np.ones(10))[0] == pytest.approx(0.5)


def test_an_empty_side_is_refused():
    with pytest.raises(ValueError, match="needs positive and negative"):
        equal_error_rate(np.array([]), np.array([1.0]))
