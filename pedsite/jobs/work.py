"""Ask for long work, do it in short chunks under a lease, show how far it is.

A domain writes a step, `step(work) -> bool`, that does one short chunk (below about ten seconds)
and says whether more remains. The state of the work is in the database, never in the step, so a
chunk that ran twice neither loses nor doubles; `advance` inside the chunk's own transaction keeps
the counters exact as well.
"""

import logging
import mmap
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TextIO

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from tqdm import tqdm

from pedsite.api import DomainError
from pedsite.audit.journal import Action, Via, origin, record
from pedsite.jobs.errors import JobIsOver, NothingToRetry
from pedsite.jobs.models import Job, JobFailure, PausedQueue

logger = logging.getLogger(__name__)

# A beat writes to the database at most this often (seconds).
BEAT_EVERY = 2.0
NOTE_LENGTH = 200
ITEM_LENGTH = 500
REASON_LENGTH = 2000

# One byte shared with the children of a worker that forks: set when it is told to stop, so that
# they give their jobs back after the chunk at hand instead of being killed in a later one.
_stopping = mmap.mmap(-1, 1)

Step = Callable[["Work"], bool]


class Cancelled(Exception):
    """Someone asked for the job to end; leave the step, what it committed stays."""


class LeaseLost(Exception):
    """Another process took the job over; whatever this one still has to write is not wanted."""


class Work:
    """A job as its step sees it: parameters in, progress out. Only the lease holder can write."""

    def __init__(self, job: Job, key: str, watch: Callable[[Job], None] | None = None) -> None:
        self.job = job
        self._key = key
        self._watch = watch or (lambda job: None)
        self._foreground = watch is not None
        self._paused, self._looked = False, -BEAT_EVERY
        self._beaten = self._counted = time.monotonic()

    @property
    def params(self) -> dict[str, Any]:
        return self.job.params

    def plan(
        self, total: int | None, done: int = 0, note: str = "", *, afresh: bool = False
    ) -> None:
        """Says how many items there are and how many of them are done already.

        May be called again with recounted numbers when the work is resumed. With `afresh` the
        rate counts from now: what came before was preparation.

        Raises:
            LeaseLost: another process holds the job.
        """
        first = self.job.total is None
        changes: dict[str, Any] = {"total": total, "done": done}
        changes |= {"skipped": done} if first or afresh else {}
        changes |= {"busy_s": 0} if afresh else {}
        self._write(**changes, **self._note(note or None))

    def advance(
        self, done: int = 0, failures: Sequence[tuple[str, str]] = (), note: str | None = None
    ) -> None:
        """Counts items that are done, and stores those that failed as (item, reason).

        An item that fails again replaces its reason and counts once.

        Raises:
            LeaseLost: another process holds the job; raised before anything is stored, so that
                the transaction of the chunk rolls back.
        """
        self._write(done=F("done") + done, losses=0, **self._note(note))
        if failures:
            self._store(failures)
        self._watch(self.job)

    def beat(self, note: str | None = None) -> None:
        """A sign of life from inside a long chunk; cheap, so call it often.

        Raises:
            Cancelled: someone asked for the job to end.
            LeaseLost: another process holds the job.
        """
        if time.monotonic() - self._beaten < BEAT_EVERY:
            return
        self._renew()
        if note is not None:
            self._write(**self._note(note))
        self._watch(self.job)
        if self.job.cancel_requested:
            raise Cancelled

    def keep(self, **result: Any) -> None:
        """Adds to what the job leaves behind (`Job.result`, JSON values).

        Raises:
            LeaseLost: another process holds the job.
        """
        self._write(result={**self.job.result, **result})

    def refuse_retries(self) -> None:
        """Says that doing the failed items alone again would be of no use.

        Raises:
            LeaseLost: another process holds the job.
        """
        self._write(is_retriable=False)

    def is_called_back(self) -> bool:
        """Whether the worker is to stop, or the queue was paused; asked between parts.

        A command in the foreground is no queue's. Looks into the database at most every
        `BEAT_EVERY` seconds.
        """
        if _stopping[0] or self._foreground:
            return bool(_stopping[0])
        if time.monotonic() - self._looked >= BEAT_EVERY:
            self._looked = time.monotonic()
            self._paused = is_paused(self.job.queue)
        return self._paused

    def _renew(self) -> None:
        now = time.monotonic()
        if not Job.objects.renew(self.job.pk, self._key, now - self._counted):
            raise LeaseLost(str(self.job))
        self._beaten = self._counted = now
        self.job.refresh_from_db()

    def _write(self, **changes: Any) -> None:
        held = Job.objects.filter(pk=self.job.pk, lease_key=self._key, state=Job.State.RUNNING)
        if not held.update(**changes):
            raise LeaseLost(str(self.job))
        self.job.refresh_from_db()

    @staticmethod
    def _note(note: str | None) -> dict[str, str]:
        return {} if note is None else {"note": note[:NOTE_LENGTH]}

    def _store(self, failures: Sequence[tuple[str, str]]) -> None:
        # The last reason of an item wins; one INSERT cannot name a row twice.
        reasons = {item[:ITEM_LENGTH]: reason[:REASON_LENGTH] for item, reason in failures}
        JobFailure.objects.bulk_create(
            [JobFailure(job=self.job, item=i, reason=r) for i, r in reasons.items()],
            update_conflicts=True,
            unique_fields=["job", "item"],
            update_fields=["reason"],
        )
        self._write(failed=self.job.failures.count())


