"""COCO: `instances….json` with boxes, `captions….json` with texts, pictures in a folder.

The path is one such file, or a folder of them (or of `annotations`), where files that end alike,
such as `instances_val2017.json` and `captions_val2017.json`, tell of the same pictures. Boxes are
those of one category: `category`, or people where there are any, or all.

An export adds what COCO has no word for, and readers of COCO pass over: `identity` and `split` of
a box, `annotation_id` (the box that a caption tells of), `kind` and `language` of a caption. Read
without them a caption tells of the whole picture.
"""

import json
import math
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gallery.formats import annotations, chinese_clip, paths
from gallery.formats.records import (
    MAX_KEY,
    OWN_KEY,
    BoxRecord,
    CaptionRecord,
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Unreadable,
    Written,
    caption,
    shown,
    storable,
)
from gallery.formats.target import JsonList, Target

PERSON = "person"
KINDS = ("caption", "attributes", "prompt")
_NAMES = ("instances", "captions", "person_keypoints")
_LISTS = ("images", "annotations", "categories")
_SPACE = re.compile(r"[\s,]*")
_SPLIT = re.compile(r"(?:^|_)(train|val|valid|validation|test)(?=\d|_|$)")
_DECODER = json.JSONDecoder()


@dataclass(slots=True)
class _Picture:
    """One picture of the files: its boxes by annotation id, texts of the whole, other texts."""

    name: str
    size: tuple[object, object]
    boxes: dict[object, BoxRecord] = field(default_factory=dict)
    texts: list[CaptionRecord] = field(default_factory=list)
    of_boxes: dict[object, list[CaptionRecord]] = field(default_factory=dict)


def read(
    path: str, images: str | None = None, *, after: Mark | None = None, category: str = ""
) -> Iterator[Entry]:
    """The pictures with their boxes and texts; bad annotations first, by their lines.

    A mark is [number of the group of files, 0, refusals given] or [number, 1, pictures given].

    Raises:
        Unreadable: there is no such file, or it is no COCO file.
    """
    start = after if isinstance(after, list) else [-1, 0, 0]
    for number, (split, files) in enumerate(_groups(path)):
        if number < start[0]:
            continue
        here = start if number == start[0] else [number, 0, 0]
        pictures, refusals = _gather(files, category, split)
        for count, (item, reason) in enumerate(refusals, 1):
            if here[1] == 0 and count > here[2]:
                yield Refusal(item=item, reason=reason, mark=[number, 0, count])
        root, done = _root(files[0], images), here[2] if here[1] else 0
        for count, picture in enumerate(pictures.values(), 1):
            if count > done:
                yield _record(picture, root, split, [number, 1, count])


def total(path: str, images: str | None = None, *, category: str = "") -> int | None:
    """None: nobody knows without reading it all.

    Raises:
        Unreadable: there is no such file.
    """
    _groups(path)
    return None


def write(target: Target, records: Iterator[Record], first_free: int) -> Iterator[Written]:
    """`annotations/instances.json` and `annotations/captions.json`, pictures in `images`."""
    parts = {name: target.place(f"annotations/{name}.part") for name in ("i", "b", "c")}
    with ExitStack() as stack:
        lists = {
            name: JsonList(stack.enter_context(part.open("w", encoding="utf-8")))
            for name, part in parts.items()
        }
        numbers = {"b": 0, "c": 0}
        for number, record in enumerate(records, 1):
            name = target.picture(annotations.IMAGES, record.name, annotations.content(record))
            width, height = record.size or (0, 0)
            about = {"id": number, "file_name": name, "width": width, "height": height}
            lists["i"].add(about)
            for box in record.boxes:
                numbers["b"] += 1
                lists["b"].add(_instance(box, numbers["b"], number, width, height))
                for one in box.captions:
                    numbers["c"] += 1
                    row = {"id": numbers["c"], "image_id": number, "caption": one.text}
                    more = {"kind": one.kind, "language": one.language}
                    lists["c"].add(row | {"annotation_id": numbers["b"]} | more)
            yield Written(item=record.item)
        for rows in lists.values():
            rows.end()
    categories = json.dumps([{"id": 1, "name": PERSON, "supercategory": PERSON}])
    for name, part, rest in (
        ("instances", "b", f', "categories": {categories}'),
        ("captions", "c", ""),
    ):
        with target.place(f"annotations/{name}.json").open("w", encoding="utf-8") as file:
            file.write('{"images": ')
            _copy(parts["i"], file)
            file.write(', "annotations": ')
            _copy(parts[part], file)
            file.write(f"{rest}}}\n")
    for file_of_rows in parts.values():
        file_of_rows.unlink()


