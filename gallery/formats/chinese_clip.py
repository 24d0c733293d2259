"""Chinese-CLIP's `{split}_imgs.tsv` (id, tab, base64 of a file) with `{split}_texts.jsonl`.

A line of the texts is `{"text_id", "text", "image_ids": [...]}`. The path is the folder, or one
TSV file in it; `id2image.json` beside them, where there is one, tells the names of the pictures.
Texts are held in memory, pictures are read one by one.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gallery.formats import annotations
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
    caption,
    shown,
    whole_number,
)
from gallery.formats.target import Target

SPLITS = {
    "train": "train",
    "valid": "validation",
    "val": "validation",
    "validation": "validation",
    "test": "test",
}
# How a split is called going out; people of no split go to "all".
OUT = {"train": "train", "validation": "valid", "test": "test", "": "all"}
ENDING = "_imgs.tsv"

Texts = dict[int, list[CaptionRecord]]


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """The pictures of each split with their texts; bad texts first, by their lines.

    A mark is [number of the split, byte behind it in the TSV, line there]; byte 0 is among the
    texts.

    Raises:
        Unreadable: there is no TSV, or it has no texts beside it.
    """
    start = after if isinstance(after, list) else [-1, 0, 0]
    for number, file in enumerate(_files(path)):
        if number < start[0]:
            continue
        here = start if number == start[0] else [number, 0, 0]
        texts, refusals = read_texts(_texts_of(file), image_ids(file))
        for line, reason in refusals:
            if here[1] == 0 and line > here[2]:
                label = f"{_texts_of(file).name} line {line}"
                yield Refusal(item=label, reason=reason, mark=[number, 0, line])
        yield from _pictures(file, number, here, texts)


def total(path: str, images: str | None = None) -> int:
    """How many pictures the TSV files have.

    Raises:
        Unreadable: as `read`.
    """
    files = _files(path)
    for file in files:
        if not _texts_of(file).is_file():
            raise Unreadable(f"{_texts_of(file)} is missing.")
    return sum(_lines(file) for file in files)


def read_texts(path: Path, known: set[int]) -> tuple[Texts, list[tuple[int, str]]]:
    """Captions by image, and (line from 1, reason) of what was refused.

    Args:
        known: ids of the pictures there are.

    Raises:
        Unreadable: the file cannot be read.
    """
    texts: Texts = {}
    refusals = []
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    reasons = _take(line, texts, known)
                    if reasons:
                        refusals.append((number, "; ".join(reasons)))
    except OSError as exc:
        raise Unreadable(f"{path} cannot be read: {exc.strerror}.") from exc
    return texts, refusals


def image_ids(path: Path) -> set[int]:
    """The numbers before the tabs of a TSV.

    Raises:
        Unreadable: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            heads = (line.partition(b"\t")[0].strip() for line in file)
            return {int(head) for head in heads if head.isdigit() and len(head) < 20}
    except OSError as exc:
        raise Unreadable(f"{path} cannot be read: {exc.strerror}.") from exc


