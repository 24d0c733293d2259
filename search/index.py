"""The vector index: one partial HNSW index an encoder, and the settings under which it is walked.

Exact search is faster and complete while few rows are left by the filters; beyond `threshold`
rows the index pays. pgvector's defaults return too few rows without a word (`LIMIT 100` gives 40),
so `prepare` goes before every query through the index.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection, connections
from django.db.backends.utils import CursorWrapper

from search.models import Embedding
from training.models import Encoder

TABLE = Embedding._meta.db_table
# 16 and 64, the defaults, stop at a recall of .98 for text queries whatever is spent on search.
LINKS = 32
BUILD_WIDTH = 128
LEAST_EF = 200
MOST_EF = 1000
# Candidates fetched for each hit wanted, then ranked by their exact distance.
OVERFETCH = 4

# What was SET on which connection: a SET costs a round trip, and most queries want the same.
_in_force: WeakKeyDictionary[object, dict[str, str]] = WeakKeyDictionary()


def threshold() -> int:
    """Rows up to which every search is exact."""
    return settings.PEDSITE_EXACT_ROWS


def name(encoder: Encoder) -> str:
    return f"search_embedding_hnsw_{encoder.pk}"


def exists(encoder: Encoder) -> bool:
    """Whether the encoder's index is complete. One that a killed build left behind is not."""
    return _is_valid(name(encoder)) is True


def ensure(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> bool:
    """Build the encoder's index if it has more rows than `threshold` and none; True if built.

    Must not be called inside a transaction: the index is built CONCURRENTLY, so that searches
    and enrollments go on. That takes minutes; `beat` is called about every second meanwhile,
    and an exception of it stops the build.
    """
    if exists(encoder) or not _is_worth_it(encoder):
        return False
    with ThreadPoolExecutor(1) as builder:
        # In a thread with a connection of its own: a heartbeat must go on during the statement.
        pid: list[int] = []
        building = builder.submit(_build, encoder, pid)
        try:
            while not building.done():
                beat()
                time.sleep(0.2)
        except BaseException:
            _stop(building, pid)
            raise
        return building.result()


def prepare(limit: int) -> None:
    """Put the settings in force under which the index gives `limit` rows wherever they exist.

    They stay on the connection, and are set again only where its values differ.
    """
    ef = min(max(LEAST_EF, limit), MOST_EF)
    wanted = {"hnsw.ef_search": str(ef), "hnsw.iterative_scan": "relaxed_order"}
    connection.ensure_connection()
    # A rollback takes a SET back, so what is set inside a transaction is not remembered.
    inside = connection.in_atomic_block
    known = {} if inside else _in_force.setdefault(connection.connection, {})
    for setting, value in wanted.items():
        if known.get(setting) != value:
            with connection.cursor() as cursor:
                cursor.execute(f"SET {'LOCAL' if inside else 'SESSION'} {setting} = {value}")
            known[setting] = value


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


def _is_valid(index: str) -> bool | None:
    """None: there is no such index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [index]
        )
        row = cursor.fetchone()
    return row and row[0]


def _is_worth_it(encoder: Encoder) -> bool:
    rows = Embedding.objects.filter(encoder_id=encoder.pk).order_by()
    return rows[: threshold() + 1].count() > threshold()


def _build(encoder: Encoder, pid: list[int]) -> bool:
    index, dim, number = name(encoder), int(encoder.dim), int(encoder.pk)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid.append(cursor.fetchone()[0])
            _wait_for_other_builders(cursor, index)
            valid = _is_valid(index)
            if valid:
                return False
            if valid is not None:
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
            cursor.execute(
                f"CREATE INDEX CONCURRENTLY {index} ON {TABLE} "
                f"USING hnsw ((vector::halfvec({dim})) halfvec_cosine_ops) "
                f"WITH (m = {LINKS}, ef_construction = {BUILD_WIDTH}) "
                f"WHERE encoder_id = {number}"
            )
            # It brings the table's length up to date, which `refresh_estimates` goes by.
            cursor.execute(f"ANALYZE {TABLE}")
            return True
    finally:
        connections.close_all()


def _wait_for_other_builders(cursor: CursorWrapper, index: str) -> None:
    # Not pg_advisory_lock: the builder at work waits for every open statement, so it and a
    # statement that waits for its lock would wait for each other.
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [index])
        if cursor.fetchone()[0]:
            return
        time.sleep(0.5)


def _stop(building: Future[bool], pid: list[int]) -> None:
    # Again and again: the first time may fall between two statements.
    while not building.done():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_cancel_backend(unnest(%s::int[]))", [pid])
        time.sleep(0.1)
