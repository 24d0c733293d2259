"""Searches that a user keeps, and what has come since they last looked."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils import timezone

from pedsite.api import DomainError
from search import asking, retrieval
from search.errors import NameTaken, TooManySaved, UnknownSearch, Unsavable
from search.forms import SearchForm
from search.models import SavedSearch
from search.questions import Like, visible_box
from search.retrieval import Hit, Page

if TYPE_CHECKING:
    from pedsite.accounts.models import User

# A search matches its confident hits among the first so many; all of these where its version was
# never calibrated.
WATCHED = 100
MOST = 50
# What belongs to one look at a search, and not to the search.
MOMENTARY = ("cursor", "sort", "group")


@dataclass(frozen=True, kw_only=True)
class News:
    """The matches of a saved search now. `problem` tells why it could not be asked."""

    matches: list[Hit]
    new: list[Hit]
    version: str = ""
    problem: str = ""


def save(user: "User", name: str, query: str) -> SavedSearch:
    """Keep a search under a name; what it finds now counts as seen.

    Args:
        query: the query string of the search page.

    Raises:
        Unsavable: it has no name, asks nothing, cannot be asked, or asks by a picture, which is
            kept for an hour only.
        NameTaken, TooManySaved
    """
    name = " ".join(name.split())[:100]
    kept = QueryDict(query, mutable=True)
    for field in MOMENTARY:
        kept.pop(field, None)
    if not name or kept.get("picture") or "picture:" in kept.get("q", ""):
        raise Unsavable
    page, matches = _ask(kept, user)
    if SavedSearch.objects.filter(owner=user).count() >= MOST:
        raise TooManySaved(MOST)
    try:
        with transaction.atomic():
            saved = SavedSearch.objects.create(owner=user, name=name, query=kept.urlencode())
    except IntegrityError as exc:
        raise NameTaken(name) from exc
    _remember(saved, page, matches)
    return saved


def find(user: "User", pk: int) -> SavedSearch:
    """A user's own saved search. Raises: UnknownSearch."""
    saved = SavedSearch.objects.filter(owner=user, pk=pk).first()
    if saved is None:
        raise UnknownSearch(pk)
    return saved


def news(saved: SavedSearch) -> News:
    """What a saved search finds now, and which of it was not there when it was last seen.

    After another version began to serve only boxes that are younger than that look are new: the
    order of the old ones changed, they did not.
    """
    try:
        page, matches = _ask(QueryDict(saved.query), saved.owner)
    except DomainError as exc:
        return News(matches=[], new=[], problem=str(exc))
    seen = set(saved.seen)
    fresh = [hit for hit in matches if hit.box.pk not in seen]
    if page.version != saved.seen_version:
        fresh = [hit for hit in fresh if hit.box.created_at > saved.seen_at]
    return News(matches=matches, new=fresh, version=page.version)


def mark_seen(saved: SavedSearch) -> None:
    """Everything that it finds now has been looked at. Raises: DomainError, it cannot be asked."""
    page, matches = _ask(QueryDict(saved.query), saved.owner)
    _remember(saved, page, matches)


def _remember(saved: SavedSearch, page: Page, matches: list[Hit]) -> None:
    saved.seen = [hit.box.pk for hit in matches]
    saved.seen_at = timezone.now()
    saved.seen_version = page.version
    saved.save(update_fields=["seen", "seen_at", "seen_version"])


def _ask(query: QueryDict, user: "User") -> tuple[Page, list[Hit]]:
    """The first hits, and which of them are matches."""
    form = SearchForm(query, user=user)
    if not form.is_valid() or not form.asks:
        raise Unsavable
    box = form.cleaned_data["box"]
    likes = [Like(box=visible_box(box, user), weight=form.like_weight)] if box else []
    page = retrieval.ask(
        asking.question_of(form.typed, user, likes=likes),
        user=user,
        filters=form.filters(),
        limit=WATCHED,
        purpose=form.cleaned_data["purpose"],
    )
    return page, page.hits if page.confidence is None else page.hits[: page.sure(1 / form.one_in)]
