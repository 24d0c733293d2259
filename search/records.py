"""What the audit log is told of a search, and the reason that a site may demand for one."""

from typing import TYPE_CHECKING, Any

from django.conf import settings

from pedsite.audit.journal import Action, record
from search.errors import PurposeNeeded
from search.language import Phrase, Role
from search.questions import Question
from search.scope import Filters

if TYPE_CHECKING:
    from pedsite.accounts.models import User
    from search.retrieval import Page

MAX_PURPOSE = 200
# Fewer characters name no case and give no reason.
LEAST = 3
_SIGNS = {Role.WEIGH: "", Role.REQUIRE: "+", Role.EXCLUDE: "-"}


def demand(purpose: str) -> str:
    """A purpose as it is recorded, on one line.

    Raises: PurposeNeeded, the site demands one and this is none.
    """
    said = " ".join(purpose.split())[:MAX_PURPOSE]
    if settings.PEDSITE_PURPOSE == "required" and len(said) < LEAST:
        raise PurposeNeeded
    return said


def search(
    question: Question, filters: Filters, page: "Page", user: "User | None", purpose: str
) -> None:
    """One page of hits was found for somebody."""
    record(
        Action.SEARCH,
        user=user,
        text=" ".join([question.words, *map(_phrase, question.phrases)]).strip(),
        about=", ".join(_likes(question)),
        purpose=purpose,
        version=page.version,
        results=len(page.hits),
        first_rank=page.hits[0].rank if page.hits else 0,
        searched=page.searched,
        filters=_plain(filters),
    )


def _phrase(phrase: Phrase) -> str:
    weight = "" if phrase.weight == 1 else f"^{phrase.weight:g}"
    return f'{_SIGNS[phrase.role]}"{phrase.text}"{weight}'


def _likes(question: Question) -> list[str]:
    # Of a picture only that there was one: it is kept nowhere.
    return [f"box {like.box.pk}" if like.box else "a picture" for like in question.likes]


def _plain(filters: Filters) -> dict[str, Any]:
    told = {
        "datasets": list(filters.datasets),
        "cameras": list(filters.cameras),
        "after": filters.after.isoformat() if filters.after else "",
        "before": filters.before.isoformat() if filters.before else "",
        "hours": [moment.isoformat("minutes") for moment in filters.hours or ()],
        "identity": filters.identity,
        "captions": list(filters.captions),
        "review": filters.review,
    }
    return {name: value for name, value in told.items() if value}
