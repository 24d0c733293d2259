"""What is wrong with a deployment, found by trying it: `manage.py doctor`."""

import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import redis
from celery import current_app
from django.conf import settings
from django.core.checks import run_checks
from django.core.checks.messages import ERROR
from django.core.exceptions import ObjectDoesNotExist
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.db.utils import DatabaseError

from pedsite.api import DomainError
from search import compact, coverage, engines, index, tuning
from search.engines import collections, mirror
from search.models import Mirror, Mode, ServingVersion
from training import versions
from training.models import ModelVersion

WORKERS_S = 2.0


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was tried, how it went, and what to do if it went badly."""

    what: str
    state: State
    detail: str


def examine(named: Iterable[ModelVersion] = ()) -> Iterator[Finding]:
    """Everything that searches depend on, one finding at a time.

    Args:
        named: versions to test beside those that serve.
    """
    yield from _checks()
    try:
        yield _migrations()
        yield _postgres()
    except DatabaseError as exc:
        yield Finding(what="PostgreSQL", state=State.ERROR, detail=str(exc).strip())
        return
    yield _media()
    yield _queue()
    yield _workers()
    yield from _engine()
    rows = ServingVersion.objects.in_force().values("version")
    wanted = Q(pk__in=rows) | Q(pk__in=[version.pk for version in named])
    found = list(ModelVersion.objects.with_towers().filter(wanted))
    if not found:
        yield Finding(
            what="models", state=State.WARNING, detail="No version answers: enroll a dataset."
        )
    for version in found:
        yield from _towers(version)
        yield _coverage(version)
        yield _index(version)


def _checks() -> Iterator[Finding]:
    messages = run_checks(databases=["default"])
    for message in messages:
        state = State.ERROR if message.level >= ERROR else State.WARNING
        detail = " ".join(filter(None, [message.msg, message.hint]))
        yield Finding(what=message.id or "check", state=state, detail=detail)
    if not messages:
        yield Finding(what="settings", state=State.OK, detail="every system check passes")


def _migrations() -> Finding:
    executor = MigrationExecutor(connection)
    left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if left:
        names = ", ".join(f"{migration.app_label}.{migration.name}" for migration, _back in left)
        return Finding(what="migrations", state=State.ERROR, detail=f"Run migrate: {names}")
    return Finding(what="migrations", state=State.OK, detail="all applied")


def _postgres() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), extversion, current_setting("
            "'shared_buffers') FROM pg_extension WHERE extname = 'vector'"
        )
        row = cursor.fetchone()
        cursor.execute("SELECT pg_size_pretty(pg_total_relation_size(%s::regclass))", [index.TABLE])
        size = cursor.fetchone()[0]
    if row is None:
        return Finding(what="PostgreSQL", state=State.ERROR, detail="pgvector is not installed.")
    server, vector, buffers = row
    detail = f"{server}, pgvector {vector}; vectors with their indexes {size}, buffers {buffers}"
    return Finding(what="PostgreSQL", state=State.OK, detail=detail)


def _media() -> Finding:
    """A small file there and back, wherever pictures and models are kept."""
    bucket = getattr(default_storage, "bucket_name", "")
    place = f"bucket {bucket}" if bucket else str(settings.MEDIA_ROOT)
    written, began = secrets.token_bytes(64), time.perf_counter()
    try:
        name = default_storage.save("doctor/probe", ContentFile(written))
        try:
            with default_storage.open(name, "rb") as stored:
                read = stored.read()
        finally:
            default_storage.delete(name)
    # Each storage has errors of its own.
    except Exception as exc:
        named = "S3_BUCKET and its credentials" if bucket else "MEDIA_ROOT"
        detail = f"{place} cannot be written and read: {exc}. Check {named}."
        return Finding(what="media", state=State.ERROR, detail=detail)
    if read != written:
        detail = f"{place} does not give back what is written to it."
        return Finding(what="media", state=State.ERROR, detail=detail)
    taken = (time.perf_counter() - began) * 1e3
    return Finding(what="media", state=State.OK, detail=f"{place} keeps files ({taken:.0f} ms)")


def _queue() -> Finding:
    began = time.perf_counter()
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
            client.ping()
    except redis.RedisError as exc:
        return Finding(what="Redis", state=State.ERROR, detail=f"{exc}. Check REDIS_URL.")
    taken = (time.perf_counter() - began) * 1e3
    return Finding(what="Redis", state=State.OK, detail=f"answers in {taken:.1f} ms")


def _workers() -> Finding:
    try:
        answers = current_app.control.ping(timeout=WORKERS_S)
    except OSError as exc:
        return Finding(what="workers", state=State.ERROR, detail=str(exc))
    if not answers:
        detail = "None answers: queued jobs wait until `manage.py worker` runs."
        return Finding(what="workers", state=State.WARNING, detail=detail)
    return Finding(what="workers", state=State.OK, detail=f"{len(answers)} answer")


def _engine() -> Iterator[Finding]:
    what = f"engine {settings.PEDSITE_ENGINE}"
    if not settings.MILVUS_URI:
        yield Finding(what=what, state=State.OK, detail="vectors are searched in PostgreSQL")
        return
    try:
        server = collections.server()
        yield Finding(what=what, state=State.OK, detail=f"Milvus {server} answers")
        for kept in Mirror.objects.order_by("pk"):
            waiting = mirror.waiting(kept.pk)
            rows = collections.count(kept.collection) if kept.is_filled else 0
            detail = f"{rows:,} vectors of encoder {kept.pk}, {waiting:,} changes wait"
            state = State.OK if kept.is_filled and waiting < mirror.CHUNK else State.WARNING
            if not kept.is_filled:
                detail = f"encoder {kept.pk} is not filled: run mirror_vectors."
            yield Finding(what="Milvus", state=state, detail=detail)
    except DomainError as exc:
        yield Finding(what=what, state=State.ERROR, detail=str(exc))


def _towers(version: ModelVersion) -> Iterator[Finding]:
    try:
        for one in versions.self_test(version):
            detail = (
                f"{one.inputs} golden {one.what} as exported (largest distance {one.worst:.1e}), "
                f"told apart (mean cosine {one.alike:.2f})"
            )
            yield Finding(what=f"{version} self-test", state=State.OK, detail=detail)
    except (DomainError, ObjectDoesNotExist) as exc:
        yield Finding(what=f"{version} self-test", state=State.ERROR, detail=str(exc))


def _coverage(version: ModelVersion) -> Finding:
    found = coverage.everywhere(version)
    boxes, enrolled = sum(one.boxes for one in found), sum(one.enrolled for one in found)
    short = [one.dataset.name for one in found if one.enrolled < one.boxes]
    detail = f"{enrolled:,} of {boxes:,} boxes have a vector"
    if not short:
        return Finding(what=f"{version} coverage", state=State.OK, detail=detail)
    detail += f"; enroll {', '.join(short)}"
    return Finding(what=f"{version} coverage", state=State.WARNING, detail=detail)


def _index(version: ModelVersion) -> Finding:
    encoder, what = version.image_encoder, f"{version} index"
    built, measured = engines.current().look(encoder), tuning.newest(encoder)
    codes = compact.newest(encoder)
    if built is None and codes is not None and codes.replaces_index:
        detail = f"compact codes of {codes.rows:,} vectors stand in for it"
        return Finding(what=what, state=State.OK, detail=detail)
    if built is None or not index.is_worth_it(encoder):
        if index.is_worth_it(encoder):
            detail = "It is missing, and every search compares all vectors: run tune_index."
            return Finding(what=what, state=State.WARNING, detail=detail)
        return Finding(what=what, state=State.OK, detail="none needed: every search is exact")
    detail = f"covers about {built.rows:,} vectors"
    if measured is None or built.rows >= 2 * measured.rows:
        detail += "; how wide to walk it was not measured since it doubled: run tune_index."
        return Finding(what=what, state=State.WARNING, detail=detail)
    detail += (
        f"; fast finds {measured.recall(Mode.FAST):.3f} of the nearest 20 in "
        f"{measured.ms(Mode.FAST):.1f} ms, thorough {measured.recall(Mode.THOROUGH):.3f} in "
        f"{measured.ms(Mode.THOROUGH):.1f} ms"
    )
    state = State.OK if measured.recall(Mode.FAST) >= tuning.PROMISES[Mode.FAST] else State.WARNING
    return Finding(what=what, state=state, detail=detail)
