"""The vector index: partial HNSW indexes of an encoder, and the settings under which one is walked.

An index covers the rows of one encoder whose `load` is at most a number. Single boxes and small
enrollments have load 0 and go into the index as they come. A bulk load gets the next number
(`load_for`): its rows are written without an index to be kept up, are searched exactly meanwhile
(`search.nearest`), and the index that is built after it covers them too and replaces the old one.
"""

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import OperationalError, connection, connections
from django.db.backends.utils import CursorWrapper
from django.db.models import Max, QuerySet

from search.models import CompactIndex, Embedding
from training.models import Encoder

TABLE = Embedding._meta.db_table
# 16 and 64, the defaults, stop at a recall of .98 for text queries whatever is spent on search.
LINKS = 32
BUILD_WIDTH = 128
# pgvector walks no wider; beyond it an iterative scan goes on for as long as rows are wanted.
MOST_EF = 1000
# Rows that a walk may look at (hnsw.max_scan_tuples, the default).
MOST_VISITS = 20_000
# A load of fewer rows goes into the index that is there faster than another could be built.
BULK = 20_000
# Rows are inserted into a live index at about half the pace at which one is built from them.
BULK_SHARE = 0.5
# What a process believes about an index before it looks again.
BELIEVED_S = 1.0

# What was SET on which connection: a SET costs a round trip, and most queries want the same.
_in_force: WeakKeyDictionary[object, tuple[int, int]] = WeakKeyDictionary()
_believed: dict[int, tuple[float, "Built | None"]] = {}


@dataclass(frozen=True, kw_only=True)
class Built:
    """What can be walked: the loads up to `load`, about `rows` vectors.

    `all_covered` says that no row of the encoder is of a later load.
    """

    load: int
    rows: int
    all_covered: bool
    # A walk keeps to datasets, cameras and times by itself, and stops by itself when others of
    # the filters drop too much: whether it pays need not be guessed.
    keeps_to_filters: bool = False


def threshold() -> int:
    """Rows up to which every search is exact, and no index is built."""
    return settings.PEDSITE_EXACT_ROWS


def name(encoder: Encoder, load: int = 0) -> str:
    return f"{TABLE}_hnsw_{encoder.pk}_{load}"


def exists(encoder: Encoder) -> bool:
    """Whether the encoder has a complete index. One that a killed build left behind is not."""
    return look(encoder) is not None


def look(encoder: Encoder) -> Built | None:
    """The encoder's index that covers most, as the database has it now."""
    valid = {load: rows for load, (is_valid, rows) in _indexes(encoder).items() if is_valid}
    if not valid:
        return None
    load = max(valid)
    return Built(load=load, rows=valid[load], all_covered=_newest_load(encoder) <= load)


def byte_size(encoder: Encoder) -> int:
    """Of the encoder's complete indexes, on disk and, to be walked quickly, in memory."""
    names = [name(encoder, load) for load in _valid(encoder)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(pg_relation_size(each::regclass)), 0)"
            " FROM unnest(%s::text[]) each",
            [names],
        )
        return int(cursor.fetchone()[0])


def known(encoder: Encoder) -> Built | None:
    """As `look`, a second old at most. One that was dropped since costs time, never a hit."""
    found = _believed.get(encoder.pk)
    if found is not None and time.monotonic() - found[0] < BELIEVED_S:
        return found[1]
    built = look(encoder)
    _believed[encoder.pk] = (time.monotonic(), built)
    return built


def load_for(encoder: Encoder, expected: int) -> int:
    """The load that so many new rows are written as: 0, or one that no index covers.

    It pays to build anew after a load that is large by itself and beside what is there.
    """
    built = look(encoder)
    if built is None or expected < max(BULK, BULK_SHARE * built.rows):
        return 0
    return max(built.load, _newest_load(encoder)) + 1


