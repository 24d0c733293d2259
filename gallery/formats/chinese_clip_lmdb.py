"""Chinese-CLIP's LMDB: `lmdb/<split>/pairs` and `lmdb/<split>/imgs`, as its own tools read them.

`pairs` has under "0", "1", ... a pickle of (image id, text id, text), and their count under
`num_samples`; `imgs` has under each image id the base64 of its file, and `num_images`.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import lmdb

from gallery.formats import annotations, chinese_clip, pickles
from gallery.formats.records import (
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Unreadable,
    Written,
    caption,
    shown,
)
from gallery.formats.target import Target

# Address space, not disk: the files grow as they are filled.
MAP_SIZE = 1 << 40
COMMIT_EVERY = 500
COUNTS = {"pairs": b"num_samples", "imgs": b"num_images"}


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """The pictures of each split with their texts; bad pairs first, by their index.

    A mark is [number of the split, 0, pairs that were refused] or [number of the split, 1,
    pictures that were read].

    Raises:
        Unreadable: there is no such database, or it does not open.
    """
    start = after if isinstance(after, list) else [-1, 0, 0]
    for number, folder in enumerate(_folders(path)):
        if number < start[0]:
            continue
        here = start if number == start[0] else [number, 0, 0]
        with ExitStack() as stack:
            pictures = _open(stack, folder / "imgs")
            texts, refusals = _texts(_open(stack, folder / "pairs"), pictures)
            for count, (index, reason) in enumerate(refusals, 1):
                if here[1] == 0 and count > here[2]:
                    label = f"{folder.name}/pairs {index}"
                    yield Refusal(item=label, reason=reason, mark=[number, 0, count])
            done = here[2] if here[1] else 0
            yield from _pictures(pictures, folder, number, done, texts)


def total(path: str, images: str | None = None) -> int:
    """How many pictures the splits have.

    Raises:
        Unreadable: as `read`.
    """
    count = 0
    for folder in _folders(path):
        with ExitStack() as stack:
            entries = _open(stack, folder / "imgs").stat()["entries"]
            count += max(0, entries - 1)
    return count


def write(target: Target, records: Iterator[Record], first_free: int) -> Iterator[Written]:
    """Both databases of each split, and `id2image.json`."""
    called: dict[str, str] = {}
    with ExitStack() as stack:
        splits: dict[str, _Split] = {}
        for number, record in enumerate(records):
            box = record.boxes[0]
            split = chinese_clip.OUT[box.split]
            if split not in splits:
                splits[split] = _Split(stack, target.place(f"lmdb/{split}/pairs").parent)
            data = annotations.content(record)
            splits[split].add(number, data, annotations.texts(box))
            called[str(number)] = target.free("", record.name, data)
            yield Written(item=record.item, note=chinese_clip.left_out(box))
        for one in splits.values():
            one.end()
    target.place("id2image.json").write_text(json.dumps(called, ensure_ascii=False), "utf-8")


class _Split:
    """The two databases of a split while they are filled."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._open: dict[str, Any] = {}
        self._pending: dict[str, list[tuple[bytes, bytes]]] = {"pairs": [], "imgs": []}
        self._done = {"pairs": 0, "imgs": 0}
        for name in COUNTS:
            database = lmdb.open(str(folder / name), map_size=MAP_SIZE, sync=False, lock=False)
            stack.callback(database.close)
            self._open[name] = database

    def add(self, number: int, data: bytes, texts: list[str]) -> None:
        self._put("imgs", str(number), base64.b64encode(data))
        for text in texts:
            index = self._done["pairs"]
            self._put("pairs", str(index), pickles.dump((number, index, text)))

    def end(self) -> None:
        for name, key in COUNTS.items():
            self._pending[name].append((key, str(self._done[name]).encode()))
            self._flush(name)
            self._open[name].sync(True)

    def _put(self, name: str, key: str, value: bytes) -> None:
        self._pending[name].append((key.encode(), value))
        self._done[name] += 1
        if len(self._pending[name]) >= COMMIT_EVERY:
            self._flush(name)

    def _flush(self, name: str) -> None:
        with self._open[name].begin(write=True) as rows:
            for key, value in self._pending[name]:
                rows.put(key, value)
        self._pending[name].clear()


def _folders(path: str) -> list[Path]:
    root = Path(path)
    tried = [root, *sorted(root.glob("*")), *sorted(root.glob("lmdb/*"))]
    found = [folder for folder in tried if (folder / "pairs").is_dir()]
    if not found:
        raise Unreadable(f"{path} has no folder with pairs and imgs in it.")
    return found


def _open(stack: ExitStack, folder: Path) -> Any:
    try:
        database = lmdb.open(
            str(folder), readonly=True, create=False, lock=False, readahead=False, max_dbs=0
        )
    except lmdb.Error as exc:
        raise Unreadable(f"{folder} is no LMDB that opens: {exc}.") from exc
    stack.callback(database.close)
    return database


def _texts(pairs: Any, pictures: Any) -> tuple[chinese_clip.Texts, list[tuple[str, str]]]:
    """Captions by image, and (index, reason) of the pairs that were refused."""
    texts: chinese_clip.Texts = {}
    refusals = []
    with pairs.begin() as rows, pictures.begin() as known:
        for key, value in rows.cursor():
            if key == COUNTS["pairs"]:
                continue
            index = shown(key.decode("utf-8", "replace"))
            try:
                pair = pickles.load(value)
            except pickles.Forbidden as exc:
                refusals.append((index, str(exc)))
                continue
            reason = _take(pair, texts, known)
            if reason:
                refusals.append((index, reason))
    return texts, refusals


def _take(pair: Any, texts: chinese_clip.Texts, known: Any) -> str:
    """Add a pair's text to its picture, or give the reason why not."""
    if not isinstance(pair, tuple) or len(pair) != 3 or not isinstance(pair[0], int):
        return "the pair is not (image id, text id, text)"
    if not 0 <= pair[0] < 1 << 63 or known.get(str(int(pair[0])).encode()) is None:
        return "there is no such image"
    good = caption(pair[2], "text")
    if isinstance(good, str):
        return good
    texts.setdefault(int(pair[0]), []).append(good)
    return ""


def _pictures(
    pictures: Any, folder: Path, number: int, done: int, texts: chinese_clip.Texts
) -> Iterator[Entry]:
    split = chinese_clip.split_of(folder.name)
    called = chinese_clip.names(folder) or chinese_clip.names(folder.parent)
    called = called or chinese_clip.names(folder.parent.parent)
    with pictures.begin() as rows:
        for count, (key, coded) in enumerate(rows.cursor(), 1):
            if count <= done or key == COUNTS["imgs"]:
                continue
            mark: Mark = [number, 1, count]
            label = f"{folder.name}/imgs {shown(key.decode('utf-8', 'replace'))}"
            if not key.isdigit() or len(key) > 18:
                yield Refusal(item=label, reason="the key is not a number", mark=mark)
                continue
            name = called.get(int(key), f"{int(key)}.jpg")
            yield chinese_clip.record(label, mark, int(key), coded, name, split, texts)


FORMAT = Format(read=read, total=total, write=write)
