"""All scores of some pairs, counted in one walk, and kept where a threshold will lie.

Scores are counted into 64,000 bins. Where the thresholds are is guessed from a sample before the
walk, and the scores there are kept as they are, so that what follows is exact without sorting all
of them. A guess that was wrong is seen from the counts: then the walk is made once more.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Self

import cv2
import numpy as np
import numpy.typing as npt

from training.ml.pairs import LONGEST, OUT, Block, Numbers, Pairs

Counts = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

# Bins of a cosine from -1 to 1; beside them there is room for rounding, and for OUT.
BINS = 64_000
_ALL, _MIDDLE = 1 << 16, 1 << 15
_LOWEST = _MIDDLE - BINS // 2
WORST = 15
# Impostors kept with their places, best first: to see how far the strictest thresholds may move.
TAIL_SHARE = 5e-3
TAIL_LEAST, TAIL_MOST = 2_000, 4_000_000
GENUINE_MOST = 4_000_000
# Scores around the equal error rate that are kept at most.
WINDOW_MOST = 8_000_000
# Rows and columns of the sample that guesses, at least and at most; genuine pairs for each row.
_SAMPLE_SIDE, _SAMPLE_GENUINE = (320, 2_000), 10
_PIECE = 1 << 18
_OUT = int((OUT * np.float32(BINS / 2)) + np.float32(_MIDDLE))


@dataclass(frozen=True)
class Limits:
    """Bins, as of `places_of`, whose impostors are kept: low <= bin < high, and from `tail` on."""

    low: int
    high: int
    tail: int


@dataclass(frozen=True, kw_only=True)
class Places:
    """Pairs with their scores: (T,) each, in the order that whoever holds them says."""

    scores: Scores
    rows: Numbers
    columns: Numbers

    def rising(self) -> Self:
        order = np.argsort(self.scores, kind="stable")
        parts = {"rows": self.rows[order], "columns": self.columns[order]}
        return replace(self, scores=self.scores[order], **parts)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What a walk found.

    genuine_bins, impostor_bins: (65536,) counts by `places_of`; `between` gives those to show.
    genuine: all genuine pairs, rising, or None where they are more than 4 million.
    window: impostors, with all of the bins `limits.low` <= bin < `limits.high`.
    tail: impostors, with all from the bin `limits.tail` on.
    best: the tail with its places, in any order, or None where ties make it too long.
    false_rejects, false_accepts: (row, column, score), the worst first.
    """

    ignored: int
    genuine_bins: Counts
    impostor_bins: Counts
    limits: Limits
    genuine: Places | None
    window: "Met"
    tail: "Met"
    best: Places | None
    false_rejects: list[tuple[int, int, float]]
    false_accepts: list[tuple[int, int, float]]


class Met:
    """Scores with how often each was met, rising: many ties take no more room than one."""

    def __init__(self) -> None:
        self._new: list[Scores] = []
        self._waiting = 0
        self._values = np.zeros(0, np.float32)
        self._counts = np.zeros(0, np.int64)

    def add(self, scores: Scores) -> None:
        self._new.append(scores)
        self._waiting += len(scores)
        if self._waiting > WINDOW_MOST:
            self._merge()

    def within(self, low: int, high: int) -> tuple[Scores, Counts]:
        """(U,) different scores of the bins from `low` on, below `high`; how often each was met."""
        if self._waiting:
            self._new = [part[_inside(part, low, high)] for part in self._new]
            self._merge()
        chosen = _inside(self._values, low, high)
        return self._values[chosen], self._counts[chosen]

    def _merge(self) -> None:
        fresh = np.concatenate(self._new)
        fresh.sort()
        first = np.flatnonzero(np.append([True], fresh[1:] != fresh[:-1])[: len(fresh)])
        values, counts = fresh[first], np.diff(np.append(first, len(fresh)))
        self._new, self._waiting = [], 0
        if len(self._values):
            both = np.concatenate([self._counts, counts])
            values, place = np.unique(np.concatenate([self._values, values]), return_inverse=True)
            counts = np.bincount(place, weights=both).astype(np.int64)
        self._values, self._counts = values, counts


def _inside(scores: Scores, low: int, high: int) -> npt.NDArray[np.bool_]:
    places = places_of(scores)
    found: npt.NDArray[np.bool_] = (places >= low) & (places < high)
    return found


def places_of(scores: Scores) -> npt.NDArray[np.uint16]:
    """The bin that each cosine lies in."""
    scaled: Scores = np.multiply(scores, np.float32(BINS / 2))
    np.add(scaled, np.float32(_MIDDLE), out=scaled)
    return scaled.astype(np.uint16)


def between(counts: Counts) -> Counts:
    """(64000,) counts from -1 to 1 out of a walk's; what rounding has put beyond is at the ends."""
    found = counts[_LOWEST : _LOWEST + BINS].copy()
    found[0] += counts[:_LOWEST].sum()
    found[-1] += counts[_LOWEST + BINS :].sum()
    return found


