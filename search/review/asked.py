"""Which query a search asks: the same words and the same box are one query, whoever asks."""

import hashlib
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import QueryDict

from search import asking, questions
from search.forms import SearchForm
from search.review.errors import Unjudgeable
from search.review.models import Query

if TYPE_CHECKING:
    from pedsite.accounts.models import User
    from search.language import Query as Typed


def on_page(query: str, user: "User") -> Query:
    """The query of a search page, by its query string.

    Raises:
        Unjudgeable: it asks nothing, by a picture, or by several boxes.
        UnknownBox: it asks by a box that the user may not see.
    """
    form = SearchForm(QueryDict(query), user=user)
    key = of_form(form)
    if key is None:
        raise Unjudgeable
    return _kept(*key, user)


def as_query_string(text: str) -> str:
    """A query string as it is; what has no `=` can be none and is the words themselves."""
    return text if "=" in text else urlencode({"q": text})


def of_words(text: str, box_id: int | None, user: "User") -> Query:
    """The query of words, which may hold tokens, and of a box to ask with.

    Raises: as `on_page`, and as `asking.parsed`.
    """
    key = _key(asking.parsed(text), box_id)
    if key is None:
        raise Unjudgeable
    return _kept(*key, user)


def of_form(form: SearchForm) -> tuple[str, int | None] | None:
    """Words and box that a search form asks with; None where nobody can judge what it finds."""
    if not form.is_valid() or not form.asks or form.shows == "picture" or form.readable is None:
        return None
    return _key(form.readable, form.cleaned_data["box"])


def digest(text: str, box_id: int | None) -> str:
    """What tells one query from another: case and width of letters do not."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return hashlib.sha256(f"{box_id or ''}\n{plain}".encode()).hexdigest()


def _key(typed: "Typed", box_id: int | None) -> tuple[str, int | None] | None:
    likes = [like.box for like in typed.likenesses] + ([box_id] if box_id else [])
    if len(likes) > 1 or None in likes:
        return None
    text = typed.description
    return (text, likes[0] if likes else None) if text or likes else None


def _kept(text: str, box_id: int | None, user: "User") -> Query:
    if box_id is not None:
        questions.visible_box(box_id, user)
    made = {"text": text, "like_id": box_id, "created_by": user}
    return Query.objects.get_or_create(digest=digest(text, box_id), defaults=made)[0]