def names(folder: Path) -> dict[int, str]:
    """What `id2image.json` in a folder calls the pictures; empty where it is none."""
    try:
        value = json.loads((folder / "id2image.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    pairs = value.items() if isinstance(value, dict) else ()
    return {int(key): name for key, name in pairs if key.isdigit() and isinstance(name, str)}


def split_of(name: str) -> str:
    """The split that a file's or folder's name begins with, or ""."""
    return SPLITS.get(name.lower(), "")


def picture(text: bytes) -> bytes | str:
    """A picture's file out of base64 of either alphabet, or the reason why it is none."""
    try:
        return base64.b64decode(text.strip().translate(_URL_SAFE), validate=True)
    except (binascii.Error, ValueError):
        return "the picture is no base64"


def record(
    item: str, mark: Mark, number: int, coded: bytes, name: str, split: str, texts: Texts
) -> Record | Refusal:
    """One picture with its texts, as a whole box of nobody in particular."""
    content = picture(coded)
    if isinstance(content, str):
        return Refusal(item=item, reason=content, mark=mark)
    box = BoxRecord(split=split, captions=tuple(texts.get(number, ())))
    return Record(item=item, name=shown(name), content=content, mark=mark, boxes=(box,))


def write(target: Target, records: Iterator[Record], first_free: int) -> Iterator[Written]:
    """The files of each split and `id2image.json`; attributes and prompts have no place."""
    tables = {}
    called: dict[str, str] = {}
    texts: dict[str, int] = {}
    try:
        for number, one in enumerate(records):
            box = one.boxes[0]
            split = OUT[box.split]
            if split not in tables:
                tables[split] = (
                    target.place(f"{split}{ENDING}").open("wb"),
                    target.place(f"{split}_texts.jsonl").open("w", encoding="utf-8"),
                )
            pictures, lines = tables[split]
            coded = base64.b64encode(annotations.content(one))
            pictures.write(b"%d\t%s\n" % (number, coded))
            for text in annotations.texts(box):
                row = {"text_id": texts.get(split, 0), "text": text, "image_ids": [number]}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
                texts[split] = texts.get(split, 0) + 1
            called[str(number)] = target.free("", one.name, annotations.content(one))
            yield Written(item=one.item, note=left_out(box))
    finally:
        for pair in tables.values():
            for file in pair:
                file.close()
    target.place("id2image.json").write_text(json.dumps(called, ensure_ascii=False), "utf-8")


def left_out(box: BoxRecord) -> str:
    """A note on the texts that a format of captions does not take, or ""."""
    count = sum(one.kind != "caption" for one in box.captions)
    return f"{count} attribute strings or prompts were left out" if count else ""


_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def _files(path: str) -> list[Path]:
    root = Path(path)
    files = sorted(root.glob(f"*{ENDING}")) if root.is_dir() else [root]
    if not files or not files[0].is_file() or not files[0].name.endswith(ENDING):
        raise Unreadable(f"{path} is no file …{ENDING}, and no folder with one.")
    return files


def _texts_of(file: Path) -> Path:
    return file.with_name(f"{file.name.removesuffix(ENDING)}_texts.jsonl")


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _pictures(file: Path, number: int, here: list[int], texts: Texts) -> Iterator[Entry]:
    called, split = names(file.parent), split_of(file.name.removesuffix(ENDING))
    with file.open("rb") as lines:
        lines.seek(here[1])
        count, offset = here[2] if here[1] else 0, here[1]
        for line in lines:
            count, offset = count + 1, offset + len(line)
            mark: Mark = [number, offset, count]
            if not line.strip():
                continue
            label = f"{file.name} line {count}"
            head, tab, coded = line.partition(b"\t")
            if not tab or not head.strip().isdigit() or len(head) > 18:
                reason = "the line is not a number, a tab and a picture"
                yield Refusal(item=label, reason=reason, mark=mark)
                continue
            key = int(head)
            name = called.get(key, f"{key}.jpg")
            yield record(f"{label}: {shown(name)}", mark, key, coded, name, split, texts)


def _take(line: str, texts: Texts, known: set[int]) -> list[str]:
    """Add the text of a line to its pictures; the reasons of what was refused."""
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return ["broken JSON"]
    if not isinstance(value, dict) or not isinstance(value.get("image_ids"), list):
        return ["image_ids is missing or not a list"]
    good = caption(value.get("text"), "text")
    if isinstance(good, str):
        return [good]
    reasons = []
    for one in value["image_ids"]:
        key = whole_number(one, "an image id")
        if isinstance(key, str):
            reasons.append(key)
        elif key not in known:
            reasons.append(f"there is no image {key}")
        else:
            texts.setdefault(key, []).append(good)
    return reasons


FORMAT = Format(read=read, total=total, write=write)
