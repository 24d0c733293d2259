"""What was asked, what was found, and what reviewers said of it.

    Query ─< Finding ─< Judgement (one a reviewer) >─ Decision (one press of a key) ─< Change

A judgement is what a reviewer says now; a decision and its changes are how it came to be, and the
way back. Where reviewers differ, an Adjudication of somebody else says what counts.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from search.review.querysets import FindingQuerySet, JudgementQuerySet


class Verdict(models.TextChoices):
    UNREVIEWED = "unreviewed", _("unreviewed")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")
    UNSURE = "unsure", _("unsure")


class Query(models.Model):
    """Whom somebody looked for: words, a box, or both. Filters say where, and are no part of it."""

    # Of box and words (`asked.py`): whoever asks the same asks this query.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    text = models.TextField(_("description"), blank=True)
    # Without the box that was asked with nobody can tell what fits.
    like = models.ForeignKey(
        "gallery.Box",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("asked with the box"),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("query")
        verbose_name_plural = _("queries")

    def __str__(self) -> str:
        like = _("like box %(id)d") % {"id": self.like_id} if self.like_id else ""
        return " · ".join(filter(None, [self.text, like]))


class Finding(models.Model):
    """That a box may be an answer to a query: what a reviewer decides on."""

    query = models.ForeignKey(Query, models.CASCADE, related_name="findings")
    box = models.ForeignKey("gallery.Box", models.CASCADE, related_name="findings")
    # What the search that sent it here said; null where a reviewer judged without sending.
    rank = models.PositiveIntegerField(_("rank"), null=True, blank=True)
    score = models.FloatField(_("score"), null=True, blank=True)
    version = models.ForeignKey(
        "training.ModelVersion",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("model version"),
    )
    found_at = models.DateTimeField(_("found"), auto_now_add=True)
    # Who may take it back; null where a reviewer judged without sending.
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("sent by"),
    )

    objects = FindingQuerySet.as_manager()

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        constraints = [models.UniqueConstraint(name="search_finding_once", fields=["query", "box"])]

    def __str__(self) -> str:
        return f"{self.query}: {self.box_id}"


class Decision(models.Model):
    """One press of a key by one reviewer, on one finding or many."""

    # Who decided stays known: an account is deactivated, not deleted.
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reviewer")
    )
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [models.Index(name="search_decision_newest", fields=["reviewer", "-id"])]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.get_verdict_display()}"


class Judgement(models.Model):
    """What one reviewer says of one finding now. A row that was undone says unreviewed."""

    finding = models.ForeignKey(Finding, models.CASCADE, related_name="judgements")
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="judgements",
        verbose_name=_("reviewer"),
    )
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    # The one that made it so; null after all were undone.
    decision = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"))

    objects = JudgementQuerySet.as_manager()

    class Meta:
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")
        constraints = [
            models.UniqueConstraint(
                name="search_judgement_once_a_reviewer", fields=["finding", "reviewer"]
            ),
            models.CheckConstraint(
                name="search_judgement_verdict", condition=models.Q(verdict__in=Verdict.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.finding}: {self.get_verdict_display()}"


class Change(models.Model):
    """What one decision changed in one judgement: who, when, from what, to what."""

    decision = models.ForeignKey(Decision, models.CASCADE, related_name="changes")
    judgement = models.ForeignKey(Judgement, models.CASCADE, related_name="changes")
    before = models.CharField(_("before"), max_length=10, choices=Verdict)
    before_decision = models.ForeignKey(Decision, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("change of a judgement")
        verbose_name_plural = _("changes of judgements")
        constraints = [
            models.UniqueConstraint(name="search_change_once", fields=["decision", "judgement"])
        ]

    def __str__(self) -> str:
        return f"{self.judgement_id}: {self.before} → {self.decision.verdict}"


class Adjudication(models.Model):
    """What counts of a finding of which reviewers say different things: the word of a third."""

    class Verdict(models.TextChoices):
        CONFIRMED = "confirmed", _("confirmed")
        REJECTED = "rejected", _("rejected")
        UNSURE = "unsure", _("nobody can tell")

    finding = models.ForeignKey(Finding, models.CASCADE, related_name="adjudications")
    adjudicator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="adjudications",
        verbose_name=_("adjudicator"),
    )
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    note = models.CharField(_("reason"), max_length=500, blank=True)
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)

    class Meta:
        verbose_name = _("adjudication")
        verbose_name_plural = _("adjudications")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                name="search_adjudication_one_stands",
                fields=["finding"],
                condition=models.Q(undone_at=None),
            ),
            models.CheckConstraint(
                name="search_adjudication_verdict",
                condition=models.Q(verdict__in=["confirmed", "rejected", "unsure"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.finding_id}: {self.get_verdict_display()}"
