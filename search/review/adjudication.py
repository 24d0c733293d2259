"""Where reviewers differ, somebody who has not judged decides what counts.

They see that two differ and not who said what, as every reviewer decides before they know what
others said. Afterwards the verdicts are shown. The decision stands until its maker takes it back,
whatever the reviewers say later.
"""

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from search.review import judging
from search.review.errors import (
    IsAParty,
    NoAdjudication,
    NotDisputed,
    UnknownFinding,
    UnknownVerdict,
)
from search.review.models import Adjudication, Finding, Judgement

if TYPE_CHECKING:
    from pedsite.accounts.models import User


def waiting(user: "User") -> QuerySet[Finding]:
    """Findings on which others differ and nobody decided yet, newest query first.

    Raises: MayNotReview.
    """
    judging.require_reviewer(user)
    rows = Finding.objects.visible_to(user).disputed().filter(~_settled()).exclude(_mine(user))
    return rows.in_turn().with_context()


def settled(user: "User") -> QuerySet[Adjudication]:
    """Decisions that stand, on findings that a user may see and judged or decided; newest first.

    Raises: MayNotReview.
    """
    judging.require_reviewer(user)
    rows = Adjudication.objects.filter(
        undone_at=None, finding__in=Finding.objects.visible_to(user)
    ).select_related("adjudicator", "finding__query__like", "finding__box__image__dataset")
    if not user.sees_everything:
        party = Judgement.objects.decided().filter(reviewer=user).values("finding")
        rows = rows.filter(adjudicator=user) | rows.filter(finding__in=party)
    return rows.prefetch_related("finding__judgements__reviewer").order_by("-pk")


def decide(finding_id: int, verdict: str, user: "User", note: str = "") -> Adjudication:
    """Say what counts of a finding on which reviewers differ.

    Args:
        verdict: confirmed, rejected, or unsure where nobody can tell.

    Raises:
        MayNotReview, UnknownVerdict
        UnknownFinding: the user may not see it.
        IsAParty: the user judged it.
        NotDisputed: the reviewers do not differ, or it is decided.
    """
    judging.require_reviewer(user)
    if verdict not in Adjudication.Verdict.values:
        raise UnknownVerdict
    with transaction.atomic():
        seen = Finding.objects.visible_to(user).filter(pk=finding_id)
        # Reviewers lock it too: what they say cannot change under this.
        found = Finding.objects.select_for_update().filter(pk__in=seen.values("pk")).first()
        if found is None:
            raise UnknownFinding
        here = Finding.objects.filter(pk=found.pk)
        if here.filter(_mine(user)).exists():
            raise IsAParty
        if not here.disputed().exists() or here.filter(_settled()).exists():
            raise NotDisputed
        stated = {"verdict": verdict, "note": " ".join(note.replace("\x00", "").split())[:500]}
        return Adjudication.objects.create(finding=found, adjudicator=user, **stated)


def undo(pk: int, user: "User") -> Adjudication:
    """Take one's own decision back: the finding waits again. Raises: NoAdjudication."""
    mine = Adjudication.objects.filter(pk=pk, adjudicator=user, undone_at=None)
    if not mine.update(undone_at=timezone.now()):
        raise NoAdjudication
    return Adjudication.objects.get(pk=pk)


def _settled() -> Exists:
    return Exists(Adjudication.objects.filter(finding=OuterRef("pk"), undone_at=None))


def _mine(user: "User") -> Exists:
    return Exists(Judgement.objects.decided().filter(finding=OuterRef("pk"), reviewer=user))
