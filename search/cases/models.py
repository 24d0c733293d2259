"""What a case holds. Entries outlive the boxes that they are about, and say that these went."""

from typing import Self

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

MAX_NOTE = 8000


class CaseQuerySet(models.QuerySet):
    def visible_to(self, user: models.Model) -> Self:
        """Cases that a user opened or is a member of; administrators see all."""
        if user.sees_everything:
            return self
        # A subquery, not a join: a member must not double a row.
        shared = self.model.members.through.objects.filter(user=user).values("case")
        return self.filter(Q(created_by=user) | Q(pk__in=shared))


def _somebody() -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )


class Case(models.Model):
    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    title = models.CharField(_("title"), max_length=200)
    # What others call it: a file number, a ticket.
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=6, choices=State, default=State.OPEN)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="cases", blank=True, verbose_name=_("members")
    )
    created_by = _somebody()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.reference} · {self.title}" if self.reference else self.title

    def get_absolute_url(self) -> str:
        return reverse("search:review:case", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class CaseSearch(models.Model):
    """A search, as the query string of its page."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="searches")
    query = models.TextField(_("query"))
    added_by = _somebody()
    added_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        verbose_name = _("search of a case")
        verbose_name_plural = _("searches of cases")
        constraints = [
            models.UniqueConstraint(name="search_case_search_once", fields=["case", "query"])
        ]

    def __str__(self) -> str:
        return self.query


class CaseHit(models.Model):
    """A box that belongs to a case. Null once it was deleted; its number stays."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="hits")
    box = models.ForeignKey("gallery.Box", models.SET_NULL, null=True, related_name="+")
    box_number = models.PositiveBigIntegerField(_("number of the box"))
    # What it was found for, whose verdicts the export tells.
    query = models.ForeignKey(
        "search.Query", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    added_by = _somebody()
    added_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        verbose_name = _("result of a case")
        verbose_name_plural = _("results of cases")
        constraints = [
            models.UniqueConstraint(name="search_case_hit_once", fields=["case", "box_number"])
        ]

    def __str__(self) -> str:
        return str(self.box_number)


class CaseNote(models.Model):
    case = models.ForeignKey(Case, models.CASCADE, related_name="notes")
    text = models.TextField(
        _("text"), max_length=MAX_NOTE, validators=[MaxLengthValidator(MAX_NOTE)]
    )
    added_by = _somebody()
    added_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta:
        verbose_name = _("note of a case")
        verbose_name_plural = _("notes of cases")

    def __str__(self) -> str:
        return self.text[:60]


class CaseEvent(models.Model):
    """One line of a case's history. Rows are only ever added."""

    class What(models.TextChoices):
        OPENED = "opened", _("opened the case")
        CHANGED = "changed", _("changed")
        ADDED_HITS = "added_hits", _("added results")
        ADDED_SEARCH = "added_search", _("added a search")
        ADDED_NOTE = "added_note", _("added a note")
        REMOVED = "removed", _("removed")
        SHARED = "shared", _("let in")
        UNSHARED = "unshared", _("shut out")
        EXPORTED = "exported", _("asked for an export")
        DOWNLOADED = "downloaded", _("downloaded an export")

    case = models.ForeignKey(Case, models.CASCADE, related_name="events")
    what = models.CharField(max_length=12, choices=What)
    detail = models.TextField(blank=True)
    user = _somebody()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("event of a case")
        verbose_name_plural = _("events of cases")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.detail}".strip()


class CaseExport(models.Model):
    """A case as it was handed over, in a file of storage."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="exports")
    # Its name in storage, made by the server.
    file = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    byte_size = models.PositiveBigIntegerField(_("bytes"))
    # Row ids of the datasets whose pictures are in it: whoever may not see all may not have it.
    datasets = models.JSONField(default=list)
    job = models.OneToOneField(
        "jobs.Job", models.SET_NULL, null=True, related_name="+", verbose_name=_("job")
    )
    created_by = _somebody()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("export of a case")
        verbose_name_plural = _("exports of cases")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.sha256[:12]}"
