"""What a description denies: "without a red coat", 没背包的.

A model that compares a sentence with a picture as a whole commonly hears the coat and not the
"without". What a query means is never guessed at: whoever denies something is offered the token
that leaves it out for certain.
"""

import re
from typing import NamedTuple

from search import phrases

_WORDS = r"[\w'’-]+"
_DENIED = re.compile(
    r"[\s,]*\b(?:(?:and|but|who|who's|is|are|was|were|does|do|has|have|wearing|carrying)\s+)*"
    r"(?:without|with\s+no|no|(?:not|never|isn['’]t|aren['’]t|wasn['’]t|doesn['’]t|don['’]t)"
    r"(?:\s+(?:wear|wearing|carry|carrying|hold|holding|have|having|with|in|any))+)\s+"
    r"(?:(?:an?|any|the|his|her|their)\s+)*"
    rf"(?P<what>{_WORDS}(?:\s+{_WORDS}){{0,3}}?)"
    r"(?=\s*(?:$|[,.;+\"]|\s[+-]|\s(?:and|but|or|with|without|in|on|who|wearing|carrying|holding)\b))",
    re.IGNORECASE,
)
# 不 before a verb, or 没 and 无 with or without one; 不锈钢, 无袖 and the like are no denials.
_ZH_DENIED = re.compile(
    r"[，,、\s]*(?:而且|并且|但是?|并|且)?"
    r"(?:不(?=[穿戴背拿带拎提打撑挎])|没有?|未|无(?=帽|包|眼镜|背包|雨伞))"
    r"(?:背(?!包)|[穿戴拿带拎提打撑挎有])?着?"
    r"(?P<what>[\u4e00-\u9fff]{1,8}?)(?:的(?=[\u4e00-\u9fff])|、|(?=的?(?:$|[，,。.；\s+-])))"
)


class Denial(NamedTuple):
    """What is denied, and text[start:stop] that says so."""

    what: str
    start: int
    stop: int


def find(text: str) -> list[Denial]:
    """What a text denies, in its order."""
    pattern = _ZH_DENIED if phrases.is_chinese(text) else _DENIED
    return [Denial(found["what"], *found.span()) for found in pattern.finditer(text)]
