"""The nearest boxes of a scope: which way they are looked for, and that none is left out short.

Every vector that the filters leave is compared (exactly) where these are few, where a walk of the
index would have to pass over too many that the filters drop, or where `exact` is asked for. Else
the engine walks its index, as wide as the mode needs at the gallery's size, for more candidates
than are wanted, and compares all rows that it does not cover yet. Candidates are ranked by exact
distance.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from search import compact, engines, index, tuning
from search.engines import Ranked
from search.engines.pgvector import OVERFETCH
from search.errors import EngineSilent
from search.index import Built
from search.models import Mode
from search.querysets import EmbeddingQuerySet
from search.scope import Scope
from training.models import Encoder

# Vectors that are compared all where Milvus should answer and does not: a second or two of work.
MOST_WITHOUT = 1_000_000


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

    Raises:
        EngineSilent: Milvus does not answer, and there are too many to compare all.
    """
    rows = scope.embeddings(encoder)
    passed_over = list(without)
    if passed_over:
        rows = rows.exclude(box_id__in=passed_over)
    for number, demand in enumerate(demands):
        rows = rows.within(demand.vector, demand.least, demand.most, f"demanded_{number}")
    codes = None if mode == Mode.EXACT else compact.known(encoder)
    if codes is not None and (mode == Mode.COMPACT or codes.replaces_index):
        depth = wanted + (after.shown if after else 0)
        near = compact.nearest(rows, scope, encoder, codes, query, depth, left)
        ranked = _behind(near, after)[:wanted]
        if len(ranked) == wanted:
            return Ranking(rows=ranked, is_exact=False)
    built = None if mode == Mode.EXACT else engines.current().known(encoder)
    if built is not None:
        depth = wanted + (after.shown if after else 0)
        if left is None:
            left = index.estimate(scope.vectors(encoder))
        if _pays(built, encoder, left, depth * OVERFETCH):
            width = tuning.ef(encoder, mode, built.rows)
            ranked = _behind(_walk(rows, encoder, query, depth, built, width, scope, left), after)
            if len(ranked) >= wanted:
                return Ranking(rows=ranked[:wanted], is_exact=False)
    exact = rows.nearest_exactly(query, encoder)
    if after is not None:
        exact = exact.beyond(after.distance, after.box_id)
    return Ranking(rows=list(exact.values_list("distance", "box_id")[:wanted]), is_exact=True)


def _pays(built: Built, encoder: Encoder, left: int, candidates: int) -> bool:
    """Whether walking the index costs less than comparing all that the filters leave."""
    if left <= tuning.exact_rows(encoder):
        return False
    if built.keeps_to_filters:
        return True
    visits = candidates * max(1.0, built.rows / left)
    return visits <= index.MOST_VISITS


def _walk(
    rows: EmbeddingQuerySet,
    encoder: Encoder,
    query: np.ndarray,
    wanted: int,
    built: Built,
    width: int,
    scope: Scope,
    left: int,
) -> Ranked:
    """What the engine finds; nothing where it is silent and all can be compared without it."""
    try:
        return engines.current().walk(
            rows, encoder, query, wanted, built=built, width=width, scope=scope
        )
    except EngineSilent:
        if left > MOST_WITHOUT:
            raise
        return []


def _behind(ranked: Ranked, after: Place | None) -> Ranked:
    if after is None:
        return ranked
    return [row for row in ranked if row > (after.distance, after.box_id)]
