"""Vectors from PostgreSQL to Milvus: everything once, whatever fails or is killed in between.

What changes is noted in the transaction that changes it (`Unmirrored`). One process at a time
takes a few notes, writes to Milvus what the database says of those boxes by then, and only after
that deletes the notes: whoever is stopped in between leaves notes, and writing a row again replaces
it. A search looks at the boxes that are noted in PostgreSQL.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection, transaction
from django.db.models import Max, Min
from django.db.models.functions import Now

from search.engines import collections
from search.engines.collections import Entry
from search.models import Embedding, Mirror, Unmirrored
from training.models import Encoder

CHUNK = 1000
# Boxes that a comparison of both sides reads at once; fewer numbers than `collections.MOST`.
RANGE = 10_000
WAIT_S = 0.5
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a comparison found in Milvus, and set right."""

    rows: int  # that should be there
    missing: int
    surplus: int  # of boxes that are gone or hidden
    wrong: int  # with another dataset, camera or time

    @property
    def mended(self) -> int:
        return self.missing + self.surplus + self.wrong


def of(encoder: Encoder) -> Mirror | None:
    return Mirror.objects.filter(pk=encoder.pk).first()


def waiting(encoder_id: int) -> int:
    """How many changes Milvus has still to learn of."""
    return Unmirrored.objects.filter(encoder_id=encoder_id).count()


