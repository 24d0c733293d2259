"""Verification: how well a threshold on the score tells pairs that fit from pairs that do not.

A pair is accepted when its score is at least the threshold. All pairs of a gallery are far more
than fit in memory: `training.ml.tally` counts them in blocks and keeps the scores among which the
thresholds lie, so that the rates are those that sorting all scores would give.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from training.ml import bootstrap, resampling
from training.ml.pairs import Pairs
from training.ml.tally import BINS, Counts, Tally, between, lower_end, places_of, walk

Scores = npt.NDArray[np.floating]

FAR_LEVELS = (1e-3, 1e-4, 1e-5, 1e-6, 0.0)


def equal_error_rate(positive: Scores, negative: Scores) -> tuple[float, float]:
    """The error rate where false accepts and false rejects come closest, and the threshold.

    Args:
        positive: (P,) scores of pairs that fit; higher is closer.
        negative: (N,) scores of pairs that do not.

    Returns: (rate, threshold); the rate, 0 to 1, is the mean of both error rates there.
    Raises: ValueError, a set is empty or holds a NaN.
    """
    if positive.size == 0 or negative.size == 0:
        raise ValueError("an equal error rate needs positive and negative scores")
    if np.isnan(positive).any() or np.isnan(negative).any():
        raise ValueError("a score is NaN")
    thresholds = np.unique(np.concatenate([positive, negative]))
    thresholds = np.append(thresholds, thresholds[-1] + 1)
    rejected = np.searchsorted(np.sort(positive), thresholds, side="left") / positive.size
    accepted = 1 - np.searchsorted(np.sort(negative), thresholds, side="left") / negative.size
    best = int(np.argmin(np.abs(accepted - rejected)))
    return float(accepted[best] + rejected[best]) / 2, float(thresholds[best])


@dataclass(frozen=True, kw_only=True)
class Operating:
    """One threshold: pairs with at least this score are accepted. Rates from 0 to 1."""

    threshold: float
    far: float
    frr: float
    interval: list[float] | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a threshold on the scores can do.

    eer: its `far` and `frr` are those at its threshold; the rate is their mean.
    at_far: FAR level -> the lowest threshold whose FAR is at most that.
    genuine_bins, impostor_bins: (64000,) counts over scores from -1 to 1.
    false_rejects, false_accepts: (row, column, score), the worst first.
    """

    genuine: int
    impostor: int
    ignored: int
    eer: Operating
    at_far: dict[float, Operating]
    genuine_bins: Counts
    impostor_bins: Counts
    false_rejects: list[tuple[int, int, float]]
    false_accepts: list[tuple[int, int, float]]

    @property
    def lowest(self) -> float:
        """The lowest score, to a bin."""
        held = np.flatnonzero(self.genuine_bins + self.impostor_bins)
        return float(held[0] * 2 / BINS - 1)

    @property
    def highest(self) -> float:
        """The highest score, to a bin."""
        held = np.flatnonzero(self.genuine_bins + self.impostor_bins)
        return float((held[-1] + 1) * 2 / BINS - 1)

    @property
    def eer_rate(self) -> float:
        return (self.eer.far + self.eer.frr) / 2


def measure(pairs: Pairs, *, resamples: int = bootstrap.RESAMPLES, seed: int = 0) -> Report:
    """Count all pairs, in memory that does not grow with them.

    Args:
        resamples: of people, for the intervals; 0 for none.

    Raises: ValueError, there is no genuine or no impostor pair, or a score is NaN.
    """
    found = walk(pairs)
    impostor = int(found.impostor_bins.sum())
    ranks = {level: int(level * impostor + 1e-9) for level in FAR_LEVELS}
    eer = _equal(found)
    at_far = {level: _at_rank(found, rank) for level, rank in ranks.items()}
    if resamples and found.genuine is not None and found.best is not None:
        rate = (eer.far + eer.frr) / 2
        spread = resampling.intervals(
            pairs, found, rate, eer.threshold, FAR_LEVELS, resamples, seed
        )
        eer = replace(eer, interval=spread.eer)
        at_far = {
            level: replace(one, interval=spread.at_far[level]) for level, one in at_far.items()
        }
    return Report(
        genuine=int(found.genuine_bins.sum()),
        impostor=impostor,
        ignored=found.ignored,
        eer=eer,
        at_far=at_far,
        genuine_bins=between(found.genuine_bins),
        impostor_bins=between(found.impostor_bins),
        false_rejects=found.false_rejects,
        false_accepts=found.false_accepts,
    )


