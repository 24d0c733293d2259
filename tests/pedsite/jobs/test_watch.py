"""What becomes of jobs whose worker or message is lost."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone

from pedsite.accounts.models import User
from pedsite.jobs import watch, work
from pedsite.jobs.models import Job
from tests.pedsite.jobs.counting import make_users
from tests.pedsite.jobs.test_work import count_to, expire_lease, make_job


def sent(queue: str = "default") -> int:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return client.llen(queue)


@pytest.mark.django_db(transaction=True)
def test_a_job_is_sent_when_its_transaction_commits():
    before = sent()
    work.request("count", task="tests.count", params={})
    assert sent() == before + 1


def test_the_watchdog_sends_a_job_again_whose_holder_is_gone(db):
    job = make_job()
    Job.objects.claim(job.pk, "dead")
    assert watch.revive() == []
    expire_lease(job)
    before = sent()
    assert watch.revive() == [job.pk]
    assert sent() == before + 1
    assert work.execute(job.pk, count_to(1)).state == "done"


def test_the_watchdog_sends_a_queued_job_again_whose_message_was_lost(db):
    job = work.request("count", task="tests.count", params={})
    assert watch.revive() == []
    Job.objects.filter(pk=job.pk).update(sent_at=timezone.now() - timedelta(minutes=10))
    assert watch.revive() == [job.pk]
    assert watch.revive() == []


def test_a_job_that_a_command_does_itself_is_never_sent(db):
    make_job()
    assert watch.revive() == []


def test_a_job_that_keeps_killing_its_worker_is_given_up_with_a_reason(db):
    job = make_job()
    for turn in range(watch.MOST_LOSSES + 1):
        assert Job.objects.claim(job.pk, f"dead{turn}")
        expire_lease(job)
    assert watch.revive() == []
    job.refresh_from_db()
    assert job.state == "failed"
    assert "died 6 times" in job.error


def test_a_cancelled_job_whose_holder_died_is_ended(db):
    job = make_job()
    Job.objects.claim(job.pk, "dead")
    work.cancel(job)
    assert job.state == "running"
    expire_lease(job)
    assert watch.revive() == []
    job.refresh_from_db()
    assert job.state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_a_killed_holder_neither_loses_nor_doubles_an_item():
    job = make_job(total=12)
    holder = hold(job)
    wait_for(lambda: Job.objects.get(pk=job.pk).done >= 3, holder)
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()

    assert work.execute(job.pk, make_users) is None, "the lease outlives its holder"
    expire_lease(job)
    assert watch.revive() == [job.pk]
    job = work.execute(job.pk, make_users)

    assert (job.state, job.done, job.attempts) == ("done", 12, 2)
    names = set(User.objects.values_list("username", flat=True))
    assert names == {f"item{n}" for n in range(12)}


def hold(job: Job) -> subprocess.Popen:
    """Another process that works slowly on the job, in this test's database."""
    code = (
        "import sys, django; django.setup()\n"
        "from pedsite.jobs import work\n"
        "from tests.pedsite.jobs.counting import make_users\n"
        "work.execute(int(sys.argv[1]), make_users)\n"
    )
    name = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"].replace("/pedsite?", f"/{name}?")
    environment = os.environ | {"DATABASE_URL": url, "PAUSE_S": "0.05"}
    command = [sys.executable, "-c", code, str(job.pk)]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)


def wait_for(done, holder: subprocess.Popen) -> None:
    until = time.monotonic() + 60
    while not done():
        assert holder.poll() is None, "the holder ended by itself"
        assert time.monotonic() < until
        time.sleep(0.02)
