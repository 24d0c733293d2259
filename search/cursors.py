"""Where a page of hits ended, in an opaque signed string that the next request brings back."""

from dataclasses import dataclass
from typing import Self

from django.core import signing

from search.errors import StaleCursor

SALT = "search.cursor"
MAX_AGE_S = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The last hit of a page. The next page holds what comes after it in (distance, box) order."""

    version_id: int
    # Of query, filters and kind of query: another search cannot continue here.
    question: str
    distance: float
    box_id: int
    shown: int

    def __str__(self) -> str:
        state = [self.version_id, self.question, self.distance, self.box_id, self.shown]
        return signing.dumps(state, salt=SALT)

    @classmethod
    def read(cls, text: str, question: str) -> Self:
        """Raises: StaleCursor, it is damaged, a day old, or of another question."""
        try:
            state = signing.loads(text, salt=SALT, max_age=MAX_AGE_S)
        except signing.BadSignature as exc:  # SignatureExpired is one too
            raise StaleCursor from exc
        names = ("version_id", "question", "distance", "box_id", "shown")
        cursor = cls(**dict(zip(names, state, strict=True)))
        if cursor.question != question:
            raise StaleCursor
        return cursor
