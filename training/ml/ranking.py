"""Retrieval: how far up a ranking puts what was asked for. Numpy, a block of queries at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.ml import bootstrap
from training.ml.pairs import BLOCK, Numbers, Vectors

Scores = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

RECALLS = (1, 5, 10)


def recall_at(
    scores: Scores, relevant: Flags, ks: tuple[int, ...] = (1, 5, 10)
) -> dict[int, float]:
    """Share of queries with a relevant item among their k best.

    Args:
        scores: (Q, N), higher is better. Ties go to the lower column.
        relevant: (Q, N).
        ks: cut-offs; a k above N counts all items.

    Returns: k -> share, 0 to 1, over the queries that have a relevant item at all.
    Raises: ValueError, no query has one, or a score is NaN.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is NaN")
    asked = relevant.any(axis=1)
    if not asked.any():
        raise ValueError("no query has a relevant item")
    order = np.argsort(-scores[asked], axis=1, kind="stable")[:, : max(ks)]
    hit = np.take_along_axis(relevant[asked], order, axis=1)
    return {k: float(hit[:, :k].any(axis=1).mean()) for k in ks}


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """What each query got; queries without a relevant item are left out.

    queries: (Q,) rows of the queries that count. people: (Q,) whose they are.
    values: r1, r5, r10 (0 or 1), map (average precision) and minp, each (Q,).
    """

    queries: Numbers
    people: Numbers
    values: dict[str, Floats]

    def summary(self, drawn: bootstrap.Weights | None = None) -> dict[str, dict[str, object]]:
        """Means over the queries; with `drawn` (bootstrap.weights), intervals by person.

        The gallery is the same in each resample: the people of the queries are drawn again.
        """
        found: dict[str, dict[str, object]] = {}
        for name, values in self.values.items():
            found[name] = {"value": float(values.mean())}
            if drawn is not None:
                spread = bootstrap.mean_interval(values, self.people, drawn)
                found[name]["interval"] = spread
        return found

    def only(self, rows: Flags) -> "Ranked":
        """Those queries whose row is set in `rows`, each against the same gallery."""
        kept = rows[self.queries]
        values = {name: of[kept] for name, of in self.values.items()}
        return Ranked(queries=self.queries[kept], people=self.people[kept], values=values)


def rank(
    queries: Vectors,
    gallery: Vectors,
    query_people: Numbers,
    gallery_people: Numbers,
    *,
    leave_out_self: bool = False,
) -> Ranked:
    """Rank the gallery for every query; an item is relevant if it shows the query's person.

    map: the mean, over a query's relevant items, of the precision down to each. minp (inverse
    negative penalty): their number over the place of the last of them. Ties go to the lower row.

    Args:
        queries, gallery: (Q, D) and (N, D) unit vectors.
        leave_out_self: query i is gallery item i, which is not ranked.

    Raises: ValueError, no query has a relevant item, or a score is NaN.
    Source: Ye et al., "Deep Learning for Person Re-identification", TPAMI 2021, mINP.
    """
    parts: dict[str, list[Floats]] = {}
    rows: list[Numbers] = []
    for first, hit in _hits(queries, gallery, query_people, gallery_people, leave_out_self):
        asked = hit.any(axis=1)
        rows.append(first + np.flatnonzero(asked))
        for name, values in _per_query(hit[asked]).items():
            parts.setdefault(name, []).append(values)
    found = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    if not len(found):
        raise ValueError("no query has a relevant item")
    return Ranked(
        queries=found,
        people=query_people[found],
        values={name: np.concatenate(of) for name, of in parts.items()},
    )


def average_precision_at(
    hit: Flags, k: int, relevant: npt.NDArray[np.integer] | None = None
) -> Floats:
    """Average precision inside the k best, (Q,); 0 where none of them is relevant.

    Args:
        hit: (Q, N) whether the item at each place, best first, is relevant.
        relevant: (Q,) how many relevant items there are; the denominator is then min(k, that).
            Without, it is the number of hits found, as the GeM retrieval system of CompCars has
            it: a query that finds one of fifty at the first place gets 1.
    """
    best = hit[:, :k]
    places = np.arange(1, best.shape[1] + 1)
    summed = (np.cumsum(best, axis=1) / places * best).sum(axis=1)
    count = best.sum(axis=1) if relevant is None else np.minimum(k, relevant)
    found: Floats = summed / np.maximum(1, count)
    return found


