"""What watches the site: liveness, readiness, and the numbers for Prometheus."""

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from pedsite.jobs.models import Job
from search import admission
from search.errors import TooBusy
from tests.world import make_user

pytestmark = pytest.mark.django_db


def numbers(text: str) -> dict[tuple, float]:
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def read(client, settings):
    settings.METRICS_TOKEN = "a-token"
    return lambda: numbers(
        client.get("/metrics", headers={"Authorization": "Bearer a-token"}).content.decode()
    )


def test_a_whole_site_is_ready(client):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "migrations": "ok", "redis": "ok"}
    assert "no-store" in answer["Cache-Control"]


def test_the_part_that_fails_is_named_and_no_more(client, settings, monkeypatch):
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}
    }
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["redis"]) == (503, "fails")
    assert "127.0.0.1" not in answer.content.decode()

    def broken(*args: object) -> None:
        raise DatabaseError("password of the database")

    monkeypatch.setattr(connection, "cursor", broken)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["database"]) == (503, "fails")
    assert "password" not in answer.content.decode()


def test_unapplied_migrations_are_not_ready(client):
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE app = 'search' "
            "AND name = (SELECT max(name) FROM django_migrations WHERE app = 'search')"
        )
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "fails")


def test_jobs_are_counted_by_kind_and_state(read):
    for state in ("done", "done", "failed"):
        Job.objects.create(
            kind="enroll", task="search.enroll", state=state, finished_at=timezone.now()
        )
    found = read()
    assert found["pedsite_jobs", "done", "enroll"] == 2
    assert found["pedsite_jobs", "enroll", "failed"] == 1
    assert found["pedsite_queue", "training"] == 0
    assert ("pedsite_rows", "gallery_box") in found


def test_searches_are_counted_by_how_long_they_take(read, settings):
    before = read()
    with admission.slot():
        assert read()["pedsite_searches_running",] == 1
    after = read()
    assert after["pedsite_searches_running",] == 0
    for name in (("pedsite_search_seconds_count",), ("pedsite_search_seconds_bucket", "+Inf")):
        assert after[name] == before.get(name, 0) + 1
    assert after["pedsite_search_seconds_sum",] > before.get(("pedsite_search_seconds_sum",), 0)
    settings.PEDSITE_SEARCHES, settings.PEDSITE_SEARCHES_WAITING = 1, 0
    with admission.slot(), pytest.raises(TooBusy), admission.slot():
        pass
    refused = ("pedsite_searches_refused_total",)
    assert read()[refused] == before.get(refused, 0) + 1


def test_numbers_are_for_administrators_and_the_token_alone(client, settings):
    assert client.get("/metrics").status_code == 401
    for given in ("Bearer ", "Bearer wrong", "Basic a-token"):
        assert client.get("/metrics", headers={"Authorization": given}).status_code == 401
    settings.METRICS_TOKEN = "a-token"
    for given in ("Bearer ", "Bearer wrong", "Basic a-token", "Bearer ÿ"):
        assert client.get("/metrics", headers={"Authorization": given}).status_code == 401
    client.force_login(make_user())
    assert client.get("/metrics").status_code == 401
    root = make_user()
    root.is_superuser = True
    root.save()
    client.force_login(root)
    assert client.get("/metrics").status_code == 200
