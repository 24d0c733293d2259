"""What the JSON annotation formats share: objects with a file path, an id and captions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gallery.formats import json_stream, paths
from gallery.formats.json_stream import Item, Place
from gallery.formats.records import (
    BoxRecord,
    CaptionRecord,
    Entry,
    Mark,
    Record,
    Refusal,
    Unreadable,
    Written,
    caption,
    shown,
    whole_number,
)
from gallery.formats.target import Target, json_list

# The folder of the pictures in an export.
IMAGES = "images"

# Adds split and captions to a record's one box: (object, its number from 0) -> split, captions,
# problems.
Describe = Callable[[dict[str, Any], int], tuple[str, list[CaptionRecord | str], list[str]]]


def read(path: str, images: str | None, after: Mark | None, describe: Describe) -> Iterator[Entry]:
    """The records of an annotation file; pictures are looked for in `images`, or beside it.

    Raises:
        Unreadable: the file or the folder of the pictures cannot be read.
    """
    root = _root(path, images)
    start = Place(*after) if isinstance(after, list) else None
    for item in json_stream.read(Path(path), start):
        yield _entry(item, root, describe)


def total(path: str, images: str | None) -> int:
    """How many records a file has, by its `file_path` keys.

    Raises:
        Unreadable: the file or the folder of the pictures cannot be read.
    """
    _root(path, images)
    return json_stream.count(Path(path), b'"file_path"')


def captions(value: object, field: str, kind: str = "caption") -> list[CaptionRecord | str]:
    """The captions in a list of texts; in the place of a bad one the reason."""
    if value is None:
        return []
    if not isinstance(value, list):
        return [f"{field} is not a list"]
    return [caption(text, f"{field} {n}", kind) for n, text in enumerate(value, 1)]


class Numbers:
    """Whole numbers for people: their own where a key is one, else such as nobody has."""

    def __init__(self, first_free: int) -> None:
        self._next = max(1, first_free)
        self._given: dict[str, int] = {}

    def of(self, key: str) -> int:
        """The number of a person; the same key has the same one."""
        if key.isascii() and key.isdigit() and str(int(key)) == key:
            return int(key)
        if key not in self._given:
            self._given[key] = self._next
            self._next += 1
        return self._given[key]


def write(
    target: Target,
    records: Iterator[Record],
    first_free: int,
    name: str,
    described: Callable[[BoxRecord], tuple[dict[str, Any], str]],
) -> Iterator[Written]:
    """Pictures below `images/` and the annotation file `name`; one outcome a record.

    Args:
        described: what an object has beside its id and path, and a note, or "".
    """
    numbers = Numbers(first_free)
    with json_list(target.place(name)) as values:
        for record in records:
            box = record.boxes[0]
            if box.identity is None:
                yield Written(item=record.item, reason="nobody is named for this box")
                continue
            more, note = described(box)
            file = target.picture(IMAGES, record.name, content(record))
            values.add({"id": numbers.of(box.identity), "file_path": file, **more})
            yield Written(item=record.item, note=note)


def texts(box: BoxRecord, kind: str = "caption") -> list[str]:
    """What was said of a box, in one kind."""
    return [one.text for one in box.captions if one.kind == kind]


def content(record: Record) -> bytes:
    """The picture's file."""
    data = record.content
    return data if isinstance(data, bytes) else data.read_bytes()


def _root(path: str, images: str | None) -> Path:
    root = (Path(images) if images else Path(path).parent).resolve()
    if not root.is_dir():
        raise Unreadable(f"{root} is not a folder.")
    return root


def _entry(item: Item, root: Path, describe: Describe) -> Record | Refusal:
    number = item.after.index
    label = f"line {item.line}, record {number}"
    mark = item.after.as_list()
    if item.error:
        return Refusal(item=label, reason=item.error, mark=mark)
    if not isinstance(item.value, dict):
        return Refusal(item=label, reason="the record is not an object", mark=mark)
    named = item.value.get("file_path")
    if not isinstance(named, str):
        return Refusal(item=label, reason="file_path is missing or not text", mark=mark)
    label = f"{label}: {shown(named)}"
    identity = whole_number(item.value.get("id"), "id")
    if isinstance(identity, str):
        return Refusal(item=label, reason=identity, mark=mark)
    file = paths.inside(root, named)
    if isinstance(file, str):
        return Refusal(item=label, reason=file, mark=mark)
    split, described, problems = describe(item.value, number - 1)
    good = tuple(one for one in described if isinstance(one, CaptionRecord))
    problems += [one for one in described if isinstance(one, str)]
    return Record(
        item=label,
        name=shown(named.replace("\\", "/")),
        content=file,
        mark=mark,
        boxes=(BoxRecord(identity=str(identity), split=split, captions=good),),
        problems=tuple(problems),
    )
