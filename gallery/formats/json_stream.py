"""Objects out of a JSON list or JSON Lines file of any size, one at a time.

Only a piece of the file is in memory. Every object comes with the byte position and the line
behind it, from which reading can go on. A broken object is named with its line, and reading
goes on with the next one that starts like one.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from gallery.formats.records import Unreadable

PIECE = 1 << 20
MAX_OBJECT = 16 << 20
_DECODER = json.JSONDecoder()
_BETWEEN = re.compile(r"[\s,]*")
_LEAD = re.compile(r"\ufeff?\s*\[?")
# Where the next object of a flat list may start: behind a comma, or on a line of its own.
_NEXT = re.compile(r"[,\n][\s,]*(?=\{)")


@dataclass(frozen=True, slots=True)
class Place:
    """A position between two objects: bytes, complete lines and objects before it."""

    offset: int = 0
    line: int = 0
    index: int = 0

    def as_list(self) -> list[int]:
        return [self.offset, self.line, self.index]


@dataclass(frozen=True, slots=True)
class Item:
    """One object, or the error in its stead; `line` counts from 1, `after` is behind it."""

    line: int
    value: Any
    error: str
    after: Place


def read(path: Path, start: Place | None = None) -> Iterator[Item]:
    """The objects of a file in order.

    Raises:
        Unreadable: the file cannot be opened, or is neither a list nor lines of objects.
    """
    try:
        file = path.open("rb")
    except OSError as exc:
        raise Unreadable(f"{path} cannot be read: {exc.strerror}.") from exc
    with file:
        window = _Window(file, start or Place())
        if start is None:
            _enter(window, path)
        while True:
            item = _next(window)
            if item is None:
                return
            yield item


def count(path: Path, key: bytes) -> int:
    """How often a key stands in a file: the number of objects, where each has it once.

    Raises:
        Unreadable: as `read`.
    """
    next(read(path), None)
    found, tail = 0, b""
    with path.open("rb") as file:
        while piece := file.read(8 * PIECE):
            joined = tail + piece
            found += joined.count(key)
            # Shorter than the key: a whole one in the tail would count twice.
            tail = joined[1 - len(key) :]
    return found


class _Window:
    """A moving piece of a file as text, which knows its place in bytes, lines and objects."""

    def __init__(self, file: BinaryIO, place: Place) -> None:
        file.seek(place.offset)
        self.file = file
        self.place = place
        self.text = ""
        self.at = 0  # what is before it in the text is done
        self.at_end = False
        self.undecoded = b""

    def grow(self) -> None:
        """Read one more piece behind the text, and let go of what is done."""
        raw = self.file.read(PIECE)
        self.at_end = not raw
        raw = self.undecoded + raw
        # A character may be cut by the piece's end: at most its last 3 bytes wait.
        keep = 0 if self.at_end else _cut_character(raw)
        self.undecoded = raw[len(raw) - keep :]
        # Bytes that are no UTF-8 become lone surrogates, which no caption may hold.
        new = raw[: len(raw) - keep].decode("utf-8", "surrogateescape")
        self.text, self.at = self.text[self.at :] + new, 0

    def move(self, to: int, objects: int = 0) -> None:
        """Be done with everything before the position `to` of the text."""
        gone = self.text[self.at : to]
        self.place = Place(
            self.place.offset + len(gone.encode("utf-8", "surrogateescape")),
            self.place.line + gone.count("\n"),
            self.place.index + objects,
        )
        self.at = to

    @property
    def next_character(self) -> str:
        return self.text[self.at : self.at + 1]


def _cut_character(raw: bytes) -> int:
    """How many bytes at the end begin a UTF-8 character without ending it."""
    for back in range(1, min(4, len(raw) + 1)):
        byte = raw[-back]
        if byte & 0xC0 == 0x80:
            continue
        length = 2 if byte >> 5 == 6 else 3 if byte >> 4 == 14 else 4 if byte >> 3 == 30 else 1
        return back if length > back else 0
    return 0


def _enter(window: _Window, path: Path) -> None:
    window.grow()
    _skip(window, _LEAD)
    _skip(window, _BETWEEN)
    if window.next_character not in ("{", "]", ""):
        raise Unreadable(f"{path} is neither a JSON list nor lines of JSON objects.")


def _skip(window: _Window, what: re.Pattern[str]) -> None:
    while True:
        found = what.match(window.text, window.at)
        window.move(found.end() if found else window.at)
        if window.next_character or window.at_end:
            return
        window.grow()


def _next(window: _Window) -> Item | None:
    _skip(window, _BETWEEN)
    if window.next_character in ("", "]"):
        return None
    line = window.place.line + 1
    while True:
        try:
            value, end = _DECODER.raw_decode(window.text, window.at)
        except json.JSONDecodeError as exc:
            if _may_be_cut(window, exc):
                window.grow()
                continue
            line += window.text.count("\n", window.at, exc.pos)
            error = f"broken JSON: {exc.msg}"
        except (RecursionError, ValueError):
            # Python refuses to make a number of thousands of digits.
            error = "broken JSON: nested too deep, or a number too long"
        else:
            window.move(end, objects=1)
            return Item(line, value, "", window.place)
        _resynchronize(window)
        return Item(line, None, error, window.place)


def _may_be_cut(window: _Window, exc: json.JSONDecodeError) -> bool:
    """Whether more of the file may mend an error: it lies at the text's end, or in a string."""
    if window.at_end or len(window.text) - window.at > MAX_OBJECT:
        return False
    return exc.msg.startswith("Unterminated string") or exc.pos > len(window.text) - 32


def _resynchronize(window: _Window) -> None:
    """Move behind a broken object: to the next one, or to the end of the file."""
    window.move(window.at + 1)
    while True:
        found = _NEXT.search(window.text, window.at)
        if found:
            window.move(found.end(), objects=1)
            return
        if window.at_end:
            window.move(len(window.text), objects=1)
            return
        # What was searched holds no separator, but for one cut at its end.
        window.move(max(window.at, len(window.text) - 64))
        window.grow()
