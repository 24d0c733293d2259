"""What came in words, from a page, a program or a file, as a question and filters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from search import language, questions, retrieval, shown
from search.errors import BadToken
from search.language import Likeness, Query
from search.models import Mode
from search.questions import Like, Question
from search.scope import Filters

if TYPE_CHECKING:
    from pedsite.accounts.models import User


def parsed(text: str) -> Query:
    """A text that may be blank, taken apart.

    Raises: QueryTooLong, UnreadableQuery, UnknownToken, BadToken.
    """
    return language.parse(retrieval.normalized(text) if text.strip() else "")


def question_of(
    query: Query,
    user: "User | None",
    *,
    likes: Sequence[Like] = (),
    words_weight: float = 1.0,
) -> Question:
    """A query as a question; the boxes and pictures that it names are looked up.

    Args:
        likes: what is asked with beside the text.

    Raises:
        UnknownBox: a box that there is not, or that the user may not see.
        PictureGone, BadImage: a picture that is not kept any longer, or a region outside of it.
        BadToken: a picture where nobody has shown one.
    """
    named = [
        Like(box=questions.visible_box(each.box, user), weight=each.weight)
        if each.box is not None
        else Like(crop=_picture(each, user), weight=each.weight)
        for each in query.likenesses
    ]
    return Question(
        words=query.words,
        words_weight=words_weight,
        phrases=query.phrases,
        likes=(*named, *likes),
    )


def ask(
    text: str,
    *,
    user: "User | None",
    filters: Filters = Filters(),  # noqa: B008 (frozen)
    likes: Sequence[Like] = (),
    words_weight: float = 1.0,
    version: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
    mode: str = Mode.FAST,
    purpose: str = "",
) -> retrieval.Page:
    """One page of hits for a text with tokens; else as `retrieval.ask`.

    Raises: as `parsed`, `question_of` and `retrieval.ask`.
    """
    query = parsed(text)
    return retrieval.ask(
        question_of(query, user, likes=likes, words_weight=words_weight),
        user=user,
        filters=language.filters_of(query, filters),
        version=version,
        limit=limit,
        cursor=cursor,
        mode=mode,
        purpose=purpose,
    )


def _picture(named: Likeness, user: "User | None") -> np.ndarray:
    if user is None:
        raise BadToken(f"picture:{named.picture}", "box:17")
    region = shown.Region(*named.crop) if named.crop else None
    return shown.cut(shown.find(named.picture, user), region)
