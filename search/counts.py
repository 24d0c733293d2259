"""How many boxes a search looks at, and how many it could: counted, and kept while nothing changed.

Counting takes time in proportion to the gallery. A count of many rows is kept for fifty times as
long as it took, so that it costs searches two hundredths of their time at most, and then for as
long as Postgres has seen no row come, change or go.
"""

import hashlib
import time
from dataclasses import dataclass

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection

from search import coverage
from search.coverage import Gaps
from search.scope import Scope
from training.models import Encoder

# Fewer rows are counted anew each time: it takes no longer than to ask what was kept.
KEPT_FROM = 20_000
KEPT_SHARE = 50
KEPT_S = 3600
# What any filter may read.
TABLES = (
    "search_embedding",
    "gallery_box",
    "gallery_image",
    "gallery_caption",
    "gallery_identity",
    "jobs_job",
    "jobs_jobfailure",
)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Inside a scope: the boxes that have a vector, and what became of those that have none."""

    searched: int
    gaps: Gaps


@dataclass(frozen=True, kw_only=True)
class _Kept:
    counts: Counts
    changes: int
    at: float
    took: float


def kept(scope: Scope, encoder: Encoder) -> Counts | None:
    """What was counted lately, if it is worth believing."""
    found = cache.get(_key(scope, encoder))
    if found is None:
        return None
    if time.time() - found.at < KEPT_SHARE * found.took:
        return found.counts
    return found.counts if found.changes == _changes() else None


def of(scope: Scope, encoder: Encoder) -> Counts:
    """What is kept, or counted now."""
    found = kept(scope, encoder)
    return count(scope, encoder) if found is None else found


def count(scope: Scope, encoder: Encoder) -> Counts:
    """Counted now, and kept if it is much."""
    # Before the counting: what changes meanwhile must look like a change.
    changes, began = _changes(), time.time()
    searched = scope.embeddings(encoder).count()
    counted = Counts(searched=searched, gaps=coverage.gaps(scope, encoder, searched))
    if searched + counted.gaps.missing >= KEPT_FROM:
        now = time.time()
        entry = _Kept(counts=counted, changes=changes, at=now, took=now - began)
        cache.set(_key(scope, encoder), entry, KEPT_S)
    return counted


def _key(scope: Scope, encoder: Encoder) -> str:
    # The conditions themselves: whatever narrows a search has a count of its own.
    try:
        asked = repr(scope.embeddings(encoder).query.sql_with_params())
    except EmptyResultSet:  # nothing was granted
        asked = ""
    return f"counts:{hashlib.sha256(asked.encode()).hexdigest()[:32]}"


def _changes() -> int:
    """Rows that came, changed or went so far, as Postgres counts them, some seconds late."""
    counted = " + ".join(
        f"pg_stat_get_tuples_{what}('{table}'::regclass)"
        for table in TABLES
        for what in ("inserted", "updated", "deleted")
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {counted}")
        return cursor.fetchone()[0]