def curve(report: Report, points: int = 240) -> npt.NDArray[np.float64]:
    """(points or fewer, 3): threshold, FAR, FRR; closer together where FAR or FRR is small."""
    rejected = np.concatenate([[0], np.cumsum(report.genuine_bins)]) / report.genuine
    accepted = 1 - np.concatenate([[0], np.cumsum(report.impostor_bins)]) / report.impostor
    least = 0.5 / max(report.genuine, report.impostor)
    place = np.log10(np.maximum(rejected, least)) - np.log10(np.maximum(accepted, least))
    steps = np.floor((place - place[0]) / max(1e-9, place[-1] - place[0]) * (points - 1))
    _steps, first = np.unique(steps, return_index=True)
    chosen = np.union1d(first, [len(place) - 1])
    return np.stack([chosen * 2 / BINS - 1, accepted[chosen], rejected[chosen]], axis=1)


def auc(report: Report) -> float:
    """The share of (genuine, impostor) couples where the genuine pair scores higher, ties half.

    Scores of one bin count as ties: off by at most half of what both kinds share in bins.
    """
    above = report.genuine - np.cumsum(report.genuine_bins)
    better = (report.impostor_bins * (above + report.genuine_bins / 2)).sum()
    return float(better / report.genuine / report.impostor)


def _rejected(tally: Tally, scores: Scores, *, too: bool) -> npt.NDArray[np.int64]:
    """How many genuine pairs lie below each score, or below or at it (`too`)."""
    if tally.genuine is not None:
        side: Literal["left", "right"] = "right" if too else "left"
        found: npt.NDArray[np.int64] = np.searchsorted(tally.genuine.scores, scores, side=side)
        return found
    # So many that a bin's share of them does not matter.
    below = np.concatenate([[0], np.cumsum(tally.genuine_bins)])
    bins = places_of(np.asarray(scores, np.float32)).astype(np.int64) + (1 if too else 0)
    return np.asarray(below[bins], dtype=np.int64)


def _equal(tally: Tally) -> Operating:
    low, high = tally.limits.low, tally.limits.high
    people, others = int(tally.genuine_bins.sum()), int(tally.impostor_bins.sum())
    # Thresholds of the bin where rejects overtake accepts.
    values, counts = tally.window.within(low, high)
    candidates = values
    if tally.genuine is not None:
        scores = tally.genuine.scores
        first, last = np.searchsorted(places_of(scores), [low, high])
        candidates = np.union1d(values, scores[first:last])
    if not len(candidates):
        candidates = np.array([lower_end(low)], dtype=np.float32)
    # Behind all of them everything there is rejected. Rounding may have lifted a score that lies
    # closer than this below the next bin into it.
    end = max(_just_above(candidates[-1]), lower_end(high) - 1e-7)
    thresholds = np.append(candidates.astype(np.float64), end)
    below = np.concatenate([[0], np.cumsum(counts)])
    passed = below[-1] - below[np.searchsorted(values, thresholds, side="left")]
    accepted = int(tally.impostor_bins[high:].sum()) + passed
    rejected = _rejected(tally, thresholds, too=False)
    best = int(np.argmin(np.abs(rejected / people - accepted / others)))
    return Operating(
        threshold=float(thresholds[best]),
        far=float(accepted[best] / others),
        frr=float(rejected[best] / people),
    )


def _at_rank(tally: Tally, rank: int) -> Operating:
    """The threshold just above the impostor that has `rank` impostors above it."""
    rising, counts = tally.tail.within(tally.limits.tail, 1 << 16)
    values, counts = rising[::-1], counts[::-1]
    above = np.cumsum(counts)
    place = int(np.searchsorted(above, rank, side="right"))
    rejected = int(_rejected(tally, values[place : place + 1], too=True)[0])
    return Operating(
        threshold=_just_above(values[place]),
        far=float(above[place] - counts[place]) / int(tally.impostor_bins.sum()),
        frr=rejected / int(tally.genuine_bins.sum()),
    )


def _just_above(score: np.float32) -> float:
    return float(np.nextafter(np.float64(score), np.inf))
