"""A job from request to end: chunks, counters, leases, cancelling, retrying."""

import io
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from pedsite.accounts.models import User
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.errors import JobIsOver, NothingToRetry
from pedsite.jobs.models import Job

pytestmark = pytest.mark.django_db


def make_job(**params) -> Job:
    return work.request("count", task="tests.count", params=params, queue=False)


def count_to(limit: int):
    """A step that does one item a chunk; the rows, not the step, know how far it is."""

    def step(at: work.Work) -> bool:
        at.plan(limit, done=at.job.done)
        if at.job.done < limit:
            at.advance(1)
        return at.job.done < limit

    return step


def expire_lease(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_job_runs_in_chunks_until_nothing_remains():
    job = work.execute(make_job().pk, count_to(3))
    assert (job.state, job.done, job.total, job.percent) == ("done", 3, 3, 100)
    assert job.finished_at >= job.started_at
    assert job.lease_key == ""


def test_a_message_delivered_twice_does_the_work_once():
    job = make_job()
    turns = []

    def step(at):
        turns.append(work.execute(job.pk, count_to(1)))
        at.advance(1)
        return False

    work.execute(job.pk, step)
    assert turns == [None]
    assert work.execute(job.pk, step) is None
    job.refresh_from_db()
    assert (job.done, job.attempts) == (1, 1)


def test_over_the_budget_the_lease_is_given_back_and_the_next_turn_goes_on():
    job = work.execute(make_job().pk, count_to(3), budget_s=0)
    assert (job.state, job.lease_key, job.done) == ("running", "", 0)
    job = work.execute(job.pk, count_to(3))
    assert (job.state, job.done, job.attempts, job.losses) == ("done", 3, 2, 0)


def test_a_domain_error_fails_the_job_with_its_own_words():
    def step(at):
        raise DomainError("The folder is gone.")

    job = work.execute(make_job().pk, step)
    assert (job.state, job.error) == ("failed", "The folder is gone.")


def test_an_unforeseen_exception_fails_the_job_and_is_logged_with_its_traceback(caplog):
    def step(at):
        raise KeyError("colour")

    job = work.execute(make_job().pk, step)
    assert (job.state, job.error) == ("failed", "KeyError: 'colour'")
    assert "Traceback" in caplog.text


def test_what_a_failed_chunk_wrote_is_rolled_back_with_its_count():
    def step(at):
        with transaction.atomic():
            User.objects.create(username="half")
            at.advance(1)
            raise DomainError("no")

    job = work.execute(make_job().pk, step)
    assert job.done == 0
    assert not User.objects.filter(username="half").exists()


def test_failures_are_kept_by_item_with_the_last_reason_and_counted_once():
    def step(at):
        at.advance(1, failures=[("a.jpg", "truncated"), ("b.jpg", "empty")])
        at.advance(failures=[("a.jpg", "not an image"), ("a.jpg", "truncated again")])
        return False

    job = work.execute(make_job().pk, step)
    assert (job.state, job.done, job.failed) == ("done", 1, 2)
    reasons = dict(job.failures.values_list("item", "reason"))
    assert reasons == {"a.jpg": "truncated again", "b.jpg": "empty"}


def test_a_queued_job_is_cancelled_at_once_and_never_runs():
    job = make_job()
    work.cancel(job)
    assert job.state == "cancelled"
    assert work.execute(job.pk, count_to(1)) is None


def test_a_running_job_ends_after_the_chunk_at_hand_and_keeps_what_is_done():
    job = make_job()

    def step(at):
        at.advance(1)
        if at.job.done == 2:
            work.cancel(Job.objects.get(pk=job.pk))
        return True

    job = work.execute(job.pk, step)
    assert (job.state, job.done) == ("cancelled", 2)


def test_a_beat_inside_a_long_chunk_notices_the_cancelling(monkeypatch):
    monkeypatch.setattr(work, "BEAT_EVERY", 0)
    job = make_job()

    def step(at):
        work.cancel(Job.objects.get(pk=job.pk))
        at.beat("on it")
        raise AssertionError("the beat should have ended the chunk")

    assert work.execute(job.pk, step).state == "cancelled"


def test_a_beat_prolongs_the_lease_and_shows_the_note(monkeypatch):
    monkeypatch.setattr(work, "BEAT_EVERY", 0)
    seen = {}

    def step(at):
        expire_lease(at.job)
        at.beat("epoch 3")
        at.job.refresh_from_db()
        seen.update(until=at.job.lease_until, note=at.job.note)
        return False

    work.execute(make_job().pk, step)
    assert seen["note"] == "epoch 3"
    assert seen["until"] > timezone.now() + timedelta(seconds=30)


def test_a_job_that_is_over_cannot_be_cancelled():
    job = work.execute(make_job().pk, count_to(1))
    with pytest.raises(JobIsOver):
        work.cancel(job)


def test_a_holder_that_lost_its_lease_can_write_nothing_more():
    job = make_job()

    def step(at):
        expire_lease(job)
        assert work.execute(job.pk, count_to(2)).state == "done"
        with transaction.atomic():
            User.objects.create(username="late")
            at.advance(5)
        raise AssertionError("the late holder should have been stopped")

    assert work.execute(job.pk, step) is None
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 2)
    assert not User.objects.filter(username="late").exists()


