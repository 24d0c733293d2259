"""PostgreSQL as the engine: HNSW indexes beside the rows (`search.index`)."""

import numpy as np

from search import index
from search.index import Built, drop, ensure, known, look
from search.querysets import EmbeddingQuerySet
from search.scope import Scope
from training.models import Encoder

__all__ = ["drop", "ensure", "follow", "known", "look", "walk"]

# Candidates fetched for each hit wanted, then ranked by their exact distance.
OVERFETCH = 4


def walk(
    rows: EmbeddingQuerySet,
    encoder: Encoder,
    query: np.ndarray,
    wanted: int,
    *,
    built: Built,
    width: int,
    scope: Scope | None = None,
) -> list[tuple[float, int]]:
    """The nearest by the index and, of rows that it does not cover, all the nearest.

    Empty where the walk ended before it had `wanted`: it may have missed any.
    """
    index.prepare(width)
    covered = rows.filter(load__lte=built.load).nearest_by_index(query, encoder)
    found = list(covered.values_list("distance", "box_id")[: wanted * OVERFETCH])
    if len(found) < wanted:
        return []
    if not built.all_covered:
        fresh = rows.filter(load__gt=built.load).nearest_exactly(query, encoder)
        found += fresh.values_list("distance", "box_id")[:wanted]
    return sorted(found)


def follow(encoder: Encoder) -> None:
    """Nothing to do: the rows are in the index as they are written, or wait for its build."""
