"""Any long work: what it is, how far it is, who holds it, and what went wrong with which item."""

import math
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pedsite.jobs.querysets import JobQuerySet


class Job(models.Model):
    """One piece of long work. This row, never the queue's message, says how it stands.

    Whoever works on it holds a lease: `lease_key` names the holder, `lease_until` ends it if the
    holder dies. A running job without a lease waits for its next turn.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    OVER = (State.DONE, State.FAILED, State.CANCELLED)

    kind = models.CharField(_("kind"), max_length=40)
    # Name of the Celery task to send, and the queue that its route leads to.
    task = models.CharField(_("task"), max_length=120)
    queue = models.CharField(_("queue"), max_length=40, default="default")
    params = models.JSONField(_("parameters"), default=dict)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.QUEUED)
    total = models.PositiveBigIntegerField(_("total"), null=True, blank=True)
    done = models.PositiveBigIntegerField(_("done"), default=0)
    failed = models.PositiveBigIntegerField(_("failed"), default=0)
    # Items that were there before this job began; they do not count towards its rate.
    skipped = models.PositiveBigIntegerField(default=0)
    note = models.CharField(_("note"), max_length=200, blank=True)
    error = models.TextField(_("error"), blank=True)
    result = models.JSONField(_("result"), default=dict, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    retry_of = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="retries"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # When the message was last sent; null for work that a command does in its own process.
    sent_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_key = models.CharField(max_length=32, blank=True)
    cancel_requested = models.BooleanField(default=False)
    # Whether doing the failed items alone again can be of use.
    is_retriable = models.BooleanField(default=True)
    # Turns taken, and how many in a row ended with the death of the holder.
    attempts = models.PositiveIntegerField(default=0)
    losses = models.PositiveSmallIntegerField(default=0)
    # Seconds spent under a lease, so that waiting between turns does not slow the rate.
    busy_s = models.FloatField(default=0)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        indexes = [
            models.Index(
                name="jobs_unfinished",
                fields=["queue", "created_at"],
                condition=Q(state__in=["queued", "running"]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="jobs_over_has_an_end",
                condition=Q(state__in=["queued", "running"], finished_at=None)
                | (Q(state__in=["done", "failed", "cancelled"]) & ~Q(finished_at=None)),
            ),
            models.CheckConstraint(
                name="jobs_lease_has_an_end",
                condition=Q(lease_key="", lease_until=None)
                | (~Q(lease_key="") & ~Q(lease_until=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def title(self) -> str:
        """The kind in words: detect -> Detect. Each app marks its kinds for translation."""
        return gettext(self.kind).replace("_", " ").capitalize()

    @property
    def is_over(self) -> bool:
        return self.state in self.OVER

    def is_visible_to(self, user: Any) -> bool:
        """As `JobQuerySet.visible_to`, of one job that is read already."""
        return bool(user.operates or self.created_by_id == user.pk)

    @property
    def handled(self) -> int:
        """Items that are finished with, well or not."""
        return self.done + self.failed

    @property
    def can_retry(self) -> bool:
        """Whether its failed items may be done again."""
        return self.is_over and self.failed > 0 and self.is_retriable

    @property
    def percent(self) -> int | None:
        """Whole percent of the items that are finished with; None while the total is unknown."""
        if self.total is None:
            return None
        return 100 if self.total == 0 else min(100, 100 * self.handled // self.total)

    @property
    def percent_done(self) -> float:
        """The share of all items that went well, for drawing beside what failed."""
        done = 100 * self.done / self.total if self.total else 0.0
        return min(done, 100 - self.percent_failed)

    @property
    def percent_failed(self) -> float:
        """The share that failed, however small: what failed is to be seen. 0 if nothing did."""
        if not self.failed or not self.total:
            return 0.0
        return min(100.0, max(1.0, 100 * self.failed / self.total))

    @property
    def rate(self) -> float | None:
        """Items a second while someone worked on it; None until there is something to measure."""
        handled = self.handled - self.skipped
        if handled <= 0 or self.busy_s < 0.5:
            return None
        return handled / self.busy_s

    @property
    def eta(self) -> float | None:
        """Seconds that the rest takes at the rate so far; None if over or unknown."""
        if self.is_over or self.total is None or self.rate is None:
            return None
        return max(0, self.total - self.handled) / self.rate

    @property
    def eta_duration(self) -> timedelta | None:
        """`eta` rounded up to whole seconds, for pages."""
        return None if self.eta is None else timedelta(seconds=math.ceil(self.eta))

    @property
    def duration(self) -> timedelta | None:
        """From the first turn until the end, or now; whole seconds."""
        if self.started_at is None:
            return None
        taken = (self.finished_at or timezone.now()) - self.started_at
        return timedelta(seconds=int(taken.total_seconds()))

    @property
    def queue_position(self) -> int | None:
        """1 for the next of its queue; None unless queued."""
        if self.state != self.State.QUEUED:
            return None
        return Job.objects.ahead_of(self).count() + 1


class JobFailure(models.Model):
    """One item that a job could not do, and why."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="failures")
    item = models.CharField(_("item"), max_length=500)
    reason = models.TextField(_("reason"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("job failure")
        verbose_name_plural = _("job failures")
        constraints = [
            models.UniqueConstraint(name="jobs_failure_once_an_item", fields=["job", "item"]),
        ]

    def __str__(self) -> str:
        return f"{self.item}: {self.reason}"


class PausedQueue(models.Model):
    """A queue of which no job is begun, nor gone on with, while this row is there."""

    queue = models.CharField(_("queue"), max_length=40, unique=True)
    since = models.DateTimeField(_("paused since"), auto_now_add=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("paused by"),
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        ordering = ["queue"]
        verbose_name = _("paused queue")
        verbose_name_plural = _("paused queues")

    def __str__(self) -> str:
        return self.queue