def test_a_holder_that_lost_its_lease_cannot_end_the_job():
    job = make_job()

    def step(at):
        expire_lease(job)
        assert work.execute(job.pk, count_to(2), budget_s=0).state == "running"
        raise DomainError("the late holder's own trouble")

    work.execute(job.pk, step)
    job.refresh_from_db()
    assert (job.state, job.error) == ("running", "")
    assert work.execute(job.pk, count_to(2)).done == 2


def test_retry_asks_for_the_failed_items_only_and_keeps_the_other_parameters():
    def step(at):
        at.advance(1, failures=[("b.jpg", "empty"), ("c.jpg", "empty")])
        return False

    first = work.execute(make_job(dataset="street").pk, step)
    again = work.retry_failed(first)
    assert again.params == {"dataset": "street", "only": ["b.jpg", "c.jpg"]}
    assert (again.kind, again.task, again.retry_of) == (first.kind, first.task, first)


def test_a_retry_that_is_asked_for_twice_is_one_job_until_it_is_over():
    def step(at):
        at.advance(failures=[("b.jpg", "empty")])
        return False

    first = work.execute(make_job().pk, step)
    again = work.retry_failed(first)
    assert work.retry_failed(first) == again
    work.execute(again.pk, step)
    assert work.retry_failed(first) != again


def test_a_job_that_is_not_done_by_halves_is_not_retried():
    def step(at):
        at.advance(failures=[("b.jpg", "empty")])
        at.refuse_retries()
        return False

    job = work.execute(make_job().pk, step)
    assert not job.can_retry
    with pytest.raises(NothingToRetry):
        work.retry_failed(job)


def test_a_job_without_failures_has_nothing_to_retry():
    with pytest.raises(NothingToRetry):
        work.retry_failed(work.execute(make_job().pk, count_to(1)))


def test_rate_and_eta_count_neither_what_was_there_before_nor_the_waiting():
    now = timezone.now()
    job = Job(
        state="running", total=1000, done=600, failed=100, skipped=500, busy_s=20, started_at=now
    )
    assert job.rate == 10
    assert job.eta == 30


def test_the_eta_is_unknown_before_anything_is_measured():
    assert Job(state="running", total=10).eta is None


def test_a_resumed_plan_keeps_what_was_skipped_at_the_first():
    def step(at):
        at.plan(10, done=4)
        at.advance(1)
        at.plan(10, done=5)
        return False

    job = work.execute(make_job().pk, step)
    assert (job.skipped, job.done) == (4, 5)


def test_the_queue_position_counts_only_the_same_queue():
    first, second = make_job(), make_job()
    other = work.request("enroll", task="search.enroll", params={}, queue=False)
    assert [job.queue_position for job in (first, second, other)] == [1, 2, 1]
    assert other.queue == "enroll"
    work.cancel(first)
    assert second.queue_position == 1
    assert first.queue_position is None


def test_a_command_shows_a_bar_and_finishes_the_job():
    stream = io.StringIO()
    job = work.run_here(make_job(), count_to(4), stream)
    assert job.state == "done"


def test_ctrl_c_cancels_a_job_in_the_foreground_and_keeps_what_is_done():
    def step(at):
        at.advance(1)
        if at.job.done == 2:
            raise KeyboardInterrupt
        return True

    job = work.run_here(make_job(), step, io.StringIO())
    assert (job.state, job.done) == ("cancelled", 2)


def test_a_worker_that_is_told_to_stop_gives_its_job_back(monkeypatch):
    monkeypatch.setattr(work, "_stopping", bytearray(1))

    def step(at):
        at.advance(1)
        work.stop_soon()
        return True

    job = work.execute(make_job().pk, step)
    assert (job.state, job.done, job.lease_key) == ("running", 1, "")
