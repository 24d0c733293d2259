"""How far the rates of a verification move when other people of the same kind are drawn.

An impostor pair counts as often as both of its people were drawn together, a genuine pair as often
as its person.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.ml import bootstrap
from training.ml.pairs import OUT, Pairs
from training.ml.tally import Scores, Tally

# Thresholds around the equal error rate at which every resample is counted.
_GRID = 11
# Below every cosine, above what stands for a pair that is no impostor.
_ALL = (np.float32(-1) + OUT) / 2


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """The middle 95 % of each rate; None where too few resamples gave one."""

    eer: list[float] | None
    at_far: dict[float, list[float] | None]


def intervals(
    pairs: Pairs,
    tally: Tally,
    rate: float,
    threshold: float,
    levels: Sequence[float],
    resamples: int,
    seed: int,
) -> Intervals:
    """Draw the people `resamples` times.

    Args:
        tally: with its genuine pairs and its tail in full.
        rate, threshold: the equal error rate, and where it is.
        levels: FARs.
    """
    assert tally.genuine is not None
    assert tally.best is not None
    people = 1 + int(max(pairs.row_people.max(), pairs.column_people.max()))
    drawn = bootstrap.weights(people, resamples, seed)
    best = tally.best.rising()
    genuine, tail = tally.genuine.scores, best.scores[::-1]
    persons = pairs.row_people[tally.genuine.rows]
    rows = pairs.row_people[best.rows[::-1]]
    columns = pairs.column_people[best.columns[::-1]]
    grid = _grid(genuine, tail, rate, threshold)
    accepted = resampled(pairs, grid, drawn)
    total = accepted[0]
    eer = np.full(resamples, np.nan)
    at_far = {level: np.full(resamples, np.nan) for level in levels}
    for place in range(resamples):
        weight = drawn[persons, place].astype(np.float64)
        cumulated = np.concatenate([[0.0], np.cumsum(weight)])
        if not cumulated[-1] or not total[place]:
            continue
        rejected = cumulated[np.searchsorted(genuine, grid, side="left")] / cumulated[-1]
        eer[place] = _meet(rejected, accepted[:, place] / total[place])
        passed = np.cumsum(drawn[rows, place].astype(np.float64) * drawn[columns, place])
        for level, values in at_far.items():
            over = int(np.searchsorted(passed, level * total[place] + 1e-6, side="right"))
            if over < len(tail):
                below = cumulated[np.searchsorted(genuine, tail[over], side="right")]
                values[place] = below / cumulated[-1]
    return Intervals(
        eer=bootstrap.interval(eer),
        at_far={level: bootstrap.interval(values) for level, values in at_far.items()},
    )


def resampled(pairs: Pairs, grid: Scores, drawn: bootstrap.Weights) -> npt.NDArray[np.float64]:
    """Weight of the accepted impostors, (thresholds, resamples)."""
    accepted = np.zeros((len(grid), drawn.shape[1]))
    columns = drawn[pairs.column_people]
    for block in pairs.blocks():
        height, width = block.scores.shape
        rows = drawn[pairs.row_people[block.first : block.first + height]]
        impostor = block.taken_apart()[1].reshape(height, width)
        theirs = columns[block.left : block.left + width]
        for place, least in enumerate(grid):
            passed = (impostor >= least).astype(np.float32)
            accepted[place] += (rows * (passed @ theirs)).sum(axis=0, dtype=np.float64)
    return accepted


def _grid(genuine: Scores, tail: Scores, rate: float, threshold: float) -> Scores:
    """Thresholds from where a third as many are rejected to where three times as many are, where
    the rates meet, and the ends: the lowest accepts all."""
    rate = max(rate, 2 / len(genuine))
    shares = np.linspace(rate / 3, min(1.0, rate * 3), _GRID - 3)
    places = np.minimum((shares * len(genuine)).astype(np.int64), len(genuine) - 1)
    ends = [_ALL, threshold, max(tail[0], genuine[-1])]
    return np.unique(np.concatenate([genuine[places], np.array(ends, dtype=np.float32)]))


def _meet(rejected: npt.NDArray[np.floating], accepted: npt.NDArray[np.floating]) -> float:
    """The rate where the two lines cross, straight between the thresholds counted."""
    gap = rejected - accepted
    after = int(np.argmax(gap >= 0)) if (gap >= 0).any() else len(gap) - 1
    if after == 0 or gap[after] < 0:
        return float(rejected[after] + accepted[after]) / 2
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    before = rejected[after - 1] + accepted[after - 1]
    return float(before + share * (rejected[after] + accepted[after] - before)) / 2
