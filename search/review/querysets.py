"""Reads of findings that must be right everywhere: who may see them, and what they said of them."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from gallery.models import Dataset, Review

if TYPE_CHECKING:
    from pedsite.accounts.models import User

UNREVIEWED = "unreviewed"
# After every rank that a search gives.
UNRANKED = 1_000_000


class FindingQuerySet(models.QuerySet):
    def visible_to(self, user: "User") -> Self:
        """Findings whose box, and the box that was asked with, a user may see and nobody hid."""
        datasets = Dataset.objects.visible_to(user)
        asked = Q(query__like__image__dataset__in=datasets) & ~Q(query__like__review=Review.HIDDEN)
        return (
            self.filter(box__image__dataset__in=datasets)
            .exclude(box__review=Review.HIDDEN)
            .filter(Q(query__like=None) | asked)
        )

    def judged_by(self, user: "User") -> Self:
        """Adds `verdict`, what this user said, and `is_seconded`, whether somebody else decided."""
        judgements = self.model._meta.get_field("judgements").related_model.objects
        here = judgements.filter(finding=OuterRef("pk"))
        mine = here.filter(reviewer=user).values("verdict")[:1]
        others = here.exclude(reviewer=user).exclude(verdict=UNREVIEWED)
        return self.annotate(
            verdict=Coalesce(Subquery(mine), Value(UNREVIEWED)), is_seconded=Exists(others)
        )

    def removable_by(self, user: "User") -> Self:
        """Those that nobody ever judged and that this user sent; operators remove anybody's.

        One that was judged and taken back is not among them: its history would go with it.
        """
        rows = self.visible_to(user).filter(judgements=None)
        if user.operates:
            return rows
        # Of findings from before senders were kept, whoever asked first counts as the sender.
        return rows.filter(Q(sent_by=user) | Q(sent_by=None, query__created_by=user))

    def disputed(self) -> Self:
        """Those that were decided in more than one way."""
        judgements = self.model._meta.get_field("judgements").related_model.objects
        said = judgements.decided().values("finding").annotate(ways=Count("verdict", distinct=True))
        return self.filter(pk__in=said.filter(ways__gt=1).values("finding"))

    def in_turn(self) -> Self:
        """The newest query first, its findings as they ranked; adds `place`."""
        placed = self.annotate(place=Coalesce("rank", Value(UNRANKED)))
        return placed.order_by("-query_id", "place", "pk")

    def after(self, query_id: int, place: int, pk: int) -> Self:
        """Those that come later in the order of `in_turn`, whose annotation this needs."""
        here = Q(query_id=query_id)
        return self.filter(
            Q(query_id__lt=query_id)
            | here & Q(place__gt=place)
            | here & Q(place=place) & Q(pk__gt=pk)
        )

    def with_context(self) -> Self:
        """With the question and all that a page names of the box."""
        return self.select_related(
            "query__like", "version", "box__image__camera", "box__image__dataset", "box__identity"
        )


class JudgementQuerySet(models.QuerySet):
    def decided(self) -> Self:
        """Without those that were taken back."""
        return self.exclude(verdict=UNREVIEWED)

    def open_to(self, user: "User") -> Self:
        """Decided ones that a user may read: their own, and others' where they decided too.

        A second opinion is given without knowing the first. Administrators read all.
        """
        rows = self.decided().filter(finding__in=_findings(self).visible_to(user))
        if user.sees_everything:
            return rows
        mine = self.model.objects.decided().filter(reviewer=user).values("finding")
        return rows.filter(Q(reviewer=user) | Q(finding__in=mine))


def _findings(judgements: models.QuerySet) -> FindingQuerySet:
    return judgements.model._meta.get_field("finding").related_model.objects
