"""Verification: how well a threshold on the score tells pairs that fit from pairs that do not.

A pair is accepted when its score is at least the threshold. All pairs of a gallery are far more
than fit in memory, so scores are made in blocks and counted: once into 65,536 bins, and once more
within the few bins that hold a threshold. Two passes give what sorting all scores would give, to
2**-31 of a cosine, in memory that does not grow with the pairs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.ml import bootstrap
from training.ml.pairs import GENUINE, IMPOSTOR, Block, Pairs

Scores = npt.NDArray[np.floating]
Counts = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint32]

FAR_LEVELS = (1e-3, 1e-4, 1e-5, 1e-6, 0.0)
BINS = 1 << 16
WORST = 15
# Impostor pairs kept, best first, to see how far the strictest thresholds may move.
_TAIL_SHARE = 5e-3
_TAIL_LEAST, _TAIL_MOST = 2_000, 2_000_000
_GENUINE_MOST = 4_000_000
# Thresholds around the equal error rate at which every resample is counted.
_GRID = 17


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
    genuine_bins, impostor_bins: (65536,) counts over scores from -1 to 1.
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
    def eer_rate(self) -> float:
        return (self.eer.far + self.eer.frr) / 2


def measure(pairs: Pairs, *, resamples: int = bootstrap.RESAMPLES, seed: int = 0) -> Report:
    """Count all pairs, in memory that does not grow with them.

    Args:
        resamples: of people, for the intervals; 0 for none.

    Raises: ValueError, there is no genuine or no impostor pair, or a score is NaN.
    """
    bins = np.zeros((3, BINS), dtype=np.int64)
    rejects, accepts = _Extreme(lowest=True), _Extreme(lowest=False)
    for block in pairs.blocks():
        high = block.kinds.astype(np.int32) * BINS + (_keys(block.scores) >> 16).astype(np.int32)
        bins += np.bincount(high.ravel(), minlength=3 * BINS).reshape(3, BINS)
        rejects.see(block, GENUINE)
        accepts.see(block, IMPOSTOR)
    genuine, impostor = bins[GENUINE], bins[IMPOSTOR]
    if not genuine.any() or not impostor.any():
        raise ValueError("verification needs pairs that fit and pairs that do not")
    ranks = {level: int(level * impostor.sum() + 1e-9) for level in FAR_LEVELS}
    crossing = _crossing(genuine, impostor)
    wanted = {crossing} | {_rank_bin(impostor, rank) for rank in ranks.values()}
    close = _Close(wanted, impostor, genuine, keep=resamples > 0)
    for block in pairs.blocks():
        close.see(pairs, block)
    eer = _equal(genuine, impostor, crossing, close.lows[crossing])
    at_far = {level: _at_rank(genuine, impostor, rank, close) for level, rank in ranks.items()}
    if close.keep:
        intervals = _intervals(pairs, close, eer, ranks, resamples, seed)
        eer = _with(eer, intervals["eer"])
        at_far = {level: _with(found, intervals[level]) for level, found in at_far.items()}
    return Report(
        genuine=int(genuine.sum()),
        impostor=int(impostor.sum()),
        ignored=int(bins[0].sum()),
        eer=eer,
        at_far=at_far,
        genuine_bins=genuine,
        impostor_bins=impostor,
        false_rejects=rejects.found(),
        false_accepts=accepts.found(),
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


def _keys(scores: npt.NDArray[np.float32]) -> Keys:
    """Cosines as whole numbers in the same order, from -1 at 0 to 1 at 2**32 - 1."""
    if np.isnan(scores).any():
        raise ValueError("a score is NaN")
    scaled = (scores.astype(np.float64) + 1) * 2.0**31
    return np.clip(scaled, 0, 2.0**32 - 1).astype(np.uint32)


def _score(key: int) -> float:
    return key / 2.0**31 - 1


def _rank_bin(impostor: Counts, rank: int) -> int:
    """The bin of the impostor with `rank` impostors above it; bin 0 if there are no more."""
    above = np.cumsum(impostor[::-1])[::-1]
    found = np.flatnonzero(above >= rank + 1)
    return int(found[-1]) if len(found) else 0


def _crossing(genuine: Counts, impostor: Counts) -> int:
    """The bin in which rejects overtake accepts."""
    rejected = np.concatenate([[0], np.cumsum(genuine)]) / genuine.sum()
    accepted = 1 - np.concatenate([[0], np.cumsum(impostor)]) / impostor.sum()
    return int(np.argmax(rejected >= accepted)) - 1


def _equal(genuine: Counts, impostor: Counts, inside: int, lows: Counts) -> Operating:
    people, others = int(genuine.sum()), int(impostor.sum())
    rejected = genuine[:inside].sum() + np.concatenate([[0], np.cumsum(lows[0])])
    accepted = impostor[inside:].sum() - np.concatenate([[0], np.cumsum(lows[1])])
    gap = np.abs(rejected / people - accepted / others)
    best = int(np.argmin(gap))
    # All thresholds up to the next score do the same; that score is the one to name.
    same = (rejected == rejected[best]) & (accepted == accepted[best])
    last = int(np.flatnonzero(same)[-1])
    return Operating(
        threshold=_score((inside << 16) + last),
        far=float(accepted[best] / others),
        frr=float(rejected[best] / people),
    )


def _at_rank(genuine: Counts, impostor: Counts, rank: int, close: "_Close") -> Operating:
    inside = _rank_bin(impostor, rank)
    lows = close.lows[inside]
    above = int(impostor[inside + 1 :].sum())
    found = np.flatnonzero(above + np.cumsum(lows[1][::-1])[::-1] >= rank + 1)
    last = int(found[-1])
    rejected = int(genuine[:inside].sum() + lows[0][: last + 1].sum())
    accepted = above + int(lows[1][last + 1 :].sum())
    return Operating(
        threshold=_score((inside << 16) + last + 1),
        far=accepted / int(impostor.sum()),
        frr=rejected / int(genuine.sum()),
    )


def _with(found: Operating, interval: list[float] | None) -> Operating:
    return Operating(threshold=found.threshold, far=found.far, frr=found.frr, interval=interval)


class _Extreme:
    """The few lowest or highest scores of one kind of pair."""

    def __init__(self, *, lowest: bool) -> None:
        self._sign = -1 if lowest else 1
        self._best: list[tuple[float, int, int]] = []

    def see(self, block: Block, kind: int) -> None:
        values = np.where(block.kinds == kind, self._sign * block.scores, -np.inf).ravel()
        if len(self._best) == WORST and values.max(initial=-np.inf) <= self._best[-1][0]:
            return
        few = min(WORST, len(values))
        for place in np.argpartition(-values, few - 1)[:few]:
            if np.isfinite(values[place]):
                row, column = divmod(int(place), block.scores.shape[1])
                self._best.append((float(values[place]), block.first + row, column))
        self._best = sorted(self._best, key=lambda one: (-one[0], one[1:]))[:WORST]

    def found(self) -> list[tuple[int, int, float]]:
        return [(row, column, self._sign * value) for value, row, column in self._best]


class _Close:
    """The second pass: the bins that hold a threshold in full, and pairs for the intervals."""

    def __init__(self, wanted: set[int], impostor: Counts, genuine: Counts, *, keep: bool) -> None:
        self.lows: dict[int, Counts] = {
            place: np.zeros((2, BINS), dtype=np.int64) for place in wanted
        }
        total = int(impostor.sum())
        share = min(total, max(_TAIL_LEAST, int(total * _TAIL_SHARE)))
        self._tail_bin = _rank_bin(impostor, share - 1)
        # Ties could make the tail as long as everything: then there are no intervals.
        kept = int(impostor[self._tail_bin :].sum())
        self.keep = keep and kept <= _TAIL_MOST and int(genuine.sum()) <= _GENUINE_MOST
        self._tail: list[tuple[Keys, Any, Any]] = []
        self._genuine: list[tuple[Keys, Any]] = []

    def see(self, pairs: Pairs, block: Block) -> None:
        keys = _keys(block.scores)
        high, low = keys >> 16, keys & 0xFFFF
        for place, counts in self.lows.items():
            inside = high == place
            if inside.any():
                for row, kind in enumerate((GENUINE, IMPOSTOR)):
                    counts[row] += np.bincount(low[inside & (block.kinds == kind)], minlength=BINS)
        if self.keep:
            rows, columns = np.nonzero((block.kinds == IMPOSTOR) & (high >= self._tail_bin))
            people = pairs.row_people[block.first + rows], pairs.column_people[columns]
            self._tail.append((keys[rows, columns], *people))
            rows, columns = np.nonzero(block.kinds == GENUINE)
            self._genuine.append((keys[rows, columns], pairs.row_people[block.first + rows]))

    def tail(self) -> tuple[Keys, Any, Any]:
        """The best impostors, best first: keys, and the people of rows and columns."""
        keys, rows, columns = (np.concatenate(part) for part in zip(*self._tail, strict=True))
        order = np.argsort(keys)[::-1]
        return keys[order], rows[order], columns[order]

    def genuine(self) -> tuple[Keys, Any]:
        """Genuine pairs by rising score: keys and people."""
        keys, people = (np.concatenate(part) for part in zip(*self._genuine, strict=True))
        order = np.argsort(keys)
        return keys[order], people[order]


def _intervals(
    pairs: Pairs, close: _Close, eer: Operating, ranks: dict[float, int], resamples: int, seed: int
) -> dict[Any, list[float] | None]:
    """How far each rate moves when other people are drawn; impostors weigh by both people."""
    people = 1 + int(max(pairs.row_people.max(), pairs.column_people.max()))
    drawn = bootstrap.weights(people, resamples, seed)
    genuine, persons = close.genuine()
    tail, rows, columns = close.tail()
    grid = _grid(genuine, tail, eer)
    accepted, total = _resampled(pairs, grid, drawn)
    found = {name: np.full(resamples, np.nan) for name in ("eer", *ranks)}
    for place in range(resamples):
        weight = drawn[persons, place].astype(np.float64)
        cumulated = np.concatenate([[0.0], np.cumsum(weight)])
        if not cumulated[-1] or not total[place]:
            continue
        rejected = cumulated[np.searchsorted(genuine, grid, side="left")] / cumulated[-1]
        found["eer"][place] = _meet(rejected, accepted[:, place] / total[place])
        passed = np.cumsum(drawn[rows, place].astype(np.float64) * drawn[columns, place])
        for level in ranks:
            over = int(np.searchsorted(passed, level * total[place] + 1e-6, side="right"))
            if over < len(tail):
                below = cumulated[np.searchsorted(genuine, tail[over], side="right")]
                found[level][place] = below / cumulated[-1]
    return {name: bootstrap.interval(values) for name, values in found.items()}


def _grid(genuine: Keys, tail: Keys, eer: Operating) -> Keys:
    """Thresholds from where half as many are rejected to where twice as many are, and the ends."""
    rate = max((eer.far + eer.frr) / 2, 2 / len(genuine))
    shares = np.linspace(rate / 3, min(1.0, rate * 3), _GRID - 3)
    places = np.minimum((shares * len(genuine)).astype(np.int64), len(genuine) - 1)
    middle = int((eer.threshold + 1) * 2.0**31)
    ends = [0, min(max(middle, 0), 2**32 - 1), max(int(tail[0]), int(genuine[-1]))]
    return np.unique(np.concatenate([genuine[places], np.array(ends, dtype=np.uint32)]))


def _resampled(
    pairs: Pairs, grid: Keys, drawn: bootstrap.Weights
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Weight of the accepted impostors (thresholds, resamples), and of all of them."""
    accepted = np.zeros((len(grid), drawn.shape[1]))
    total = np.zeros(drawn.shape[1])
    columns = drawn[pairs.column_people]
    for block in pairs.blocks():
        rows = drawn[pairs.row_people[block.first : block.first + len(block.scores)]]
        keys, impostor = _keys(block.scores), block.kinds == IMPOSTOR
        total += (rows * (impostor.astype(np.float32) @ columns)).sum(axis=0, dtype=np.float64)
        for place, key in enumerate(grid):
            passed = (impostor & (keys >= key)).astype(np.float32)
            accepted[place] += (rows * (passed @ columns)).sum(axis=0, dtype=np.float64)
    return accepted, total


def _meet(rejected: npt.NDArray[np.floating], accepted: npt.NDArray[np.floating]) -> float:
    """The rate where the two lines cross, straight between the thresholds counted."""
    gap = rejected - accepted
    after = int(np.argmax(gap >= 0)) if (gap >= 0).any() else len(gap) - 1
    if after == 0 or gap[after] < 0:
        return float(rejected[after] + accepted[after]) / 2
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    before = rejected[after - 1] + accepted[after - 1]
    return float(before + share * (rejected[after] + accepted[after] - before)) / 2
