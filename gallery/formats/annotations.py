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
    caption,
    shown,
    whole_number,
)

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
