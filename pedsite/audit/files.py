"""The log as files, for other systems and for safe keeping."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from pedsite.audit.models import Entry, Link

COLUMNS = (
    "id", "at", "user_id", "username", "key", "via", "address", "action", "about", "text",
    "purpose", "version", "results", "detail", "link", "hash",
)  # fmt: skip
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
BATCH = 1000


def linked(entries: QuerySet[Entry]) -> QuerySet[Entry]:
    """Entries with `link` and `hash`, None while they wait for their link."""
    mine = Link.objects.filter(entry_id=OuterRef("pk"))
    return entries.annotate(
        link=Subquery(mine.values("number")), hash=Subquery(mine.values("hash"))
    )


def row(entry: Entry) -> dict[str, Any]:
    """One entry of `linked` as plain values."""
    told = {name: getattr(entry, name) for name in COLUMNS}
    return told | {"at": entry.at.isoformat()}


def as_csv(entries: QuerySet[Entry]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark, oldest first."""
    line = io.StringIO()
    writer = csv.DictWriter(line, COLUMNS)
    writer.writeheader()
    yield b"\xef\xbb\xbf" + line.getvalue().encode()
    for told in _rows(entries):
        told["detail"] = json.dumps(told["detail"], ensure_ascii=False)
        line.seek(0)
        line.truncate()
        writer.writerow({name: _harmless(value) for name, value in told.items()})
        yield line.getvalue().encode()


def as_json(entries: QuerySet[Entry]) -> Iterator[bytes]:
    """One list of objects, oldest first."""
    before = b"[\n"
    for told in _rows(entries):
        yield before + json.dumps(told, ensure_ascii=False).encode()
        before = b",\n"
    yield b"\n]\n" if before != b"[\n" else b"[]\n"


FORMATS: dict[str, tuple[str, Callable[[QuerySet[Entry]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}


def _rows(entries: QuerySet[Entry]) -> Iterator[dict[str, Any]]:
    for entry in linked(entries).order_by("pk").iterator(chunk_size=BATCH):
        yield row(entry)


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
