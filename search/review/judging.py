"""Say of findings what they are, and take it back.

Every writer locks the findings first, in the order of their ids: of two decisions at once the
second one sees what the first one wrote, and the constraint holds what is left.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from gallery.errors import UnknownBox
from gallery.models import Box, Review
from search.review import asked
from search.review.errors import (
    MayNotReview,
    NothingChosen,
    NothingToUndo,
    TooManyAtOnce,
    UnknownFinding,
    UnknownVerdict,
)
from search.review.models import Change, Decision, Finding, Judgement, Query, Verdict

if TYPE_CHECKING:
    from pedsite.accounts.models import User
    from search.forms import SearchForm

MOST = 500
# Pages offer to undo a decision for so long; the API takes any.
OFFERED_FOR = timedelta(minutes=10)


def judge(query: Query, boxes: Sequence[int], verdict: str, user: "User") -> Decision | None:
    """Say whether boxes answer a query. None: all of them were judged so already.

    Raises:
        MayNotReview, UnknownVerdict, NothingChosen, TooManyAtOnce
        UnknownBox: one that there is not, is hidden, or that the user may not see; nothing was
            decided.
        UnknownFinding: one was removed meanwhile; nothing was decided.
    """
    _check(boxes, verdict, user)
    wanted = seen(boxes, user)
    with transaction.atomic():
        Finding.objects.bulk_create(
            [Finding(query=query, box_id=box) for box in sorted(wanted)], ignore_conflicts=True
        )
        found = Finding.objects.filter(query=query, box__in=wanted)
        return _decide(list(found.values_list("pk", flat=True)), verdict, user)


def decide(findings: Sequence[int], verdict: str, user: "User") -> Decision | None:
    """Say what findings are. None: all of them were judged so already.

    Raises:
        MayNotReview, UnknownVerdict, NothingChosen, TooManyAtOnce
        UnknownFinding: one that the user may not see, or that was removed meanwhile; nothing was
            decided.
    """
    _check(findings, verdict, user)
    wanted = set(findings)
    if Finding.objects.visible_to(user).filter(pk__in=wanted).count() < len(wanted):
        raise UnknownFinding
    with transaction.atomic():
        return _decide(sorted(wanted), verdict, user)


@transaction.atomic
def undo(user: "User", decision_id: int | None = None) -> Decision:
    """Take one's own decision back, by default the newest: what was said before holds again.

    What was decided anew since stays as it is.

    Raises:
        NothingToUndo: it is not theirs, was undone, or all of it was decided anew.
    """
    made = Decision.objects.filter(reviewer=user, undone_at=None).order_by("-pk")
    found = (made if decision_id is None else made.filter(pk=decision_id)).first()
    if found is None:
        raise NothingToUndo
    findings = found.changes.values_list("judgement__finding", flat=True)
    _lock(list(findings))
    found = made.select_for_update().filter(pk=found.pk).first()
    if found is None:
        raise NothingToUndo
    restored = []
    for change in found.changes.select_related("judgement"):
        judgement = change.judgement
        if judgement.decision_id == found.pk:
            judgement.verdict, judgement.decision_id = change.before, change.before_decision_id
            judgement.decided_at = timezone.now()
            restored.append(judgement)
    if not restored:
        raise NothingToUndo
    Judgement.objects.bulk_update(restored, ["verdict", "decision", "decided_at"])
    found.undone_at = timezone.now()
    found.save(update_fields=["undone_at"])
    return found


def newest(user: "User") -> Decision | None:
    """The decision that a page offers to undo: the user's last one, if it was a moment ago."""
    recent = timezone.now() - OFFERED_FOR
    made = Decision.objects.filter(reviewer=user, undone_at=None, made_at__gte=recent)
    return made.order_by("-pk").first()


def said(form: "SearchForm", boxes: Sequence[int], user: "User") -> dict[int, str] | None:
    """What a user said of boxes as answers to a search: verdicts by box.

    None where nothing can be said: the user is no reviewer, or nobody could judge the answers.
    """
    key = asked.of_form(form) if user.reviews else None
    if key is None:
        return None
    rows = Judgement.objects.decided().filter(
        reviewer=user, finding__query__digest=asked.digest(*key), finding__box__in=boxes
    )
    return dict(rows.values_list("finding__box", "verdict"))


def seen(boxes: Sequence[int], user: "User") -> set[int]:
    """The chosen boxes, once each, all of which the user sees.

    Raises:
        NothingChosen, TooManyAtOnce
        UnknownBox: one that there is not, is hidden, or that the user may not see.
    """
    _require_some(boxes)
    wanted = set(boxes)
    visible = Box.objects.visible_to(user).exclude(review=Review.HIDDEN).filter(pk__in=wanted)
    if missing := wanted - set(visible.values_list("pk", flat=True)):
        raise UnknownBox(min(missing))
    return wanted


def require_reviewer(user: "User") -> None:
    """Raises: MayNotReview."""
    if not user.reviews:
        raise MayNotReview


def _check(chosen: Sequence[int], verdict: str, user: "User") -> None:
    require_reviewer(user)
    if verdict not in Verdict.values:
        raise UnknownVerdict
    _require_some(chosen)


def _require_some(chosen: Sequence[int]) -> None:
    if not chosen:
        raise NothingChosen
    if len(chosen) > MOST:
        raise TooManyAtOnce(MOST)


def _lock(findings: Sequence[int]) -> set[int]:
    """Holds the findings until the transaction ends; returns those that are still there."""
    rows = Finding.objects.select_for_update().filter(pk__in=findings).order_by("pk")
    return set(rows.values_list("pk", flat=True))


def _decide(findings: Sequence[int], verdict: str, user: "User") -> Decision | None:
    if len(_lock(findings)) < len(findings):
        raise UnknownFinding
    rows = Judgement.objects.filter(finding__in=findings, reviewer=user)
    before = {row.finding_id: (row.verdict, row.decision_id) for row in rows}
    unsaid = (Verdict.UNREVIEWED.value, None)
    changed = [pk for pk in findings if before.get(pk, unsaid)[0] != verdict]
    if not changed:
        return None
    decision = Decision.objects.create(reviewer=user, verdict=verdict)
    stated = {"reviewer": user, "verdict": verdict, "decision": decision}
    written = Judgement.objects.bulk_create(
        [Judgement(finding_id=pk, decided_at=decision.made_at, **stated) for pk in changed],
        update_conflicts=True,
        unique_fields=["finding", "reviewer"],
        update_fields=["verdict", "decision", "decided_at"],
    )
    Change.objects.bulk_create(
        Change(
            decision=decision,
            judgement=row,
            before=before.get(row.finding_id, unsaid)[0],
            before_decision_id=before.get(row.finding_id, unsaid)[1],
        )
        for row in written
    )
    return decision
