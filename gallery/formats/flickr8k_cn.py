"""Flickr8k-CN: a JSON list of `{"image": "folder\\\\name.jpg", "caption": [...]}` and a folder.

The path is such a file, or a folder of them (`cn_train.json`, `cn_val.json`, `cn_test.json`);
the split is in the file's name. A picture is looked for by its whole name in `images`, then by
the last part of it.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from gallery.formats import annotations, chinese_clip, json_stream, paths
from gallery.formats.json_stream import Item, Place
from gallery.formats.records import (
    BoxRecord,
    CaptionRecord,
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Unreadable,
    Written,
    shown,
)
from gallery.formats.target import JsonList, Target, json_list

FOLDER = "flickr8k-images"
OUT = {"train": "cn_train.json", "validation": "cn_val.json", "test": "cn_test.json",
       "": "cn.json"}  # fmt: skip


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """The pictures of each file; a mark is [number of the file, byte, line, object].

    Raises:
        Unreadable: a file or the folder of the pictures cannot be read.
    """
    files, root = _files(path), _root(path, images)
    start = after if isinstance(after, list) else [0]
    for number, file in enumerate(files[start[0] :], start[0]):
        place = Place(*start[1:]) if number == start[0] and len(start) > 1 else None
        split = chinese_clip.split_of(file.stem.rpartition("_")[2])
        for item in json_stream.read(file, place):
            yield _entry(item, f"{file.name} line {item.line}", number, root, split)


def total(path: str, images: str | None = None) -> int:
    """How many pictures the files name.

    Raises:
        Unreadable: as `read`.
    """
    _root(path, images)
    return sum(json_stream.count(file, b'"image"') for file in _files(path))


def write(target: Target, records: Iterator[Record], first_free: int) -> Iterator[Written]:
    """A file for each split, the pictures in `flickr8k-images`, and `id2image.json`."""
    called = {}
    with ExitStack() as stack:
        lists: dict[str, JsonList] = {}
        for number, record in enumerate(records):
            box = record.boxes[0]
            if box.split not in lists:
                lists[box.split] = stack.enter_context(json_list(target.place(OUT[box.split])))
            # The tools of this set cut names at their only backslash: no folders in folders.
            wish = record.name.replace("\\", "/").replace("/", "_")
            name = target.picture(FOLDER, wish, annotations.content(record))
            texts = annotations.texts(box)
            lists[box.split].add({"image": f"{FOLDER}\\{name}", "caption": texts})
            called[str(number)] = name
            yield Written(item=record.item, note=chinese_clip.left_out(box))
    target.place("id2image.json").write_text(json.dumps(called, ensure_ascii=False), "utf-8")


def _files(path: str) -> list[Path]:
    root = Path(path)
    files = sorted(root.glob("cn*.json")) if root.is_dir() else [root]
    if not files:
        raise Unreadable(f"{path} has no file cn….json.")
    return files


def _root(path: str, images: str | None) -> Path:
    beside = Path(path) if Path(path).is_dir() else Path(path).parent
    root = (Path(images) if images else beside).resolve()
    if not root.is_dir():
        raise Unreadable(f"{root} is not a folder.")
    return root


def _entry(item: Item, label: str, file: int, root: Path, split: str) -> Record | Refusal:
    mark = [file, *item.after.as_list()]
    if item.error or not isinstance(item.value, dict):
        reason = item.error or "the record is not an object"
        return Refusal(item=label, reason=reason, mark=mark)
    named = item.value.get("image")
    if not isinstance(named, str):
        return Refusal(item=label, reason="image is missing or not text", mark=mark)
    label = f"{label}: {shown(named)}"
    last = named.replace("\\", "/").rpartition("/")[2]
    found = paths.inside(root, named)
    if found == paths.NONE:
        found = paths.inside(root, last)
    if isinstance(found, str):
        return Refusal(item=label, reason=found, mark=mark)
    texts = annotations.captions(item.value.get("caption"), "caption")
    box = BoxRecord(
        split=split, captions=tuple(one for one in texts if isinstance(one, CaptionRecord))
    )
    return Record(
        item=label,
        name=shown(last),
        content=found,
        mark=mark,
        boxes=(box,),
        problems=tuple(one for one in texts if isinstance(one, str)),
    )


FORMAT = Format(read=read, total=total, write=write)
