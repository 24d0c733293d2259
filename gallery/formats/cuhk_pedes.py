"""`reid_raw.json` of CUHK-PEDES and the sets made after it.

A list of `{"id", "file_path", "captions": [...], "split": "train|val|test"}`; every picture is
one person, whole.
"""

from collections.abc import Iterator
from typing import Any

from gallery.formats import annotations
from gallery.formats.records import (
    BoxRecord,
    CaptionRecord,
    Entry,
    Format,
    Mark,
    Record,
    Written,
)
from gallery.formats.target import Target

SPLITS = {"train": "train", "val": "validation", "test": "test"}


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """The records of a `reid_raw.json`.

    Raises:
        Unreadable: the file or the folder of the pictures cannot be read.
    """
    yield from annotations.read(path, images, after, _describe)


def total(path: str, images: str | None = None) -> int:
    """How many records there are.

    Raises:
        Unreadable: the file cannot be read.
    """
    return annotations.total(path, images)


def _describe(
    value: dict[str, Any], index: int
) -> tuple[str, list[CaptionRecord | str], list[str]]:
    named = value.get("split")
    split = SPLITS.get(named, "") if isinstance(named, str) else ""
    problems = [] if split else ["split is not train, val or test; the person is in none"]
    return split, annotations.captions(value.get("captions"), "caption"), problems


def write(target: Target, records: Iterator[Record], first_free: int) -> Iterator[Written]:
    """`reid_raw.json`, and the pictures in `images`.

    Whoever is in no split keeps none, which CUHK-PEDES' own tools pass over.
    """
    yield from annotations.write(target, records, first_free, "reid_raw.json", _described)


def _described(box: BoxRecord) -> tuple[dict[str, Any], str]:
    split = {mine: theirs for theirs, mine in SPLITS.items()}.get(box.split, "")
    more = {"captions": annotations.texts(box), "split": split}
    return more, "" if split else "the person is in no split"


FORMAT = Format(read=read, total=total, write=write)
