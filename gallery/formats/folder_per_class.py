"""A folder for each class, the person or thing that its pictures show: `class/picture.jpg`.

Above the classes there may be folders `train`, `validation` (or `valid`, `val`) and `test`.
Pictures that lie in no class are refused.
"""

from collections.abc import Iterator
from dataclasses import replace

from gallery.formats import annotations, chinese_clip, folder
from gallery.formats.records import (
    MAX_KEY,
    OWN_KEY,
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Written,
)
from gallery.formats.target import Target


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """Every file in the folder, by name, with its class as identity.

    Raises:
        Unreadable: the path is not a folder.
    """
    for entry in folder.read(path, images, after=after):
        yield _classed(entry) if isinstance(entry, Record) else entry


def write(target: Target, records: Iterator[Record], first_free: int) -> Iterator[Written]:
    """`split/class/picture`, or `class/picture` for classes of no split."""
    classes: dict[str, str] = {}
    for record in records:
        box = record.boxes[0]
        if box.identity is None or box.identity.startswith(OWN_KEY):
            yield Written(item=record.item, reason="no class is named for this box")
            continue
        if box.identity not in classes:
            split = chinese_clip.OUT[box.split] if box.split else ""
            wish = box.identity.replace("/", "_").replace("\\", "_")
            name = target.free(split, wish)
            # A class that is called as a split would be read as one.
            if not split and chinese_clip.split_of(name):
                name = target.free(split, f"class {wish}")
            classes[box.identity] = f"{split}/{name}".lstrip("/")
        where = classes[box.identity]
        wish = record.name.replace("\\", "/").rpartition("/")[2]
        target.picture(where, wish, annotations.content(record))
        kept = where.rpartition("/")[2] == box.identity
        count = len(box.captions)
        notes = [f"{count} texts were left out"] if count else []
        notes += [] if kept else [f"the class {box.identity} is the folder {where}"]
        yield Written(item=record.item, note="; ".join(notes))


def _classed(record: Record) -> Record | Refusal:
    parts = record.name.split("/")
    split = chinese_clip.split_of(parts[0])
    above = parts[1:-1] if split else parts[:-1]
    if not above:
        return Refusal(item=record.item, reason="it lies in no class's folder", mark=record.mark)
    key = "/".join(above)
    if len(key) > MAX_KEY:
        return Refusal(item=record.item, reason="the class's name is too long", mark=record.mark)
    return replace(record, boxes=(replace(record.boxes[0], identity=key, split=split),))


FORMAT = Format(read=read, total=folder.total, write=write)
