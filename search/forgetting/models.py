"""When pictures of a dataset are removed, and what was removed."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def _somebody() -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )


class RetentionRule(models.Model):
    """That pictures of a dataset are kept for some days."""

    class Since(models.TextChoices):
        TAKEN = "taken", _("since they were taken (imported, where that is not known)")
        IMPORTED = "imported", _("since they were imported")

    dataset = models.OneToOneField(
        "gallery.Dataset", models.CASCADE, related_name="retention", verbose_name=_("dataset")
    )
    days = models.PositiveIntegerField(_("days"), validators=[MinValueValidator(1)])
    since = models.CharField(_("since"), max_length=8, choices=Since, default=Since.TAKEN)
    set_by = _somebody()
    set_at = models.DateTimeField(_("set"), auto_now=True)

    class Meta:
        ordering = ["dataset__name"]
        verbose_name = _("retention rule")
        verbose_name_plural = _("retention rules")
        constraints = [
            models.CheckConstraint(
                name="search_retention_some_days", condition=models.Q(days__gte=1)
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset}: {self.days}"


class Removal(models.Model):
    """One person, or pictures that are too old, removed with all that shows them.

    The row outlives what it removed, so it names nobody: `plan` holds what is still to be done and
    is empty afterwards, `report` holds counts, and who had held it.
    """

    class Why(models.TextChoices):
        PERSON = "person", _("to forget a person")
        RETENTION = "retention", _("kept for longer than the rule says")

    why = models.CharField(_("why"), max_length=10, choices=Why)
    dataset = models.ForeignKey(
        "gallery.Dataset", models.SET_NULL, null=True, related_name="+", verbose_name=_("dataset")
    )
    dataset_name = models.CharField(_("dataset"), max_length=100)
    purpose = models.CharField(_("purpose"), max_length=200, blank=True)
    job = models.ForeignKey("jobs.Job", models.SET_NULL, null=True, related_name="+")
    phase = models.PositiveSmallIntegerField(default=0)
    plan = models.JSONField(default=dict)
    # {"removed": {what: count}, "held": {what: [about]}, "checks": [{"what", "left"}]}
    report = models.JSONField(_("report"), default=dict)
    requested_by = _somebody()
    requested_at = models.DateTimeField(_("requested"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("removal")
        verbose_name_plural = _("removals")

    def __str__(self) -> str:
        return f"{self.pk}: {self.dataset_name}"

    def get_absolute_url(self) -> str:
        return reverse("search:forgetting:removal", args=[self.pk])

    @property
    def is_proven(self) -> bool:
        """Whether it is over and nothing was found afterwards."""
        checks = self.report.get("checks", [])
        return self.finished_at is not None and not any(check["left"] for check in checks)