def lower_end(place: int) -> float:
    """The lowest cosine of a bin."""
    return (place - _MIDDLE) * 2 / BINS


def walk(pairs: Pairs) -> Tally:
    """Count all pairs, in memory that does not grow with them.

    Raises: ValueError, there is no genuine or no impostor pair, or a vector is not finite.
    """
    for side in (pairs.rows, pairs.columns):
        longest = np.einsum("nd,nd->n", side, side).max(initial=0) ** 0.5
        if not np.isfinite(longest):
            raise ValueError("a score is NaN")
        if longest > LONGEST:
            raise ValueError(f"a vector has the length {longest:.3f}, not 1")
    limits = _guess(pairs)
    found = _walk(pairs, limits)
    whole = len(pairs.rows) * len(pairs.columns)
    right = _limits(found.genuine_bins, found.impostor_bins, whole)
    if right.tail < limits.tail or not limits.low <= right.low < limits.high:
        found = _walk(pairs, right)
    return replace(found, limits=right)


def crossing(genuine: Counts, impostor: Counts) -> int:
    """The bin in which rejects overtake accepts."""
    rejected = np.concatenate([[0], np.cumsum(genuine)]) / genuine.sum()
    accepted = 1 - np.concatenate([[0], np.cumsum(impostor)]) / impostor.sum()
    return int(np.argmax(rejected >= accepted)) - 1


def _limits(genuine: Counts, impostor: Counts, whole: int) -> Limits:
    """The bins to keep, by the counts of `whole` pairs."""
    if not genuine.any() or not impostor.any():
        raise ValueError("verification needs pairs that fit and pairs that do not")
    inside = crossing(genuine, impostor)
    above = np.cumsum(impostor[::-1])[::-1]
    tail = int(np.flatnonzero(above >= _tail_share(whole) * above[0])[-1])
    return Limits(inside, inside + 1, tail)


def _tail_share(whole: int) -> float:
    # The loosest FAR is one in a thousand.
    return min(1.0, max(min(TAIL_SHARE, TAIL_MOST / 2 / whole), 1.2e-3, TAIL_LEAST / whole))


