"""What may be done with a case. Everything goes into its history, in the same transaction."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.core.files.storage import default_storage
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from gallery.errors import UnknownBox
from gallery.models import Box, Review
from pedsite.accounts.models import User as Account
from search.cases.errors import (
    BadCase,
    ClosedCase,
    NoSuchMember,
    NotTheOwner,
    TooManyInCase,
    UnknownCase,
    UnknownEntry,
)
from search.cases.models import (
    MAX_NOTE,
    Case,
    CaseEvent,
    CaseHit,
    CaseNote,
    CaseSearch,
)
from search.forms import SearchForm
from search.review import judging
from search.review.errors import NothingChosen, TooManyAtOnce
from search.review.models import Query

if TYPE_CHECKING:
    from pedsite.accounts.models import User

What = CaseEvent.What
MOST_HITS = 2000
ENTRIES = {"hits": CaseHit, "searches": CaseSearch, "notes": CaseNote}


@transaction.atomic
def start(user: "User", title: str, reference: str = "") -> Case:
    """Open a case. Raises: MayNotReview, BadCase."""
    judging.require_reviewer(user)
    title, reference = _line(title, 200), _line(reference, 100)
    if not title:
        raise BadCase(_("A case needs a title."))
    case = Case.objects.create(title=title, reference=reference, created_by=user)
    _note_down(case, user, What.OPENED, str(case))
    return case


def find(user: "User", pk: int) -> Case:
    """A case that a user works on. Raises: MayNotReview, UnknownCase."""
    judging.require_reviewer(user)
    case = Case.objects.visible_to(user).select_related("created_by").filter(pk=pk).first()
    if case is None:
        raise UnknownCase
    return case


@transaction.atomic
def change(
    case: Case,
    user: "User",
    *,
    title: str | None = None,
    reference: str | None = None,
    state: str | None = None,
) -> None:
    """Change what is given; None leaves it. Raises: BadCase, ClosedCase."""
    locked = _locked(case)
    if not locked.is_open and state != Case.State.OPEN:
        raise ClosedCase
    if title is not None and not _line(title, 200):
        raise BadCase(_("A case needs a title."))
    if state is not None and state not in Case.State.values:
        raise BadCase(_("A case is open or closed."))
    wanted = {
        "title": None if title is None else _line(title, 200),
        "reference": None if reference is None else _line(reference, 100),
        "state": state,
    }
    told = []
    for name, value in wanted.items():
        if value is not None and value != getattr(locked, name):
            told.append(f"{name}: {getattr(locked, name)} → {value}")
            setattr(locked, name, value)
            setattr(case, name, value)
    if told:
        locked.save(update_fields=list(wanted))
        _note_down(case, user, What.CHANGED, "; ".join(told))


@transaction.atomic
def add_hits(case: Case, boxes: Sequence[int], user: "User", query: Query | None = None) -> int:
    """Put boxes into a case; how many were not in it. `query` is what they were found for.

    Raises:
        NothingChosen, TooManyAtOnce, TooManyInCase, ClosedCase
        UnknownBox: one that the user may not see; nothing was added.
    """
    wanted = sorted(set(boxes))
    if not wanted:
        raise NothingChosen
    if len(wanted) > judging.MOST:
        raise TooManyAtOnce(judging.MOST)
    _open(case)
    seen = Box.objects.visible_to(user).exclude(review=Review.HIDDEN).filter(pk__in=wanted)
    if missing := set(wanted) - set(seen.values_list("pk", flat=True)):
        raise UnknownBox(min(missing))
    there = set(case.hits.filter(box_number__in=wanted).values_list("box_number", flat=True))
    new = [box for box in wanted if box not in there]
    if case.hits.count() + len(new) > MOST_HITS:
        raise TooManyInCase(MOST_HITS)
    CaseHit.objects.bulk_create(
        CaseHit(case=case, box_id=box, box_number=box, query=query, added_by=user) for box in new
    )
    if new:
        _note_down(case, user, What.ADDED_HITS, ", ".join(map(str, new)))
    return len(new)


@transaction.atomic
def add_search(case: Case, query: str, user: "User") -> CaseSearch:
    """Put a search into a case, by the query string of its page; one that is there stays.

    Raises: ClosedCase; BadCase, it asks nothing, or by a picture, which is kept for an hour only.
    """
    _open(case)
    form = SearchForm(QueryDict(query), user=user)
    typed = form.readable if form.is_valid() and form.asks else None
    asks = typed and (typed.description or typed.likenesses or form.cleaned_data["box"])
    if not asks or not form.savable:
        raise BadCase(_("Only a search by words or by a box can be put into a case."))
    kept = form.query(drop=("cursor", "sort", "group"))
    added, is_new = CaseSearch.objects.get_or_create(
        case=case, query=kept, defaults={"added_by": user}
    )
    if is_new:
        _note_down(case, user, What.ADDED_SEARCH, kept)
    return added


@transaction.atomic
def add_note(case: Case, text: str, user: "User") -> CaseNote:
    """Raises: ClosedCase; BadCase, it is empty or too long."""
    _open(case)
    text = text.strip().replace("\r\n", "\n")
    if not text or len(text) > MAX_NOTE or "\x00" in text:
        raise BadCase(_("A note has from 1 to %(most)d characters.") % {"most": MAX_NOTE})
    note = CaseNote.objects.create(case=case, text=text, added_by=user)
    _note_down(case, user, What.ADDED_NOTE, text)
    return note


@transaction.atomic
def remove(case: Case, kind: str, pk: int, user: "User") -> None:
    """Take an entry out; the history keeps what it was. Raises: ClosedCase, UnknownEntry."""
    _open(case)
    entry = ENTRIES[kind].objects.filter(case=case, pk=pk).first()
    if entry is None:
        raise UnknownEntry
    entry.delete()
    _note_down(case, user, What.REMOVED, f"{entry._meta.verbose_name}: {entry}")


@transaction.atomic
def share(case: Case, name: str, user: "User") -> None:
    """Let a reviewer work on a case; they still see only pictures of datasets of theirs.

    Raises: NotTheOwner, NoSuchMember.
    """
    _require_owner(case, user)
    member = Account.objects.filter(username=name, is_active=True).first()
    if member is None or not member.reviews:
        raise NoSuchMember(name)
    case.members.add(member)
    _note_down(case, user, What.SHARED, name)


@transaction.atomic
def unshare(case: Case, name: str, user: "User") -> None:
    """Raises: NotTheOwner, NoSuchMember."""
    _require_owner(case, user)
    member = case.members.filter(username=name).first()
    if member is None:
        raise NoSuchMember(name)
    case.members.remove(member)
    _note_down(case, user, What.UNSHARED, name)


@transaction.atomic
def delete(case: Case, user: "User") -> None:
    """Delete a case with its history and the files of its exports. Raises: NotTheOwner."""
    _require_owner(case, user)
    files = list(case.exports.values_list("file", flat=True))
    case.delete()
    transaction.on_commit(lambda: [default_storage.delete(name) for name in files])


def owns(case: Case, user: "User") -> bool:
    """Whether a user says who works on a case, and may delete it."""
    return user.sees_everything or case.created_by_id == user.pk


def _require_owner(case: Case, user: "User") -> None:
    if not owns(case, user):
        raise NotTheOwner


def _locked(case: Case) -> Case:
    locked = Case.objects.select_for_update().filter(pk=case.pk).first()
    if locked is None:
        raise UnknownCase
    return locked


def _open(case: Case) -> None:
    """Lock a case, so that two adding at once do not meet, and see that it is open."""
    if not _locked(case).is_open:
        raise ClosedCase


def _line(text: str, most: int) -> str:
    return " ".join(text.replace("\x00", "").split())[:most]


def _note_down(case: Case, user: "User", what: str, detail: str) -> None:
    CaseEvent.objects.create(case=case, user=user, what=what, detail=detail[:MAX_NOTE])
