"""What waits for a reviewer: what searches sent, one after the other or many at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from search import admission, asking, retrieval
from search.forms import SearchForm
from search.questions import Like, visible_box
from search.review import asked, judging
from search.review.models import Finding, Query, Verdict

if TYPE_CHECKING:
    from pedsite.accounts.models import User

# Somebody else decided, the reader did not: their verdict is not shown before.
SECOND = "second"
STATES = {
    Verdict.UNREVIEWED.value: _("Unreviewed"),
    SECOND: _("Second opinion"),
    Verdict.CONFIRMED.value: _("Confirmed"),
    Verdict.REJECTED.value: _("Rejected"),
    Verdict.UNSURE.value: _("Unsure"),
}
MOST_SENT = 200


def findings(user: "User", state: str, query_id: int | None = None) -> QuerySet[Finding]:
    """Findings in one of STATES as this user judged them, in their turn.

    Raises: MayNotReview.
    """
    judging.require_reviewer(user)
    rows = Finding.objects.visible_to(user).judged_by(user)
    if query_id is not None:
        rows = rows.filter(query=query_id)
    return rows.filter(_in_state(state)).in_turn().with_context()


def counts(user: "User", query_id: int | None = None) -> dict[str, int]:
    """How many findings are in each of STATES for this user; an unreviewed one may be in two."""
    rows = Finding.objects.visible_to(user).judged_by(user)
    if query_id is not None:
        rows = rows.filter(query=query_id)
    return rows.aggregate(**{name: Count("pk", filter=_in_state(name)) for name in STATES})


def following(rows: QuerySet[Finding], finding: Finding) -> Finding | None:
    """The next one after a finding of these rows, the first again after the last."""
    later = rows.after(finding.query_id, finding.place, finding.pk).first()
    return later or rows.exclude(pk=finding.pk).first()


def send(
    query: str, user: "User", limit: int = MOST_SENT, boxes: Sequence[int] | None = None
) -> tuple[Query, int]:
    """Ask a search of the page again and put its first hits, or chosen boxes, into the queue.

    What is there already stays, with the verdicts on it.

    Args:
        limit: how many first hits are asked for.
        boxes: those that were chosen. One that is none of the first hits has no rank.

    Returns: the query, and how many came new.
    Raises:
        MayNotReview; as `asked.on_page`; DomainError, it cannot be asked.
        NothingChosen, TooManyAtOnce, UnknownBox: of the boxes; nothing was sent.
    """
    judging.require_reviewer(user)
    chosen = None if boxes is None else judging.seen(boxes, user)
    kept = asked.on_page(query, user)
    return kept, _add(kept, _asked_again(query, user, limit), chosen, user)


def withdraw(query_id: int, user: "User") -> int:
    """Take the findings of a query that the user may remove out of the queue; how many they were.

    Raises: MayNotReview.
    """
    judging.require_reviewer(user)
    with transaction.atomic():
        removable = Finding.objects.filter(query=query_id).removable_by(user)
        held = Finding.objects.select_for_update().filter(pk__in=removable.values("pk"))
        pks = list(held.order_by("pk").values_list("pk", flat=True))
        # Asked again: one may have been judged while this waited for its lock.
        return Finding.objects.filter(pk__in=pks, judgements=None).delete()[0]


def _asked_again(query: str, user: "User", limit: int) -> retrieval.Page:
    form = SearchForm(QueryDict(query), user=user)
    # Valid, else there was no query. The box may be typed into the words as well.
    form.is_valid()
    box = form.cleaned_data["box"]
    likes = [Like(box=visible_box(box, user), weight=form.like_weight)] if box else []
    with admission.slot():
        return retrieval.ask(
            asking.question_of(form.typed, user, likes=likes),
            user=user,
            filters=form.filters(),
            limit=min(limit, MOST_SENT),
            purpose=form.cleaned_data["purpose"],
        )


def _add(query: Query, page: retrieval.Page, chosen: set[int] | None, user: "User") -> int:
    """Hits of the page, of them only the chosen if any are; and what was chosen besides."""
    hits = [hit for hit in page.hits if chosen is None or hit.box.pk in chosen]
    others = (chosen or set()) - {hit.box.pk for hit in hits}
    stated = {"query": query, "sent_by": user}
    ranked = {"version": retrieval.versions.get(page.version), **stated}
    with transaction.atomic():
        before = query.findings.count()
        Finding.objects.bulk_create(
            [Finding(box=hit.box, rank=hit.rank, score=hit.score, **ranked) for hit in hits],
            update_conflicts=True,
            unique_fields=["query", "box"],
            update_fields=["rank", "score", "version"],
        )
        Finding.objects.bulk_create(
            [Finding(box_id=box, **stated) for box in sorted(others)], ignore_conflicts=True
        )
        return query.findings.count() - before


def _in_state(state: str) -> Q:
    if state == SECOND:
        return Q(verdict=Verdict.UNREVIEWED, is_seconded=True)
    return Q(verdict=state)
