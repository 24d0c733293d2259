"""Addresses that are told when something happened, and each message to them."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Event(models.TextChoices):
    JOB_FINISHED = "job.finished", _("A job is over")
    SEARCH_MATCHED = "search.matched", _("A saved search has new matches")
    PING = "ping", _("Test message")


# What a webhook may ask for; a test message goes to any.
ASKED = [Event.JOB_FINISHED, Event.SEARCH_MATCHED]


class Webhook(models.Model):
    """An address of a user's program. What it hears of is what its owner may see."""

    # For so long after a change messages are signed with the former secret as well.
    OVERLAP = timedelta(days=1)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="webhooks")
    url = models.CharField(_("address"), max_length=500)
    events = models.JSONField(_("events"), default=list)
    # The secret itself is stored nowhere: it is made of SECRET_KEY and this.
    salt = models.CharField(max_length=43)
    former_salt = models.CharField(max_length=43, blank=True)
    rotated_at = models.DateTimeField(_("secret changed"), null=True, blank=True)
    # Of the secret, to notice that SECRET_KEY is another.
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Attempts in a row that failed; until `resting_until` there is no other.
    failures = models.PositiveSmallIntegerField(_("failures"), default=0)
    resting_until = models.DateTimeField(null=True, blank=True)
    # Why it was turned off, and when; empty while it is on.
    off_reason = models.CharField(_("turned off because"), max_length=300, blank=True)
    off_at = models.DateTimeField(_("turned off"), null=True, blank=True)
    heard_at = models.DateTimeField(_("last delivered"), null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints = [
            models.CheckConstraint(
                name="webhooks_off_has_a_reason",
                condition=Q(off_at=None, off_reason="") | (~Q(off_at=None) & ~Q(off_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def is_on(self) -> bool:
        return self.off_at is None

    @property
    def is_resting(self) -> bool:
        """Whether it failed just now and waits before it is tried again."""
        return self.resting_until is not None and self.resting_until > timezone.now()

    @property
    def event_names(self) -> list[str]:
        """What it hears of, in words."""
        return [str(Event(each).label) for each in self.events]


class Delivery(models.Model):
    """One message to one webhook. Its id never changes, so that receivers can tell a repeat."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELIVERED = "delivered", _("Delivered")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.CharField(_("event"), max_length=20, choices=Event)
    # What happened; the same is told to a webhook once.
    key = models.CharField(max_length=100)
    data = models.JSONField(_("content"), default=dict)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    due_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Of the last attempt: the HTTP status that answered, or null, and what was wrong.
    status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    problem = models.CharField(_("problem"), max_length=300, blank=True)
    lease_key = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        indexes = [
            models.Index(name="webhooks_due", fields=["due_at"], condition=Q(state="waiting")),
            models.Index(name="webhooks_of_one", fields=["webhook", "-created_at"]),
        ]
        constraints = [
            models.UniqueConstraint(name="webhooks_told_once", fields=["webhook", "key"]),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"
