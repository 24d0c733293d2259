"""What was tried before it is trusted: versions side by side, and ways of searching."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from search.querysets import InspectionQuerySet


class QueryKind(models.TextChoices):
    TEXT = "text", _("text")
    PICTURE = "picture", _("picture")


class Comparison(models.Model):
    """Two versions asked the same: what each found, and which of the two people preferred.

    Whoever judges is not told which side is whose (`comparisons.sides`).
    """

    job = models.OneToOneField("jobs.Job", models.CASCADE, related_name="+")
    # The one that answers, and the one that might.
    old = models.ForeignKey(
        "training.ModelVersion", models.CASCADE, related_name="+", verbose_name=_("old version")
    )
    new = models.ForeignKey(
        "training.ModelVersion", models.CASCADE, related_name="+", verbose_name=_("new version")
    )
    dataset_kind = models.CharField(_("kind of dataset"), max_length=40, default="person")
    datasets = models.JSONField(_("datasets"), default=list)  # row ids that were searched
    # {"text", "person": identity's row id or null, "old": [[box, score], …], "new": …} each.
    questions = models.JSONField(_("questions"), default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.old} / {self.new}"

    def get_absolute_url(self) -> str:
        return reverse("search:generations:comparison", args=[self.pk])


class Preference(models.Model):
    """What one person said of one question of a comparison."""

    class Choice(models.TextChoices):
        OLD = "old", _("old version")
        NEW = "new", _("new version")
        SAME = "same", _("no difference")

    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="preferences")
    number = models.PositiveIntegerField(_("question"))
    choice = models.CharField(_("choice"), max_length=4, choices=Choice)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [
            models.UniqueConstraint(
                name="search_preference_once", fields=["comparison", "number", "user"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.comparison} {self.number}: {self.choice}"


class Inspection(models.Model):
    """How well each way of searching a dataset's vectors finds what is nearest, and what is right.

    Numbers of all of them (`search.methods`), and the first hits of each question for the page.
    """

    class Protocol(models.TextChoices):
        LEAVE_ONE_OUT = "leave_one_out", _("all but the asking box")
        OTHER_CAMERAS = "other_cameras", _("other cameras only")
        HELD_OUT = "held_out", _("without all asking boxes")

    job = models.OneToOneField("jobs.Job", models.CASCADE, related_name="+")
    version = models.ForeignKey(
        "training.ModelVersion", models.CASCADE, related_name="+", verbose_name=_("model version")
    )
    dataset = models.ForeignKey(
        "gallery.Dataset", models.CASCADE, related_name="+", verbose_name=_("dataset")
    )
    asked_with = models.CharField(_("asked with"), max_length=10, choices=QueryKind)
    protocol = models.CharField(_("searched among"), max_length=20, choices=Protocol)
    # {"queries", "top", "reranked", "code_bytes": list, "seed", "smallest_class"}.
    options = models.JSONField(_("settings"), default=dict)
    numbers = models.JSONField(_("numbers"), default=dict)
    # {"box", "text", "person": identity's row id or null, "found": {way: [[box, score], ...]},
    # "precision": {way: average precision, 0 to 1, or null where nothing is right}} each.
    questions = models.JSONField(_("questions"), default=list)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = InspectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.version} / {self.dataset}"

    def get_absolute_url(self) -> str:
        return reverse("search:inspections:detail", args=[self.pk])
