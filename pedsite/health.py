"""What watches the site asks it: whether it lives, whether it can serve, and its numbers."""

import hmac
from collections.abc import Iterator

import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count
from django.db.utils import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from pedsite.jobs import queues
from pedsite.jobs.models import Job, PausedQueue
from pedsite.webhooks.models import Webhook
from search import admission

TABLES = ("gallery_image", "gallery_box", "search_embedding")
# The format of Prometheus' text exposition.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """That the process answers; says nothing of what it depends on."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """200 where searches can be served, else 503; which part fails, and no more, is told to all."""
    parts = {"database": _database(), "migrations": False, "redis": _redis()}
    if parts["database"]:
        executor = MigrationExecutor(connection)
        parts["migrations"] = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    told = {name: "ok" if well else "fails" for name, well in parts.items()}
    return JsonResponse(told, status=200 if all(parts.values()) else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, by `METRICS_TOKEN` as a bearer; or for an administrator who is logged in."""
    if not _may_measure(request):
        answer = HttpResponse("Send METRICS_TOKEN as a bearer.\n", status=401)
        answer["WWW-Authenticate"] = "Bearer"
        return answer
    registry = CollectorRegistry()
    registry.register(_Site())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE)


class _Site(Collector):
    """Read from what all processes share, so that any of them answers for the whole site."""

    def collect(self) -> Iterator[Metric]:
        yield from _of_jobs()
        yield from _of_searches()
        rows = GaugeMetricFamily(
            "pedsite_rows", "Rows of the large tables, as the planner estimates", labels=["table"]
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, greatest(0, reltuples) FROM pg_class "
                "WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace",
                [list(TABLES)],
            )
            for table, count in cursor.fetchall():
                rows.add_metric([table], count)
        yield rows


def _of_jobs() -> Iterator[Metric]:
    jobs = GaugeMetricFamily("pedsite_jobs", "Jobs by kind and state", labels=["kind", "state"])
    for row in Job.objects.values("kind", "state").annotate(count=Count("pk")).order_by():
        jobs.add_metric([row["kind"], row["state"]], row["count"])
    yield jobs
    waiting = GaugeMetricFamily("pedsite_queue", "Messages that no worker took", labels=["queue"])
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
        for queue in queues.names():
            waiting.add_metric([queue], client.llen(queue))
    yield waiting
    paused = GaugeMetricFamily("pedsite_queue_paused", "1 while paused", labels=["queue"])
    held = set(PausedQueue.objects.values_list("queue", flat=True))
    for queue in queues.names():
        paused.add_metric([queue], queue in held)
    yield paused
    off = Webhook.objects.exclude(off_at=None).count()
    yield GaugeMetricFamily("pedsite_webhooks_off", "Webhooks turned off as dead", value=off)


def _of_searches() -> Iterator[Metric]:
    running, waiting = admission.at_work()
    yield GaugeMetricFamily("pedsite_searches_running", "Searches at work now", value=running)
    yield GaugeMetricFamily("pedsite_searches_waiting", "Searches that wait", value=waiting)
    tally, buckets, sofar = admission.tally(), [], 0
    for bound in (*map(str, admission.BOUNDS_S), "+Inf"):
        sofar += tally.get(bound, 0)
        buckets.append((bound, sofar))
    seconds = HistogramMetricFamily("pedsite_search_seconds", "Of searches, waiting included")
    seconds.add_metric([], buckets, sum_value=tally.get("microseconds", 0) / 1e6)
    yield seconds
    yield CounterMetricFamily(
        "pedsite_searches_refused", "Searches sent away as too many", value=tally.get("refused", 0)
    )


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis() -> bool:
    try:
        cache.get("ready")
    except redis.RedisError:
        return False
    return True


def _may_measure(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    if kind.lower() == "bearer" and wanted:
        return hmac.compare_digest(token.strip().encode(), wanted.encode())
    return request.user.is_active and request.user.is_superuser
