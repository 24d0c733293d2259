"""Milvus as the engine: a server, or a cluster where one machine is outgrown.

It knows boxes, datasets, cameras and times, and proposes the nearest of those. Time of day, review,
captions, identities, demands and grants are looked at in PostgreSQL, where the exact distances come
from; where too many candidates fail there, more are asked for.
"""

import time
from collections.abc import Callable
from datetime import timedelta

import numpy as np
from django.utils import timezone

from search import index
from search.engines import collections, mirror
from search.errors import EngineSilent
from search.index import Built
from search.models import Embedding, Mirror, Unmirrored
from search.querysets import EmbeddingQuerySet
from search.scope import Scope
from training.models import Encoder

# Candidates asked for each hit wanted; what is asked for more when too many of them fail.
OVERFETCH = 4
MORE = 4
# Milvus lets what was written be found after a while (5 seconds); until then it has to be told
# to wait. Clocks of hosts may differ by the rest.
SETTLED = timedelta(seconds=30)
# How many rows there are is asked of the planner, and matters little.
COUNTED_S = 30.0

_counted: dict[int, tuple[float, int]] = {}

Ranked = list[tuple[float, int]]


def look(encoder: Encoder) -> Built | None:
    """None until the collection was filled, and while too many changes wait for it."""
    if not Mirror.objects.filter(pk=encoder.pk, is_filled=True).exists():
        return None
    waiting = len(_waiting(encoder))
    if waiting > index.threshold():
        return None
    return Built(load=0, rows=_rows(encoder), all_covered=not waiting, keeps_to_filters=True)


known = look


def walk(
    rows: EmbeddingQuerySet,
    encoder: Encoder,
    query: np.ndarray,
    wanted: int,
    *,
    built: Built,
    width: int,
    scope: Scope | None = None,
) -> Ranked:
    """The nearest that Milvus knows and all that it has still to learn of.

    Empty where fewer than `wanted` of its candidates pass, and it has no more.

    Raises: EngineSilent
    """
    # In this order: a box leaves the notes before `synced_at` can be seen to have changed.
    unknown = _waiting(encoder)
    kept = Mirror.objects.filter(pk=encoder.pk).first()
    if kept is None:  # forgotten since
        return []
    fresh = kept.synced_at is not None and timezone.now() - kept.synced_at < SETTLED
    where = "" if scope is None else _where(scope)
    limit = wanted * OVERFETCH
    while True:
        limit = min(limit, collections.MOST)
        found = collections.nearest(kept.collection, query, limit, width, where, fresh=fresh)
        near = rows.filter(box_id__in={*found, *unknown}).nearest_exactly(query, encoder)
        ranked = list(near.values_list("distance", "box_id"))
        if sum(box_id not in unknown for _distance, box_id in ranked) >= wanted:
            return ranked
        if len(found) < limit or limit == collections.MOST:
            return []
        limit *= MORE


def follow(encoder: Encoder) -> None:
    """Take over what was just enrolled. A Milvus that is silent is no reason to stop: it is noted.

    What is not filled yet is left to `ensure`.
    """
    try:
        mirror.follow(encoder.pk)
    except EngineSilent:
        return


def ensure(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> bool:
    """Fill the collection with all that is enrolled. Raises: EngineSilent."""
    if not Embedding.objects.filter(encoder_id=encoder.pk).exists():
        return False
    written = mirror.fill(encoder, beat)
    index.refresh_estimates()
    return written > 0


def drop(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> bool:
    """Drop the collection. Raises: EngineSilent."""
    return mirror.forget(encoder.pk)


def _waiting(encoder: Encoder) -> set[int]:
    """Boxes that Milvus has still to learn of; more than `index.threshold` are not told apart."""
    notes = Unmirrored.objects.filter(encoder_id=encoder.pk).values_list("box_id", flat=True)
    return set(notes[: index.threshold() + 1])


def _rows(encoder: Encoder) -> int:
    at, rows = _counted.get(encoder.pk, (float("-inf"), 0))
    if time.monotonic() - at > COUNTED_S:
        rows = index.estimate(Embedding.objects.filter(encoder_id=encoder.pk))
        _counted[encoder.pk] = (time.monotonic(), rows)
    return rows


def _where(scope: Scope) -> str:
    """What Milvus can keep to by itself; PostgreSQL looks at all of it again."""
    parts = [f"dataset in [{_numbers(scope.dataset_ids)}]"]
    if scope.camera_ids is not None:
        parts.append(f"camera in [{_numbers(scope.camera_ids)}]")
    first, last = scope.span
    if first is not None:
        parts.append(f"taken >= {mirror.microseconds(first)}")
    if last is not None:
        parts.append(f"taken <= {mirror.microseconds(last)}")
    if first is None and last is not None:
        parts.append(f"taken > {collections.NO_TIME}")
    return " and ".join(parts)


def _numbers(ids: tuple[int, ...]) -> str:
    # None of no number: an empty list is not in every version's language.
    return ", ".join(map(str, ids or (0,)))
