"""`synthpedes-dataset.json`: captions, attribute strings and prompts for single persons.

A list of `{"id", "file_path", "attributes": ["a,b,..."], "captions": [...],
"prompt_caption": [...]}`. The file has no splits: by convention its first 5,000 records are for
testing and the rest for training. A person on both sides of that line stays in test, because
an identity keeps its first split.
"""

from collections.abc import Iterator
from functools import partial
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
    caption,
)
from gallery.formats.target import Target

TEST_RECORDS = 5000


def read(
    path: str,
    images: str | None = None,
    *,
    after: Mark | None = None,
    test_records: int = TEST_RECORDS,
) -> Iterator[Entry]:
    """The records of a `synthpedes-dataset.json`.

    Raises:
        Unreadable: the file or the folder of the pictures cannot be read.
    """
    yield from annotations.read(path, images, after, partial(_describe, test_records))


def total(path: str, images: str | None = None, *, test_records: int = TEST_RECORDS) -> int:
    """How many records there are.

    Raises:
        Unreadable: the file cannot be read.
    """
    return annotations.total(path, images)


def attribute_string(text: str) -> str:
    """A comma-joined attribute string without the parts that say unknown."""
    parts = (part.strip() for part in text.split(","))
    return ",".join(part for part in parts if part and "unknown" not in part.lower().split())


def _describe(
    test_records: int, value: dict[str, Any], index: int
) -> tuple[str, list[CaptionRecord | str], list[str]]:
    described = annotations.captions(value.get("captions"), "caption")
    described += annotations.captions(value.get("prompt_caption"), "prompt_caption", "prompt")
    described += _attributes(value.get("attributes"))
    return ("test" if index < test_records else "train"), described, []


def _attributes(value: object) -> list[CaptionRecord | str]:
    if value is None:
        return []
    if not isinstance(value, list):
        return ["attributes is not a list"]
    if not value or not isinstance(value[0], str):
        return ["attributes does not begin with text"]
    known = attribute_string(value[0])
    # A person of whom every attribute is unknown simply has no attribute string.
    return [caption(known, "attributes", "attributes")] if known else []


def write(target: Target, records: Iterator[Record], first_free: int) -> Iterator[Written]:
    """`synthpedes-dataset.json`, and the pictures in `images`; records come test first.

    The file cannot say where testing ends: readers count, 5,000 by convention.
    """
    seen = {"test": 0}

    def described(box: BoxRecord) -> tuple[dict[str, Any], str]:
        seen[box.split] = seen.get(box.split, 0) + 1
        known = annotations.texts(box, "attributes")
        # An empty list of attributes reads as a broken one.
        more: dict[str, Any] = {"attributes": known[:1]} if known else {}
        more |= {
            "captions": annotations.texts(box),
            "prompt_caption": annotations.texts(box, "prompt"),
        }
        notes = ["only the first attribute string was written"] if known[1:] else []
        if box.split not in ("test", "train"):
            notes.append("the file has no such split: it reads as train")
        if seen["test"] != TEST_RECORDS and sum(seen.values()) == seen["test"] + 1:
            notes.append(f"training begins here: read the file with --test-records {seen['test']}")
        return more, "; ".join(notes)

    name = "synthpedes-dataset.json"
    yield from annotations.write(target, records, first_free, name, described)


FORMAT = Format(
    read=read,
    total=total,
    options=frozenset({"test_records"}),
    write=write,
    test_first=True,
)