def fill(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> int:
    """Take over all that an encoder has enrolled, and go on from where it was stopped.

    From its beginning on, whatever changes is noted, and taken over too.

    Returns: how many rows and changes were written.
    Raises:
        EngineSilent: what is done is kept.
    """
    if of(encoder) is None:
        _begin(encoder)
    written = 0
    with _alone(encoder.pk, beat):
        mirror = Mirror.objects.get(pk=encoder.pk)
        if not mirror.is_filled:
            collections.create(mirror.collection, encoder.dim)
        while not mirror.is_filled:
            beat()
            rows = Embedding.objects.filter(encoder_id=encoder.pk, box_id__gt=mirror.filled_to)
            some = rows.findable().with_bytes().order_by("box_id")[:CHUNK]
            ready = _ready(some)
            collections.put(mirror.collection, ready)
            if ready:
                mirror.filled_to = ready[-1][0]
                written += len(ready)
            else:
                mirror.is_filled = True
            mirror.synced_at = Now()
            mirror.save()
            mirror.refresh_from_db()
        while done := _follow(mirror):
            beat()
            written += done
    return written


def follow(encoder_id: int, most: int = CHUNK) -> int:
    """Take over changes that are noted, about `most` of them; how many were written.

    0 too if another process is at it, or the mirror is not filled yet. Outside a transaction.

    Raises: EngineSilent
    """
    mirror = Mirror.objects.filter(pk=encoder_id, is_filled=True).first()
    if mirror is None:
        return 0
    written = 0
    with _if_alone(encoder_id) as alone:
        while alone and written < most:
            done = _follow(mirror)
            if not done:
                break
            written += done
    return written


def compare(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> Difference:
    """Hold every row of Milvus against the database, and set right what differs.

    Raises: EngineSilent
    """
    fill(encoder, beat)
    collection = Mirror.objects.get(pk=encoder.pk).collection
    if collections.create(collection, encoder.dim):
        Mirror.objects.filter(pk=encoder.pk).update(is_filled=False, filled_to=0)
        fill(encoder, beat)
    rows = missing = surplus = wrong = 0
    for first, last in _ranges(encoder.pk):
        beat()
        # Milvus first: what comes between the two is noted, and written again without harm.
        there = collections.listing(collection, first, last)
        here = _entries(encoder.pk, first, last)
        lost, left = here.keys() - there.keys(), there.keys() - here.keys()
        differ = {box_id for box_id in here.keys() & there.keys() if here[box_id] != there[box_id]}
        _note(encoder.pk, sorted(lost | left | differ))
        rows, missing = rows + len(here), missing + len(lost)
        surplus, wrong = surplus + len(left), wrong + len(differ)
    fill(encoder, beat)
    return Difference(rows=rows, missing=missing, surplus=surplus, wrong=wrong)


def forget(encoder_id: int) -> bool:
    """Drop the collection of an encoder and all that is noted; True if there was anything.

    Raises: EngineSilent, and it is still kept up.
    """
    mirror = Mirror.objects.filter(pk=encoder_id).first()
    if mirror is None:
        return False
    with _alone(encoder_id, lambda: None):
        # First of all, that nothing is noted any more; last, what says that it has to be dropped.
        Mirror.objects.filter(pk=encoder_id).update(is_filled=False, filled_to=0)
        collections.drop(mirror.collection)
        with transaction.atomic():
            Mirror.objects.filter(pk=encoder_id).delete()
            Unmirrored.objects.filter(encoder_id=encoder_id).delete()
    return True


def follow_all() -> int:
    """One round over all mirrors, those of deleted encoders are dropped; changes written.

    Raises: EngineSilent
    """
    written = 0
    for encoder_id in Mirror.objects.order_by("pk").values_list("pk", flat=True):
        if Encoder.objects.filter(pk=encoder_id).exists():
            written += follow(encoder_id, 20 * CHUNK)
        else:
            forget(encoder_id)
    return written


def _begin(encoder: Encoder) -> None:
    Mirror.objects.get_or_create(pk=encoder.pk)
    # Whoever began to write before there was a mirror notes nothing: wait until they have ended.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE search_embedding, gallery_box IN SHARE MODE")


def _follow(mirror: Mirror) -> int:
    """Take over the oldest changes; how many."""
    notes = Unmirrored.objects.filter(encoder_id=mirror.pk).order_by("pk")
    some = list(notes.values_list("pk", "box_id")[:CHUNK])
    if not some:
        return 0
    box_ids = {box_id for _pk, box_id in some}
    rows = Embedding.objects.filter(encoder_id=mirror.pk, box_id__in=box_ids)
    ready = _ready(rows.findable().with_bytes())
    collections.put(mirror.collection, ready)
    collections.remove(mirror.collection, sorted(box_ids - {box_id for box_id, *_rest in ready}))
    with transaction.atomic():
        Unmirrored.objects.filter(pk__in=[pk for pk, _box_id in some]).delete()
        Mirror.objects.filter(pk=mirror.pk).update(synced_at=Now())
    return len(some)


def _ready(rows) -> list[tuple[int, Entry, np.ndarray]]:
    found = rows.values_list("box_id", "dataset_id", "camera_id", "taken_at", "vector_bytes")
    # Two numbers of 16 bits, then halves, all with the high byte first.
    return [
        (box_id, _entry(*where), np.frombuffer(sent, dtype=">f2", offset=4).astype(np.float32))
        for box_id, *where, sent in found
    ]


def _entry(dataset_id: int, camera_id: int | None, taken_at: datetime | None) -> Entry:
    return Entry(
        dataset=dataset_id,
        camera=camera_id or collections.NO_CAMERA,
        taken=collections.NO_TIME if taken_at is None else microseconds(taken_at),
    )


def microseconds(moment: datetime) -> int:
    """Since 1970, of an aware datetime, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _entries(encoder_id: int, first: int, last: int) -> dict[int, Entry]:
    rows = Embedding.objects.filter(
        encoder_id=encoder_id, box_id__gte=first, box_id__lte=last
    ).findable()
    found = rows.values_list("box_id", "dataset_id", "camera_id", "taken_at")
    return {box_id: _entry(*where) for box_id, *where in found}


def _ranges(encoder_id: int) -> Iterator[tuple[int, int]]:
    """Of box numbers, from the first to beyond the last that either side can hold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM gallery_box_id_seq")
        newest = cursor.fetchone()[0]
    held = Embedding.objects.filter(encoder_id=encoder_id).aggregate(Min("box_id"), Max("box_id"))
    newest = max(newest, held["box_id__max"] or 0)
    for first in range(1, newest + 1, RANGE):
        yield first, first + RANGE - 1


def _note(encoder_id: int, box_ids: Sequence[int]) -> None:
    Unmirrored.objects.bulk_create(
        [Unmirrored(encoder_id=encoder_id, box_id=box_id) for box_id in box_ids], batch_size=CHUNK
    )


@contextmanager
def _if_alone(encoder_id: int) -> Iterator[bool]:
    """Whether no other process writes to this collection until the block ends.

    An advisory lock of the connection: one that is killed gives it back. Two writers could each
    read a box before it changes and write it after.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [f"mirror:{encoder_id}"])
        alone = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [f"mirror:{encoder_id}"])


@contextmanager
def _alone(encoder_id: int, beat: Callable[[], None]) -> Iterator[None]:
    while True:
        with _if_alone(encoder_id) as alone:
            if alone:
                yield
                return
        beat()
        time.sleep(WAIT_S)
