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
from gallery.formats.records import CaptionRecord, Entry, Format, Mark, caption

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


FORMAT = Format(read=read, total=total, options=frozenset({"test_records"}))