@transaction.atomic
def request(
    kind: str,
    *,
    task: str,
    params: dict[str, Any],
    user=None,
    total: int | None = None,
    queue: bool = True,
    retry_of: Job | None = None,
) -> Job:
    """Stores a job and, with `queue`, sends its Celery task once the transaction commits.

    Args:
        kind: what it is, a slug that pages and the API show.
        task: name of the Celery task; it is called with the job's id.
        params: JSON values that the step reads from `work.params`.
        queue: False for a command that goes on with `run_here`.
    """
    route = current_app.amqp.router.route({}, task)
    job = Job.objects.create(
        kind=kind,
        task=task,
        queue=route["queue"].name,
        params=params,
        created_by=user,
        total=total,
        retry_of=retry_of,
        sent_at=timezone.now() if queue else None,
    )
    dataset = str(params.get("dataset_name") or "")
    record(Action.JOB, user=user, about=f"job {job.pk}", kind=kind, dataset=dataset)
    if queue:
        transaction.on_commit(lambda: send(job))
    return job


def send(job: Job) -> None:
    """Puts the job's task on its queue. Harmless when it is there already: `claim` decides."""
    current_app.send_task(job.task, args=[job.pk], queue=job.queue)


def execute(job_id: int, step: Step, *, budget_s: float | None = 60) -> Job | None:
    """Works on a job until it is over or the budget is spent; what a Celery task calls.

    Over the budget the lease is given back and the task sent again, so that one long job does
    not keep a worker from the others. A queue that is paused meanwhile gets it back after the
    chunk at hand, and no task is sent until it is resumed.

    Returns: the job as it stands; None if it is over, another process holds it, or its queue is
    paused.
    """
    key = uuid.uuid4().hex
    queue = Job.objects.filter(pk=job_id).values_list("queue", flat=True).first()
    if is_paused(queue or "") or not Job.objects.claim(job_id, key):
        return None
    work = Work(Job.objects.get(pk=job_id), key)
    try:
        with origin(Via.WORKER):
            over = _chunks(work, key, step, budget_s)
        if not over and Job.objects.release(job_id, key) and not is_paused(work.job.queue):
            send(work.job)
    except LeaseLost:
        logger.warning("%s was taken over by another process", work.job)
        return None
    work.job.refresh_from_db()
    return work.job


def run_here(job: Job, step: Step, stream: TextIO) -> Job:
    """Works on a job in this process until it is over, with a progress bar on `stream`.

    Ctrl-C ends the chunk at hand and cancels the job; what was committed stays, and the same
    command goes on from there. A job that another process holds is only watched.
    """
    key = uuid.uuid4().hex
    if not Job.objects.claim(job.pk, key):
        job.refresh_from_db()
        return job
    job.refresh_from_db()
    with _bar(job, stream) as watch:
        work = Work(job, key, watch)
        try:
            _chunks(work, key, step, None)
        except KeyboardInterrupt:
            Job.objects.finish(job.pk, key, Job.State.CANCELLED)
        except SystemExit:
            Job.objects.finish(job.pk, key, Job.State.CANCELLED)
            raise
        except LeaseLost:
            logger.warning("%s was taken over by another process", job)
    job.refresh_from_db()
    return job


