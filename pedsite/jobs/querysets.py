"""Who may hold a job, and every change of its state: each one conditional UPDATE."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.apps import apps
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from pedsite.webhooks import outbox
from pedsite.webhooks.models import Event

if TYPE_CHECKING:
    from pedsite.jobs.models import Job

# Longer than any chunk with a beat in it; a dead holder is noticed after this.
LEASE = timedelta(seconds=45)


class JobQuerySet(models.QuerySet):
    def claim(self, pk: int, key: str) -> bool:
        """Takes the lease of one job that is nobody's; True if this caller has it now.

        One UPDATE whose condition another caller's success makes false, so a message delivered
        twice, or two workers, do the work once. An expired lease is taken over, and counted as a
        loss.
        """
        now = timezone.now()
        expired = Q(state="running", lease_until__lt=now)
        common = {
            "state": "running",
            "lease_key": key,
            "lease_until": now + LEASE,
            "heartbeat_at": now,
            "attempts": F("attempts") + 1,
        }
        waiting = self.filter(pk=pk).filter(
            Q(state="queued") | Q(state="running", lease_until=None)
        )
        if waiting.filter(started_at=None).update(started_at=now, **common):
            return True
        if waiting.update(**common):
            return True
        return self.filter(expired, pk=pk).update(losses=F("losses") + 1, **common) == 1

    def renew(self, pk: int, key: str, busy_s: float) -> bool:
        """Prolongs a lease that is still this holder's, even if late; adds to the time worked."""
        now = timezone.now()
        held = self.filter(pk=pk, lease_key=key, state="running")
        changed = held.update(
            lease_until=now + LEASE, heartbeat_at=now, busy_s=F("busy_s") + busy_s
        )
        return changed == 1

    def release(self, pk: int, key: str) -> bool:
        """Gives the lease back with the work unfinished; the next turn may be anyone's."""
        held = self.filter(pk=pk, lease_key=key, state="running")
        return held.update(lease_key="", lease_until=None, sent_at=timezone.now()) == 1

    def finish(self, pk: int, key: str, state: str, error: str = "") -> bool:
        """Ends a job in `state` for the holder of its lease."""
        return self.filter(lease_key=key, state="running")._end(pk, state, error)

    def cancel_unheld(self, pk: int) -> bool:
        """Ends a job that nobody is working on as cancelled."""
        now = timezone.now()
        nobody = Q(state="queued") | Q(state="running") & (
            Q(lease_until=None) | Q(lease_until__lt=now)
        )
        return self.filter(nobody)._end(pk, "cancelled", "")

    def orphaned(self) -> Self:
        """Running jobs whose holder stopped renewing its lease."""
        return self.filter(state="running", lease_until__lt=timezone.now())

    def unsent_since(self, moment: datetime) -> Self:
        """Jobs that wait for a turn, whose message was sent before `moment` and may be lost."""
        waiting = Q(state="queued") | Q(state="running", lease_until=None)
        return self.filter(waiting, sent_at__lt=moment)

    def of_queues_at_work(self) -> Self:
        """Without those whose queue is paused."""
        # Not imported: the models read this module.
        paused = apps.get_model("jobs", "PausedQueue").objects.values("queue")
        return self.exclude(queue__in=paused)

    def ahead_of(self, job: "Job") -> Self:
        """Jobs of the same queue that were asked for earlier and have not begun."""
        return self.filter(
            Q(created_at__lt=job.created_at) | Q(created_at=job.created_at, pk__lt=job.pk),
            queue=job.queue,
            state="queued",
        )

    def unfinished(self) -> Self:
        return self.filter(state__in=["queued", "running"])

    def visible_to(self, user) -> Self:
        """All for operators and administrators, their own for anyone else."""
        if user.operates:
            return self
        return self.filter(created_by=user)

    def give_up(self, job: "Job", error: str) -> bool:
        """Ends a job as failed whose holder is gone, unless another took it meanwhile."""
        return self.orphaned().filter(lease_key=job.lease_key)._end(job.pk, "failed", error)

    @transaction.atomic
    def _end(self, pk: int, state: str, error: str) -> bool:
        """Ends one job if it is among these, and tells the webhooks of who may see it."""
        ended = self.filter(pk=pk).update(
            state=state,
            error=error,
            finished_at=timezone.now(),
            lease_key="",
            lease_until=None,
        )
        if ended:
            self._tell(self.model.objects.get(pk=pk))
        return ended == 1

    @staticmethod
    def _tell(job: "Job") -> None:
        told = ("kind", "state", "total", "done", "failed")
        data = {"job": job.pk, **{name: getattr(job, name) for name in told}}
        listening = outbox.listeners(Event.JOB_FINISHED)
        hear = [each for each in listening if job.is_visible_to(each.owner)]
        data["url"] = f"/api/v1/jobs/{job.pk}"
        outbox.announce(Event.JOB_FINISHED, hear, f"job:{job.pk}", data)