def _guess(pairs: Pairs) -> Limits:
    """Limits by a sample of rows and columns, wide enough to be right nearly always."""
    whole = len(pairs.rows) * len(pairs.columns)
    # The window is narrower among more pairs, so the guess has to be better.
    most = min(max(_SAMPLE_SIDE[0], int(whole**0.5) // 16), _SAMPLE_SIDE[1])
    row, column = (_some(len(side), most) for side in (pairs.rows, pairs.columns))
    scores = pairs.rows[row] @ pairs.columns[column].T
    others = pairs.row_people[row][:, None] != pairs.column_people[column]
    impostor = np.sort(scores[others])
    each = max(1, pairs.genuine_count) / max(1, len(pairs.rows))
    asked = _some(len(pairs.rows), int(most * _SAMPLE_GENUINE / each) + 1)
    rows, columns = pairs.genuine_of(asked)
    genuine = np.sort(np.einsum("nd,nd->n", pairs.rows[rows], pairs.columns[columns]))
    if not len(genuine) or not len(impostor):
        return Limits(0, 0, _ALL - 1)  # keeps nothing: the walk's own counts will tell
    rejected = np.arange(1, len(genuine) + 1) / len(genuine)
    accepted = 1 - np.searchsorted(impostor, genuine) / len(impostor)
    meet = min(int(np.argmax(rejected >= accepted)), len(genuine) - 1)
    # Pairs of one row, or of one column, stand or fall together: how far their rates lie from
    # each other tells how far the rate of all may be off.
    passed = (scores >= genuine[meet]) & others
    wrong = accepted[meet] * (1 - accepted[meet]) / len(genuine)
    wrong += sum(_variance(passed.sum(axis=at), others.sum(axis=at)) for at in (0, 1))
    margin = min(2e-3 + 3 * wrong**0.5, WINDOW_MOST / 2 / whole)

    def bin_at(far: float) -> int:
        place = min(max(int((1 - far) * len(impostor)), 0), len(impostor) - 1)
        return int(places_of(impostor[place : place + 1])[0])

    low, high = bin_at(accepted[meet] + margin), bin_at(accepted[meet] - margin) + 1
    return Limits(low, high, bin_at(2 * _tail_share(whole)))


def _some(count: int, most: int) -> Numbers:
    # By chance: every n-th row may be every n-th camera.
    chosen: Numbers = np.random.default_rng(0).permutation(count)[:most]
    return chosen


def _variance(passed: Counts, of: Counts) -> float:
    """Of a rate that was counted in parts."""
    rate = passed.sum() / of.sum()
    return float(((passed - rate * of) ** 2).sum() / of.sum() ** 2)


def _histogram(places: npt.NDArray[np.uint16]) -> Counts:
    """(65536,) counts of fewer than 2^24 bins, beyond which its float32 would lose some.

    OpenCV reads them as they are and lets other threads go on; `np.bincount` copies them to eight
    bytes each and holds the interpreter's lock, so that two threads count no faster than one.
    """
    found = cv2.calcHist([places[None]], [0], None, [_ALL], [0, _ALL])
    return found.ravel().astype(np.int64)


def _count(scores: Scores) -> Counts:
    return np.bincount(places_of(scores), minlength=_ALL)


class _Scored(NamedTuple):
    """Scores with the rows and columns that they are of."""

    scores: Scores
    rows: Numbers
    columns: Numbers


class _Seen(NamedTuple):
    """What a walk takes from one block."""

    ignored: int
    genuine_bins: Counts
    impostor_bins: Counts
    genuine: _Scored
    window: list[Scores]
    tail: list[_Scored]


def _walk(pairs: Pairs, limits: Limits) -> Tally:
    genuine_bins, impostor_bins = np.zeros((2, _ALL), dtype=np.int64)
    kept = _Kept(with_genuine=pairs.genuine_count <= GENUINE_MOST)
    ignored = 0
    for seen in pairs.each(partial(_look, limits)):
        genuine_bins += seen.genuine_bins
        impostor_bins += seen.impostor_bins
        ignored += seen.ignored
        kept.add(seen)
    return Tally(
        ignored=ignored,
        genuine_bins=genuine_bins,
        impostor_bins=impostor_bins,
        limits=limits,
        genuine=kept.genuine(),
        window=kept.window,
        tail=kept.tail,
        best=kept.best(),
        false_rejects=kept.rejects.found(),
        false_accepts=kept.accepts.found(),
    )


def _look(limits: Limits, block: Block) -> _Seen:
    genuine, impostor = block.taken_apart()
    counts = np.zeros(_ALL, dtype=np.int64)
    window, tail = [], []
    for start in range(0, len(impostor), _PIECE):
        scores = impostor[start : start + _PIECE]
        places = places_of(scores)
        counts += _histogram(places)
        # One look finds what either of the two keeps: those below are most of them.
        near = np.flatnonzero(places >= min(limits.low, limits.tail))
        places = places[near]
        inside = near[(places >= limits.low) & (places < limits.high)]
        window.append(scores[inside])
        found = near[places >= limits.tail]
        if len(found):
            tail.append(_Scored(scores[found], *block.rows_and_columns(start + found)))
    counts[_OUT] -= len(block.genuine) + len(block.ignored) + len(block.unasked)
    return _Seen(
        ignored=len(block.ignored),
        genuine_bins=_count(genuine),
        impostor_bins=counts,
        genuine=_Scored(genuine, *block.rows_and_columns(block.genuine)),
        window=window,
        tail=tail,
    )


class _Kept:
    """What a walk keeps of the scores that it passes."""

    def __init__(self, *, with_genuine: bool) -> None:
        self.window, self.tail = Met(), Met()
        self.rejects, self.accepts = _Extreme(lowest=True), _Extreme(lowest=False)
        self._genuine: list[_Scored] | None = [] if with_genuine else None
        self._best: list[_Scored] | None = []
        self._best_size = 0

    def add(self, seen: _Seen) -> None:
        self.rejects.see(seen.genuine)
        if self._genuine is not None:
            self._genuine.append(_narrowed(seen.genuine))
        for scores in seen.window:
            self.window.add(scores)
        for best in seen.tail:
            self.tail.add(best.scores)
            self.accepts.see(best)
            self._best_size += len(best.scores)
            if self._best_size > TAIL_MOST:
                self._best = None
            if self._best is not None:
                self._best.append(_narrowed(best))

    def genuine(self) -> Places | None:
        return None if self._genuine is None else _joined(self._genuine).rising()

    def best(self) -> Places | None:
        return None if self._best is None else _joined(self._best)


def _narrowed(some: _Scored) -> _Scored:
    return some._replace(rows=some.rows.astype(np.int32), columns=some.columns.astype(np.int32))


def _joined(parts: list[_Scored]) -> Places:
    if not parts:
        return Places(scores=np.zeros(0, np.float32), rows=_NOBODY, columns=_NOBODY)
    scores, rows, columns = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Places(scores=scores, rows=rows, columns=columns)


_NOBODY = np.zeros(0, np.int64)


class _Extreme:
    """The few lowest or highest scores."""

    def __init__(self, *, lowest: bool) -> None:
        self._sign = -1 if lowest else 1
        self._best: list[tuple[float, int, int]] = []

    def see(self, some: _Scored) -> None:
        values, rows, columns = self._sign * some.scores, some.rows, some.columns
        if len(self._best) == WORST:
            better = np.flatnonzero(values > self._best[-1][0])
            values, rows, columns = values[better], rows[better], columns[better]
        few = min(WORST, len(values))
        for place in np.argpartition(-values, few - 1)[:few] if few else ():
            self._best.append((float(values[place]), int(rows[place]), int(columns[place])))
        self._best = sorted(self._best, key=lambda one: (-one[0], one[1:]))[:WORST]

    def found(self) -> list[tuple[int, int, float]]:
        return [(row, column, self._sign * value) for value, row, column in self._best]