def _copy(part: Path, file: Any) -> None:
    with part.open(encoding="utf-8") as rows:
        shutil.copyfileobj(rows, file)


def _instance(box: BoxRecord, number: int, image: int, width: int, height: int) -> dict[str, Any]:
    left, top, right, bottom = box.bounds or (0, 0, width, height)
    row: dict[str, Any] = {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": [left, top, right - left, bottom - top],
        "area": (right - left) * (bottom - top),
        "iscrowd": 0,
    }
    if box.identity and not box.identity.startswith(OWN_KEY):
        row["identity"] = box.identity
    if box.split:
        row["split"] = box.split
    return row


def _groups(path: str) -> list[tuple[str, list[Path]]]:
    """Split and files of each set of pictures."""
    root = Path(path)
    if root.is_file():
        return [(_split_of(root), [root])]
    folder = root / "annotations" if (root / "annotations").is_dir() else root
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.glob("*.json")):
        name = next((name for name in _NAMES if file.stem.startswith(name)), None)
        if name is not None:
            found.setdefault(file.stem.removeprefix(name), []).append(file)
    if not found:
        raise Unreadable(f"{path} is no file, and no folder of instances….json or captions….json.")
    return [(_split_of(files[0]), files) for files in found.values()]


def _split_of(file: Path) -> str:
    found = _SPLIT.search(file.stem)
    return chinese_clip.split_of(found[1]) if found else ""


def _root(file: Path, images: str | None) -> Path:
    beside = file.parent.parent if file.parent.name == "annotations" else file.parent
    root = Path(images) if images else beside / annotations.IMAGES
    root = (root if root.is_dir() else beside).resolve()
    if images and not Path(images).is_dir():
        raise Unreadable(f"{images} is not a folder.")
    return root


def _gather(
    files: list[Path], category: str, split: str
) -> tuple[dict[object, _Picture], list[tuple[str, str]]]:
    """Pictures by id, and (where, reason) of the annotations that were refused."""
    pictures: dict[object, _Picture] = {}
    categories: dict[object, str] = {}
    rows: list[tuple[str, Any]] = []
    refusals: list[tuple[str, str]] = []
    for file in files:
        for name, line, value in _entries(file):
            where = f"{file.name} line {line}, {name[:-1]}"
            if not isinstance(value, dict):
                refusals.append((where, "it is not an object"))
            elif name == "annotations":
                rows.append((f"{where} {value.get('id')}"[:200], value))
            elif name == "categories":
                categories[_key(value.get("id"))] = str(value.get("name"))
            elif not isinstance(value.get("file_name"), str):
                refusals.append((where, "file_name is missing or not text"))
            else:
                size = value.get("width"), value.get("height")
                pictures.setdefault(_key(value.get("id")), _Picture(value["file_name"], size))
    if category and category not in categories.values():
        known = ", ".join(sorted(set(categories.values()))) or "none"
        raise Unreadable(f"{files[0]} has no category {category}; it has {known}.")
    chosen = category or (PERSON if PERSON in categories.values() else "")
    wanted = {key for key, name in categories.items() if name == chosen} if chosen else None
    for where, row in rows:
        reason = _take(pictures, row, wanted, split)
        if reason:
            refusals.append((where, reason))
    return pictures, refusals


def _key(value: object) -> object:
    return value if isinstance(value, int | str) else None