def ensure(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> bool:
    """Build the index that is missing: of more than `threshold` rows, or of a load; True if built.

    Must not be called inside a transaction: the index is built CONCURRENTLY, so that searches
    and enrollments go on. That takes minutes; `beat` is called about every second meanwhile,
    and an exception of it stops the build.
    """
    built = look(encoder)
    if (built is not None and built.all_covered) or not is_worth_it(encoder):
        return False
    codes = CompactIndex.objects.filter(encoder_id=encoder.pk).order_by("-pk").first()
    if codes is not None and codes.replaces_index:
        return False
    return build(encoder, beat)


def build(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> bool:
    """As `ensure`, of any number of rows."""
    return _elsewhere(partial(_build, encoder), beat)


def is_worth_it(encoder: Encoder) -> bool:
    """Whether there are more rows than are always compared all."""
    rows = Embedding.objects.filter(encoder_id=encoder.pk).order_by()
    return rows[: threshold() + 1].count() > threshold()


def drop(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> bool:
    """Drop all indexes of an encoder, while searches go on; True if there was one."""
    if not _indexes(encoder):
        return False
    _elsewhere(lambda cursor: _drop(cursor, encoder, list(_indexes(encoder))), beat)
    _believed.pop(encoder.pk, None)
    return True


def prepare(ef: int) -> None:
    """Put the settings in force under which the index is walked `ef` wide and never ends short.

    They stay on the connection, and are set again only where its values differ.
    """
    wanted = (min(max(ef, 1), MOST_EF), MOST_VISITS)
    connection.ensure_connection()
    # A rollback takes a SET back, so what is set inside a transaction is not remembered.
    inside = connection.in_atomic_block
    if not inside and _in_force.get(connection.connection) == wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('hnsw.ef_search', %s, %s), set_config('hnsw.max_scan_tuples', %s, "
            "%s), set_config('hnsw.iterative_scan', 'relaxed_order', %s)",
            [str(wanted[0]), inside, str(wanted[1]), inside, inside],
        )
    if inside:
        _in_force.pop(connection.connection, None)
    else:
        _in_force[connection.connection] = wanted


def estimate(rows: QuerySet) -> int:
    """How many rows the planner expects of a query, from its statistics alone."""
    try:
        plan = rows.order_by().explain(format="json")
    except EmptyResultSet:
        return 0
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"])


def refresh_estimates() -> bool:
    """ANALYZE once the table is twice as long as the planner believes; True if it was."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_relation_size(oid) > 2 * relpages::bigint * "
            "current_setting('block_size')::bigint FROM pg_class WHERE oid = %s::regclass",
            [TABLE],
        )
        doubled = cursor.fetchone()[0]
        if doubled:
            cursor.execute(f"ANALYZE {TABLE}")
    return doubled


def _indexes(encoder: Encoder) -> dict[int, tuple[bool, int]]:
    """All indexes of an encoder by the load they cover: whether complete, about how many rows."""
    start = name(encoder).removesuffix("0")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, indisvalid, reltuples FROM pg_index JOIN pg_class ON oid = indexrelid"
            " WHERE indrelid = %s::regclass AND starts_with(relname, %s)",
            [TABLE, start],
        )
        found = cursor.fetchall()
    return {
        int(index.removeprefix(start)): (valid, max(0, int(rows))) for index, valid, rows in found
    }


def _newest_load(encoder: Encoder) -> int:
    rows = Embedding.objects.filter(encoder_id=encoder.pk, load__gt=0)
    return rows.aggregate(newest=Max("load"))["newest"] or 0


def _elsewhere(work: Callable[[CursorWrapper], bool], beat: Callable[[], None]) -> bool:
    """Do work in a thread with a connection of its own: a heartbeat must go on beside it."""
    with ThreadPoolExecutor(1) as worker:
        pid: list[int] = []
        working = worker.submit(_connected, work, pid)
        try:
            while not working.done():
                beat()
                time.sleep(0.2)
        except BaseException:
            _stop(working, pid)
            raise
        return working.result()


def _connected(work: Callable[[CursorWrapper], bool], pid: list[int]) -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid.append(cursor.fetchone()[0])
            return work(cursor)
    finally:
        connections.close_all()


def _build(encoder: Encoder, cursor: CursorWrapper) -> bool:
    _wait_for_other_builders(cursor, name(encoder))
    load = max([_newest_load(encoder), *_valid(encoder)])
    if load in _valid(encoder):
        return False
    _drop(cursor, encoder, [left for left in _indexes(encoder) if left not in _valid(encoder)])
    cursor.execute(f"SET maintenance_work_mem = '{settings.PEDSITE_BUILD_MEMORY_MB}MB'")
    try:
        _create(cursor, encoder, load, workers=_build_workers())
    except OperationalError:
        # Parallel builders share their memory through /dev/shm, which containers keep small.
        if not _build_workers():
            raise
        _drop(cursor, encoder, [load])
        _create(cursor, encoder, load, workers=0)
    # It brings the table's length up to date, which `refresh_estimates` goes by.
    cursor.execute(f"ANALYZE {TABLE}")
    _believed.pop(encoder.pk, None)
    _drop(cursor, encoder, [older for older in _valid(encoder) if older < load])
    return True


def _build_workers() -> int:
    """Processes beside the first that build: half of the cores are left to searches."""
    return max(0, (os.cpu_count() or 1) // 2 - 1)


def _create(cursor: CursorWrapper, encoder: Encoder, load: int, workers: int) -> None:
    cursor.execute(f"SET max_parallel_maintenance_workers = {workers}")
    cursor.execute(
        f"CREATE INDEX CONCURRENTLY {name(encoder, load)} ON {TABLE} "
        f"USING hnsw ((vector::halfvec({int(encoder.dim)})) halfvec_cosine_ops) "
        f"WITH (m = {LINKS}, ef_construction = {BUILD_WIDTH}) "
        f"WHERE encoder_id = {int(encoder.pk)} AND load <= {int(load)}"
    )


def _valid(encoder: Encoder) -> list[int]:
    return [load for load, (is_valid, _rows) in _indexes(encoder).items() if is_valid]


def _drop(cursor: CursorWrapper, encoder: Encoder, loads: list[int]) -> bool:
    for load in loads:
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name(encoder, load)}")
    return bool(loads)


def _wait_for_other_builders(cursor: CursorWrapper, index: str) -> None:
    # Not pg_advisory_lock: the builder at work waits for every open statement, so it and a
    # statement that waits for its lock would wait for each other.
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [index])
        if cursor.fetchone()[0]:
            return
        time.sleep(0.5)


def _stop(working: Future[bool], pid: list[int]) -> None:
    # Again and again: the first time may fall between two statements.
    while not working.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_cancel_backend(unnest(%s::int[]))", [pid])
        time.sleep(0.1)