def follow(job: Job, stream: TextIO, check: Callable[[], None] | None = None) -> Job:
    """Shows the progress of a job that a worker does, until it is over.

    Args:
        check: called a few times a second; whatever it raises ends the watching.
    """
    with _bar(job, stream) as watch:
        while not job.is_over:
            time.sleep(0.25)
            job.refresh_from_db()
            watch(job)
            if check:
                check()
    return job


def beside(call: Callable[[], Any], beat: Callable[[], None]) -> Any:
    """Makes a call that takes longer than a lease, in a thread, and beats meanwhile.

    Raises: what the call raises; and what `beat` does, once the call is over.
    """
    with ThreadPoolExecutor(1) as worker:
        working = worker.submit(call)
        while not working.done():
            beat()
            time.sleep(0.05)
        return working.result()


def cancel(job: Job) -> Job:
    """Ends a job: at once if nobody works on it, else after the chunk at hand.

    Raises:
        JobIsOver: there is nothing to end.
    """
    if not Job.objects.unfinished().filter(pk=job.pk).update(cancel_requested=True):
        job.refresh_from_db()
        raise JobIsOver(job)
    Job.objects.cancel_unheld(job.pk)
    job.refresh_from_db()
    return job


@transaction.atomic
def retry_failed(job: Job, user=None) -> Job:
    """A new job with the same parameters and `only`, the items of `job` that failed.

    While such a job is queued or runs, that one: a button pressed twice asks once.

    Raises:
        NothingToRetry: no item failed, or its kind of work is not done by halves.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    items = list(job.failures.values_list("item", flat=True))
    if not items or not job.is_retriable:
        raise NothingToRetry(job)
    if waiting := Job.objects.unfinished().filter(retry_of=job).first():
        return waiting
    params = {**job.params, "only": items}
    return request(job.kind, task=job.task, params=params, user=user, retry_of=job)


def stop_soon() -> None:
    """Tells this process and its children to give jobs back after the chunk at hand."""
    _stopping[0] = 1


def is_paused(queue: str) -> bool:
    """Whether jobs of a queue are to stay where they are."""
    return PausedQueue.objects.filter(queue=queue).exists()


def is_stopping() -> bool:
    """Whether jobs are to be given back; a step that takes minutes asks between its parts."""
    return bool(_stopping[0])


def _chunks(work: Work, key: str, step: Step, budget_s: float | None) -> bool:
    """Runs chunks until the job is over, and says how it ended.

    Returns: False if the budget is spent, or the job is called back, and chunks remain.
    """
    began = time.monotonic()
    try:
        more = True
        while more:
            work._renew()
            if work.job.cancel_requested:
                raise Cancelled
            spent = budget_s is not None and time.monotonic() - began > budget_s
            if spent or work.is_called_back():
                return False
            more = step(work)
        work._renew()
        Job.objects.finish(work.job.pk, key, Job.State.DONE)
    except Cancelled:
        Job.objects.finish(work.job.pk, key, Job.State.CANCELLED)
    except LeaseLost:
        raise
    except DomainError as exc:
        Job.objects.finish(work.job.pk, key, Job.State.FAILED, str(exc))
    except Exception as exc:
        logger.exception("%s failed", work.job)
        text = f"{type(exc).__name__}: {exc}"
        Job.objects.finish(work.job.pk, key, Job.State.FAILED, text)
    return True


@contextmanager
def _bar(job: Job, stream: TextIO):
    """A tqdm bar that follows the job; yields what to call with it after each change."""
    bar = tqdm(
        total=job.total, initial=job.handled, desc=job.kind, file=stream, unit="", disable=None
    )

    def watch(now: Job) -> None:
        bar.total = now.total
        bar.set_postfix_str(now.note, refresh=False)
        bar.n = now.handled
        bar.refresh()

    with bar:
        yield watch
        watch(job)