def _entries(path: Path) -> Iterator[tuple[str, int, Any]]:
    """(list, line from 1, value) of everything in the lists of a file.

    Raises:
        Unreadable: it is no JSON object of lists; the message names the line.
    """
    try:
        text = path.read_text("utf-8", errors="surrogateescape")
    except OSError as exc:
        raise Unreadable(f"{path} cannot be read: {exc.strerror}.") from exc
    at, line, counted = _skip(text, 0), 1, 0

    def line_of(place: int) -> int:
        nonlocal line, counted
        line, counted = line + text.count("\n", counted, place), max(place, counted)
        return line

    try:
        if text[at : at + 1] != "{":
            raise Unreadable(f"{path} is no COCO file: it does not begin with an object.")
        at = _skip(text, at + 1)
        while text[at : at + 1] != "}":
            name, at = _DECODER.raw_decode(text, at)
            at = text.index(":", at) + 1
            at = _skip(text, at)
            if name not in _LISTS or text[at : at + 1] != "[":
                _value, at = _DECODER.raw_decode(text, at)
            else:
                at = _skip(text, at + 1)
                while text[at : at + 1] != "]":
                    here = line_of(at)
                    value, at = _DECODER.raw_decode(text, at)
                    yield name, here, value
                    at = _skip(text, at)
                at += 1
            at = _skip(text, at)
    except (ValueError, RecursionError) as exc:
        place = exc.pos if isinstance(exc, json.JSONDecodeError) else at
        raise Unreadable(f"{path} line {line_of(place)}: broken JSON.") from exc


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _take(
    pictures: dict[object, _Picture], row: dict[str, Any], wanted: set[object] | None, split: str
) -> str:
    """Add an annotation to its picture, or give the reason why not."""
    picture = pictures.get(_key(row.get("image_id")))
    if picture is None:
        return f"there is no image {row.get('image_id')!r:.40}"
    if "caption" in row:
        return _take_text(picture, row)
    if wanted is not None and _key(row.get("category_id")) not in wanted:
        return ""
    if row.get("iscrowd"):
        return "it is a crowd, not one box"
    bounds = _bounds(row.get("bbox"))
    if isinstance(bounds, str):
        return bounds
    identity = row.get("identity")
    if identity is not None and not (
        isinstance(identity, str) and 0 < len(identity) <= MAX_KEY and storable(identity)
    ):
        return "identity is no text, or too long"
    named = chinese_clip.split_of(str(row.get("split") or "")) or split
    whole = bounds == (0, 0, *picture.size)
    box = BoxRecord(bounds=None if whole else bounds, identity=identity, split=named)
    picture.boxes[_key(row.get("id")) or len(picture.boxes)] = box
    return ""


def _take_text(picture: _Picture, row: dict[str, Any]) -> str:
    kind = row.get("kind") if row.get("kind") in KINDS else "caption"
    good = caption(row["caption"], "caption", str(kind))
    if isinstance(good, str):
        return good
    of = row.get("annotation_id")
    if of is None:
        picture.texts.append(good)
    else:
        picture.of_boxes.setdefault(_key(of), []).append(good)
    return ""


def _bounds(value: object) -> tuple[int, int, int, int] | str:
    """Left, top, right, bottom around left, top, width, height."""
    if not isinstance(value, list) or len(value) != 4:
        return "bbox is not [left, top, width, height]"
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
        return "bbox holds something that is no number"
    left, top, width, height = value
    if not all(math.isfinite(one) and abs(one) < 1e9 for one in value):
        return "bbox holds a number that is no place"
    if width <= 0 or height <= 0:
        return f"bbox {value} is empty"
    return math.floor(left), math.floor(top), math.ceil(left + width), math.ceil(top + height)


def _record(picture: _Picture, root: Path, split: str, mark: Mark) -> Record | Refusal:
    label = shown(picture.name)
    found = paths.inside(root, picture.name)
    if isinstance(found, str):
        return Refusal(item=label, reason=found, mark=mark)
    boxes = [
        BoxRecord(
            bounds=box.bounds,
            identity=box.identity,
            split=box.split,
            captions=tuple(picture.of_boxes.get(key, ())),
        )
        for key, box in picture.boxes.items()
    ]
    lost = sum(len(of) for key, of in picture.of_boxes.items() if key not in picture.boxes)
    if picture.texts or not boxes:
        boxes.append(BoxRecord(split=split, captions=tuple(picture.texts)))
    return Record(
        item=label,
        name=label,
        content=found,
        mark=mark,
        boxes=tuple(boxes),
        problems=(f"{lost} captions tell of a box that is not there",) if lost else (),
    )


FORMAT = Format(
    read=read, total=total, options=frozenset({"category"}), write=write, unit="picture"
)
