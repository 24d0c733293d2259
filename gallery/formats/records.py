"""What every format reads to: records, refusals, and marks to go on from.

A reader is a generator `read(path, images, *, after, **options)` of entries in a fixed order.
Each entry carries the mark behind it; reading with `after=mark` goes on with the next one, so
that an import can be cut anywhere. A mark is JSON and means something to its format only.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

Mark = int | str | list[int]
MAX_CAPTION = 2000
MAX_NAME = 500
MAX_KEY = 200
# Begins the key of a person of whom only one picture is known: its hash follows.
OWN_KEY = "sha256:"
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


class Unreadable(Exception):
    """A source that gives no record at all; the message names it and says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionRecord:
    text: str
    kind: str = "caption"  # caption, attributes, prompt
    language: str = ""  # en, zh, or "" when the words do not tell


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRecord:
    """One region; `bounds` None is the whole picture.

    A whole picture without an `identity` becomes a person of its own; any other box without
    one stays nobody.
    """

    bounds: tuple[int, int, int, int] | None = None  # left, top, right, bottom (exclusive)
    identity: str | None = None
    split: str = ""  # train, validation, test, or ""
    captions: tuple[CaptionRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One picture with what is known of it.

    `item` is how a refusal names the record; `content` is its file or its bytes; `problems`
    say what the reader left out of it.
    """

    item: str
    name: str
    content: Path | bytes
    mark: Mark
    boxes: tuple[BoxRecord, ...] = ()
    camera: str = ""
    taken_at: datetime | None = None
    problems: tuple[str, ...] = ()
    size: tuple[int, int] | None = None  # width, height; set for export


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A record that cannot be used at all."""

    item: str
    reason: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Tick:
    """No entry yet, but a moment to look at the clock: readers give it while they skip."""


Entry = Record | Refusal | Tick


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of one record on its way out: written, with a note or not, or refused."""

    item: str
    reason: str = ""
    note: str = ""


# (where to: Target, what: Iterator[Record], the first number that no person of the dataset has,
# and its `write_options` by name) -> one outcome a record.
Writer = Callable[..., Iterator[Written]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way in, and out where there is a `write`.

    `total` is quick, and None where nobody can know without reading. A writer is given a record
    for each box, cut out (`unit` box), or one for each picture with its boxes (picture).
    """

    read: Callable[..., Iterator[Entry]]
    total: Callable[..., int | None]
    caption_source: str = "imported"
    options: frozenset[str] = field(default_factory=frozenset)
    write: Writer | None = None
    write_options: frozenset[str] = field(default_factory=frozenset)
    unit: str = "box"
    test_first: bool = False  # people of the split test go out before all others


def language_of(text: str) -> str:
    """zh when a Chinese character is in it, en when a Latin letter is, otherwise ""."""
    if _CHINESE.search(text):
        return "zh"
    return "en" if any("a" <= letter <= "z" for letter in text.lower()) else ""


def caption(text: object, what: str, kind: str = "caption") -> CaptionRecord | str:
    """A caption from a file's value, or the reason why it is none; `what` names it there."""
    if not isinstance(text, str):
        return f"{what} is {_type(text)}, not text"
    text = text.strip()
    if not text:
        return f"{what} is empty"
    if len(text) > MAX_CAPTION:
        return f"{what} has {len(text)} characters; the limit is {MAX_CAPTION}"
    if not storable(text):
        return f"{what} holds a NUL or a broken character"
    return CaptionRecord(text=text, kind=kind, language=language_of(text))


def storable(text: str) -> bool:
    """Whether a database takes a text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def printable(name: str) -> str:
    """A name that can be stored and printed, whatever bytes the file system gave."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


def shown(name: str) -> str:
    """`printable`, its beginning cut where it is too long to store."""
    clean = printable(name)
    return clean if len(clean) <= MAX_NAME else "…" + clean[1 - MAX_NAME :]


def whole_number(value: object, what: str) -> int | str:
    """The number, or the reason why it is none: a text, a fraction and true are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return f"{what} is {_type(value)}, not a whole number"
    if value < 0:
        return f"{what} is negative"
    if len(str(value)) > MAX_KEY:
        return f"{what} is too long"
    return value


def _type(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    if value is None:
        return "missing"
    return names.get(type(value), f"the number {value!r:.20}")