def map_at(vectors: Vectors, people: Numbers, k: int, *, by_class_size: bool = False) -> float:
    """mAP@k of pictures against the other pictures, over those whose class has another one.

    Args:
        by_class_size: divide by what there was to find; otherwise by what was found.

    Raises: ValueError, no picture has another of its class.
    """
    found = []
    for _first, hit in _hits(vectors, vectors, people, people, True):
        asked = hit[hit.any(axis=1)]
        size = asked.sum(axis=1) if by_class_size else None
        found.append(average_precision_at(asked, k, size))
    return _mean(found)


def masked_map_at(
    queries: Vectors,
    gallery: Vectors,
    query_people: Numbers,
    gallery_people: Numbers,
    masked: Flags,
    k: int,
    *,
    by_class_size: bool = False,
    masked_score: float = -np.inf,
) -> float:
    """mAP@k of queries against a gallery of which some items are not to be found.

    Args:
        masked: (N,) gallery items that are left out: the queries themselves, minor classes.
        by_class_size: as `map_at`, of the items that are not masked.
        masked_score: 0 is how the GeM retrieval system masks: an item it masked still comes
            before all with a score below 0, and counts as found.

    Returns: the mean over the queries whose class has an item that is not masked.
    Raises: ValueError, no query has one.
    """
    found = []
    step = max(1, BLOCK // max(1, len(gallery)))
    for first in range(0, len(queries), step):
        scores = queries[first : first + step] @ gallery.T
        scores[:, masked] = masked_score
        relevant = query_people[first : first + step, None] == gallery_people[None, :]
        size = (relevant & ~masked).sum(axis=1)
        if masked_score == -np.inf:
            relevant &= ~masked
        best = _best(scores, k)
        hit = np.take_along_axis(relevant, best, axis=1)[size > 0]
        found.append(average_precision_at(hit, k, size[size > 0] if by_class_size else None))
    return _mean(found)


def held_out(people: Numbers, ratio: int, least: int) -> tuple[Flags, Flags]:
    """Which pictures ask and which are masked, as the GeM retrieval system validates.

    The first of every `ratio` pictures of a class ask and are masked; a class of fewer than
    `least` pictures does not ask and is masked whole.

    Args:
        people: (N,) class of each picture, in the order of the gallery.
    """
    asking, masked = np.zeros((2, len(people)), dtype=bool)
    for person in np.unique(people):
        members = np.flatnonzero(people == person)
        if len(members) < least:
            masked[members] = True
        else:
            asking[members[: len(members) // ratio]] = True
    return asking, masked | asking


def top_k(queries: Vectors, gallery: Vectors, k: int) -> Numbers:
    """(Q, min(k, N)) rows of the gallery that score highest, best first; ties to the lower row."""
    step = max(1, BLOCK // max(1, len(gallery)))
    starts = range(0, len(queries), step)
    parts = [_best(queries[first : first + step] @ gallery.T, k) for first in starts]
    return np.concatenate(parts) if parts else np.zeros((0, min(k, len(gallery))), np.int64)


def _best(scores: Scores, k: int) -> Numbers:
    best: Numbers = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return best


def _mean(parts: list[Floats]) -> float:
    values = np.concatenate(parts) if parts else np.zeros(0)
    if not len(values):
        raise ValueError("no query has a relevant item")
    return float(values.mean())


def _hits(
    queries: Vectors, gallery: Vectors, asked: Numbers, shown: Numbers, leave_out_self: bool
) -> Iterator[tuple[int, Flags]]:
    """Blocks of queries: the first row, and whether each place, best first, is relevant."""
    step = max(1, BLOCK // max(1, len(gallery)))
    for first in range(0, len(queries), step):
        scores = queries[first : first + step] @ gallery.T
        if np.isnan(scores).any():
            raise ValueError("a score is NaN")
        relevant = asked[first : first + step, None] == shown[None, :]
        if leave_out_self:
            own = np.arange(len(scores))
            scores[own, first + own] = -np.inf
            relevant[own, first + own] = False
        order = np.argsort(-scores, axis=1, kind="stable")
        yield first, np.take_along_axis(relevant, order, axis=1)


def _per_query(hit: Flags) -> dict[str, Floats]:
    places = np.arange(1, hit.shape[1] + 1)
    count = hit.sum(axis=1)
    last = (hit * places).max(axis=1, initial=1)
    values: dict[str, Floats] = {
        f"r{k}": np.asarray(hit[:, :k].any(axis=1), dtype=np.float64) for k in RECALLS
    }
    precision = np.cumsum(hit, axis=1) / places
    values["map"] = np.asarray((precision * hit).sum(axis=1) / count, dtype=np.float64)
    values["minp"] = np.asarray(count / last, dtype=np.float64)
    return values
