"""A paused queue keeps its jobs until it is resumed, whatever workers and watchdog do."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pedsite.accounts import keys
from pedsite.jobs import queues, watch, work
from pedsite.jobs.models import Job, PausedQueue
from tests.pedsite.jobs.test_work import count_to, expire_lease, make_job
from tests.world import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(monkeypatch):
    """Ids of the jobs for which workers were asked."""
    seen: list[int] = []
    monkeypatch.setattr(work, "send", lambda job: seen.append(job.pk))
    return seen


@pytest.fixture
def operator(client):
    user = make_user("oprah", role="operator")
    client.force_login(user)
    return user


def queued() -> Job:
    return work.request("count", task="tests.count", params={})


def test_the_queues_are_those_that_tasks_are_routed_to():
    assert queues.names() == ["default", "enroll", "training"]


def test_a_job_of_a_paused_queue_is_not_begun_and_goes_on_when_resumed(
    sent, django_capture_on_commit_callbacks
):
    job = queued()
    queues.pause("default")
    assert work.execute(job.pk, count_to(1)) is None
    job.refresh_from_db()
    assert job.state == "queued"
    with django_capture_on_commit_callbacks(execute=True):
        assert queues.resume("default") == 1
    assert sent == [job.pk]
    assert work.execute(job.pk, count_to(1)).state == "done"


def test_a_job_at_work_is_given_back_after_the_chunk_at_hand(sent, monkeypatch):
    monkeypatch.setattr(work, "BEAT_EVERY", 0)
    job = queued()

    def step(at):
        at.advance(1)
        queues.pause("default")
        return True

    given_back = work.execute(job.pk, step)
    assert (given_back.state, given_back.done, given_back.lease_key) == ("running", 1, "")
    assert sent == []


def test_other_queues_and_commands_in_the_foreground_go_on(sent, capsys):
    import sys

    queues.pause("enroll")
    assert work.execute(queued().pk, count_to(2)).state == "done"
    queues.pause("default")
    assert work.run_here(make_job(), count_to(2), sys.stderr).state == "done"


def test_the_watchdog_leaves_a_paused_queue_alone(sent):
    lost, orphan = queued(), make_job()
    Job.objects.filter(pk=lost.pk).update(sent_at=timezone.now() - timedelta(hours=1))
    Job.objects.claim(orphan.pk, "dead")
    expire_lease(orphan)
    queues.pause("default")
    assert watch.revive() == []
    queues.resume("default")
    assert orphan.pk in watch.revive()


def test_a_paused_job_may_still_be_cancelled(sent):
    job = queued()
    queues.pause("default")
    assert work.cancel(job).state == "cancelled"


def test_a_second_pause_keeps_who_did_it_and_why(operator):
    queues.pause("enroll", operator, "  the   disk ")
    again = queues.pause("enroll", None, "another")
    assert (again.by, again.reason) == (operator, "the disk")


def test_operators_pause_and_resume_on_the_page(client, operator, sent):
    queued()
    client.post(reverse("jobs:queue-pause"), {"queue": "default", "reason": "<b>disk</b>"})
    text = client.get(reverse("jobs:list")).content.decode()
    assert "The queue default is paused" in text
    assert "&lt;b&gt;disk&lt;/b&gt;" in text
    job = queued()
    assert "is paused" in client.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    client.post(reverse("jobs:queue-pause"), {"queue": "enroll"})
    client.post(reverse("jobs:queue-resume"))
    assert not PausedQueue.objects.exists()
    text = client.post(reverse("jobs:queue-pause"), {"queue": "x"}, follow=True).content.decode()
    assert "There is no queue" in text


def test_others_see_the_banner_and_pause_nothing(client):
    client.force_login(make_user("vera"))
    queues.pause("enroll")
    text = client.get(reverse("jobs:list")).content.decode()
    assert "The queue enroll is paused" in text
    assert "queues/resume" not in text
    for name in ("jobs:queue-pause", "jobs:queue-resume"):
        assert client.post(reverse(name), {"queue": "enroll"}).status_code == 403
    assert PausedQueue.objects.count() == 1


def program(user, scopes=None) -> Client:
    extra = {} if scopes is None else {"scopes": scopes}
    _key, secret = keys.issue(user, "test", **extra)
    return Client(headers={"authorization": f"Bearer {secret}"})


def test_programs_of_operators_pause_and_resume(operator):
    api = program(operator)
    body = {"reason": "night"}
    shown = api.post("/api/v1/queues/enroll/pause", body, content_type="application/json").json()
    paused = {each["name"]: each["reason"] for each in shown if each["paused"]}
    assert paused == {"enroll": "night"}
    assert [each["name"] for each in api.get("/api/v1/queues").json()] == queues.names()
    assert not any(each["paused"] for each in api.post("/api/v1/queues/enroll/resume").json())
    api.post("/api/v1/queues/training/pause")
    api.post("/api/v1/queues/resume")
    assert not PausedQueue.objects.exists()
    unknown = api.post("/api/v1/queues/x/pause")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown-queue")


def test_programs_of_others_and_keys_without_the_scope_do_not(operator):
    for api in (program(make_user("vera")), program(operator, ["search", "write"])):
        for path in ("enroll/pause", "enroll/resume", "resume"):
            assert api.post(f"/api/v1/queues/{path}").status_code == 403, path
    assert program(make_user()).get("/api/v1/queues").status_code == 403


def test_the_admin_pauses_by_adding_and_resumes_by_deleting(admin_client):
    add = reverse("admin:jobs_pausedqueue_add")
    assert admin_client.get(add).status_code == 200
    admin_client.post(add, {"queue": "training", "reason": "night"})
    paused = PausedQueue.objects.get()
    assert (paused.queue, paused.by.username) == ("training", "admin")
    admin_client.post(reverse("admin:jobs_pausedqueue_delete", args=[paused.pk]), {"post": "yes"})
    assert not PausedQueue.objects.exists()
