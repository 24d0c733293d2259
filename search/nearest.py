"""The nearest boxes of a scope: which way they are looked for, and that none is left out short.

Every vector that the filters leave is compared (exactly) where these are few, where a walk of the
index would have to pass over too many that the filters drop, or where `exact` is asked for. Else
the index is walked, as wide as the mode needs at the gallery's size, for more candidates than are
wanted; rows that it does not cover yet are compared all. Candidates are ranked by exact distance.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from search import index, tuning
from search.index import Built
from search.models import Mode
from search.querysets import EmbeddingQuerySet
from search.scope import Scope
from training.models import Encoder

# Candidates fetched for each hit wanted, then ranked by their exact distance.
OVERFETCH = 4

Ranked = list[tuple[float, int]]  # (cosine distance, box id), closest first


class Place(Protocol):
    """Where a page ended: its last hit, and how many hits were shown up to it."""

    @property
    def distance(self) -> float: ...
    @property
    def box_id(self) -> int: ...
    @property
    def shown(self) -> int: ...


class Demand(Protocol):
    """That the cosine with a vector lies between two bounds, -1 to 1."""

    @property
    def vector(self) -> np.ndarray: ...
    @property
    def least(self) -> float: ...
    @property
    def most(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The boxes found; `is_exact` if every vector inside the scope was compared."""

    rows: Ranked
    is_exact: bool


def rank(
    scope: Scope,
    encoder: Encoder,
    query: np.ndarray,
    wanted: int,
    *,
    mode: str = Mode.FAST,
    after: Place | None = None,
    without: Iterable[int] = (),
    demands: Sequence[Demand] = (),
    left: int | None = None,
) -> Ranking:
    """The nearest `wanted` boxes to a vector (dim,); fewer only where no more are in the scope.

    Args:
        after: gives those that follow it.
        without: box ids that are passed over.
        demands: what every hit has to keep, beside being near.
        left: about how many vectors the scope leaves; the planner is asked where None.
    """
    rows = scope.embeddings(encoder)
    passed_over = list(without)
    if passed_over:
        rows = rows.exclude(box_id__in=passed_over)
    for number, demand in enumerate(demands):
        rows = rows.within(demand.vector, demand.least, demand.most, f"demanded_{number}")
    built = None if mode == Mode.EXACT else index.known(encoder)
    if built is not None:
        depth = wanted + (after.shown if after else 0)
        if left is None:
            left = index.estimate(scope.vectors(encoder))
        if _pays(built, encoder, left, depth * OVERFETCH):
            found = _walk(rows, encoder, query, depth, built, mode)
            ranked = _behind(found, after)[:wanted]
            if len(ranked) == wanted:
                return Ranking(rows=ranked, is_exact=False)
    exact = rows.nearest_exactly(query, encoder)
    if after is not None:
        exact = exact.beyond(after.distance, after.box_id)
    return Ranking(rows=list(exact.values_list("distance", "box_id")[:wanted]), is_exact=True)


def _pays(built: Built, encoder: Encoder, left: int, candidates: int) -> bool:
    """Whether walking the index costs less than comparing all that the filters leave."""
    if left <= tuning.exact_rows(encoder):
        return False
    visits = candidates * max(1.0, built.rows / left)
    return visits <= index.MOST_VISITS


def _walk(
    rows: EmbeddingQuerySet,
    encoder: Encoder,
    query: np.ndarray,
    wanted: int,
    built: Built,
    mode: str,
) -> Ranked:
    """The nearest by the index and, of rows that it does not cover, all the nearest.

    Empty where the walk ended before it had `wanted`: it may have missed any.
    """
    index.prepare(tuning.ef(encoder, mode, built.rows))
    covered = rows.filter(load__lte=built.load).nearest_by_index(query, encoder)
    found = list(covered.values_list("distance", "box_id")[: wanted * OVERFETCH])
    if len(found) < wanted:
        return []
    if not built.all_covered:
        fresh = rows.filter(load__gt=built.load).nearest_exactly(query, encoder)
        found += fresh.values_list("distance", "box_id")[:wanted]
    return sorted(found)


def _behind(ranked: Ranked, after: Place | None) -> Ranked:
    if after is None:
        return ranked
    return [row for row in ranked if row > (after.distance, after.box_id)]
