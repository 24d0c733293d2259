"""The metrics against scikit-learn's, on random data, with ties, and where there is little."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from training.ml import ranking, verification
from training.ml.pairs import UNORDERED, Pairs
from training.ml.tally import BINS
from training.ml.verification import FAR_LEVELS


def units(rng, count, dim):
    vectors = rng.normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def labelled(of):
    """Label and score of every pair, pair by pair."""
    scores = (of.rows @ of.columns.T).astype(np.float64)
    same = of.row_people[:, None] == of.column_people[None, :]
    asked = np.ones_like(same)
    if of.protocol == UNORDERED:
        asked = np.triu(asked, 1)
    return same[asked], scores[asked]


def random_pairs(seed):
    rng = np.random.default_rng(seed)
    dim = int(rng.integers(2, 40))
    rows, columns = units(rng, int(rng.integers(20, 90)), dim), units(rng, 61, dim)
    people = int(rng.integers(2, 12))
    return Pairs(
        rows=rows,
        columns=columns,
        row_people=rng.integers(0, people, len(rows)),
        column_people=rng.integers(0, people, len(columns)),
    )


def pairs_with_ties(seed):
    """Vectors of ones and minus ones: few different scores, each met often."""
    rng = np.random.default_rng(seed)
    rows, columns = (rng.choice([-0.5, 0.5], (count, 4)).astype(np.float32) for count in (70, 50))
    return Pairs(
        rows=rows,
        columns=columns,
        row_people=rng.integers(0, 5, 70),
        column_people=rng.integers(0, 5, 50),
    )


def few_pairs(seed):
    """Two pictures of one person and one of another."""
    vectors = units(np.random.default_rng(seed), 3, 3)
    people = np.array([0, 0, 1])
    return Pairs(
        rows=vectors, columns=vectors, row_people=people, column_people=people, protocol=UNORDERED
    )


KINDS = [random_pairs, pairs_with_ties, few_pairs]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", KINDS)
def test_auc_is_scikit_learns_up_to_what_shares_a_bin(make, seed):
    of = make(seed)
    report = verification.measure(of, resamples=0)
    shared = (report.genuine_bins * report.impostor_bins).sum() / 2
    assert verification.auc(report) == pytest.approx(
        roc_auc_score(*labelled(of)), abs=shared / report.genuine / report.impostor + 1e-9
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", KINDS)
def test_every_rate_is_a_point_of_scikit_learns_curve(make, seed):
    of = make(seed)
    labels, scores = labelled(of)
    far, accepted, _thresholds = roc_curve(labels, scores, drop_intermediate=False)
    frr = 1 - accepted
    report = verification.measure(of, resamples=0)
    best = np.abs(frr - far).min()
    assert abs(report.eer.frr - report.eer.far) == pytest.approx(best)
    near = np.abs(frr - report.eer.frr) + np.abs(far - report.eer.far)
    assert near.min() == pytest.approx(0, abs=1e-9)
    for level in FAR_LEVELS:
        found = report.at_far[level]
        assert found.frr == pytest.approx(frr[far <= level + 1e-12].min())


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_is_scikit_learns(ties):
    rng = np.random.default_rng(3)
    gallery, queries = units(rng, 60, 12), units(rng, 25, 12)
    if ties:  # each picture twice: pairs of equal scores, both relevant or both not
        gallery = np.repeat(gallery[:30], 2, axis=0)
    shown = np.repeat(rng.integers(0, 6, 30), 2)
    asked = rng.integers(0, 6, 25)
    found = ranking.rank(queries, gallery, asked, shown)
    scores = queries @ gallery.T
    if ties:
        # scikit-learn takes ties at one threshold: the later of two places counts for both.
        scores -= 1e-6 * np.arange(60)
    for place, query in enumerate(found.queries):
        expected = average_precision_score(shown == asked[query], scores[query])
        assert found.values["map"][place] == pytest.approx(expected, abs=1e-6)


def test_bins_are_as_wide_as_the_report_says():
    of = random_pairs(0)
    report = verification.measure(of, resamples=0)
    assert len(report.genuine_bins) == BINS
    labels, scores = labelled(of)
    counted, _edges = np.histogram(scores[labels], bins=64, range=(-1, 1))
    assert report.genuine_bins.reshape(64, -1).sum(axis=1) == pytest.approx(counted, abs=1)
