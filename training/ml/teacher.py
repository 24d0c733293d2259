"""A teacher's vectors of pictures and texts on disk: computed in shards, read memory-mapped.

A store is a folder:

    image.npy      float32 (N, dim), unit rows
    boxes.npy      int64 (N,), the box of each row, rising
    text.npy       float32 (M, dim), unit rows
    text_keys.npy  uint8 (M, 32), SHA-256 of the UTF-8 bytes of each row's text
    teacher.json   what computed them; written last, so a folder that has it is whole
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Kind = Literal["image", "text"]

FORMAT = 1
ABOUT = "teacher.json"
IMAGES, BOXES, TEXTS, TEXT_KEYS = "image.npy", "boxes.npy", "text.npy", "text_keys.npy"
FILES = (IMAGES, BOXES, TEXTS, TEXT_KEYS, ABOUT)
KEY_BYTES = 32


class StoreError(ValueError):
    """A folder is not a store of vectors, or what is to be written into one does not fit."""


def text_key(text: str) -> bytes:
    """What a text's row is found by: 32 bytes."""
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).digest()


@dataclass(frozen=True, kw_only=True)
class Store:
    """An open store.

    about: what teacher.json says: model, revision, licence, dim, preprocessing.
    images: (N, dim); boxes: (N,); texts: (M, dim); keys: (M, 32). All memory-mapped.
    """

    folder: Path
    about: dict[str, Any]
    images: Vectors
    boxes: Rows
    texts: Vectors
    keys: npt.NDArray[np.uint8]

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Raises: StoreError, the folder is not a whole store."""
        try:
            about = json.loads((folder / ABOUT).read_text("utf-8"))
            images, boxes, texts, keys = (
                np.load(folder / name, mmap_mode="r", allow_pickle=False)
                for name in (IMAGES, BOXES, TEXTS, TEXT_KEYS)
            )
            dim = int(about["dim"])
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise StoreError(f"{folder} is not a whole store of a teacher: {exc}") from exc
        if images.shape != (len(boxes), dim) or texts.shape != (len(keys), dim):
            raise StoreError(
                f"{folder} holds {images.shape} vectors of {len(boxes)} boxes and {texts.shape} "
                f"of {len(keys)} texts, of {dim} dimensions"
            )
        return cls(folder=folder, about=about, images=images, boxes=boxes, texts=texts, keys=keys)

    @property
    def dim(self) -> int:
        return int(self.about["dim"])

    def image_rows(self, boxes: Iterable[int]) -> Rows:
        """(n,) the row of each box in `images`, -1 where there is none."""
        wanted = np.fromiter(boxes, np.int64)
        if not len(self.boxes):
            return np.full(len(wanted), -1, np.int64)
        place = np.searchsorted(self.boxes, wanted).clip(max=len(self.boxes) - 1)
        return np.where(self.boxes[place] == wanted, place, -1).astype(np.int64)

    def text_rows(self, texts: Iterable[str]) -> Rows:
        """(n,) the row of each text in `texts`, -1 where there is none."""
        return np.array([self._row_of.get(text_key(text), -1) for text in texts], np.int64)

    @cached_property
    def _row_of(self) -> dict[bytes, int]:
        return {bytes(key): row for row, key in enumerate(np.asarray(self.keys))}


def write(
    folder: Path,
    about: Mapping[str, Any],
    *,
    boxes: Sequence[int],
    images: Vectors,
    texts: Sequence[str],
    vectors: Vectors,
) -> Store:
    """A store of vectors that are at hand: `images` of `boxes`, `vectors` of distinct `texts`.

    Raises: StoreError, they do not fit together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)
    order = np.argsort(np.asarray(boxes, np.int64), kind="stable")
    keys = np.frombuffer(b"".join(text_key(text) for text in texts), np.uint8)
    np.save(folder / IMAGES, np.asarray(images, np.float32)[order])
    np.save(folder / BOXES, np.asarray(boxes, np.int64)[order])
    np.save(folder / TEXTS, np.asarray(vectors, np.float32))
    np.save(folder / TEXT_KEYS, keys.reshape(-1, KEY_BYTES))
    _finish(folder, about)
    return Store.open(folder)


def _finish(folder: Path, about: Mapping[str, Any]) -> None:
    images = np.load(folder / IMAGES, mmap_mode="r")
    texts = np.load(folder / TEXTS, mmap_mode="r")
    told = {"format": FORMAT, **about, "images": len(images), "texts": len(texts)}
    draft = folder / f"{ABOUT}.part"
    draft.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
    draft.replace(folder / ABOUT)


@dataclass(frozen=True, kw_only=True)
class Shards:
    """Vectors that are being computed: a file a shard, each there as a whole or not at all.

    A shard is a fixed run of the items, so that an interrupted computation goes on with the same
    batches, and ends with the same bits, as one that nobody interrupted.
    """

    folder: Path

    def path(self, kind: Kind, number: int) -> Path:
        return self.folder / f"{kind}-{number:06}.npz"

    def has(self, kind: Kind, number: int) -> bool:
        return self.path(kind, number).exists()

    def keep(self, kind: Kind, number: int, rows: Rows, vectors: Vectors) -> None:
        """Store a shard: which of its items have a vector, as numbers within it, and those."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.path(kind, number).with_suffix(".part")
        with draft.open("wb") as stream:
            np.savez(stream, rows=np.asarray(rows, np.int64), vectors=vectors)
        draft.replace(self.path(kind, number))

    def merge(
        self,
        about: Mapping[str, Any],
        *,
        boxes: Sequence[int],
        texts: Sequence[str],
        size: int,
    ) -> Store:
        """All shards as one store, which takes their place.

        Args:
            boxes, texts: the items, in the order in which they were cut into shards of `size`.

        Raises: StoreError, a shard is missing or damaged.
        """
        keys = np.frombuffer(b"".join(text_key(text) for text in texts), np.uint8)
        self._merge("image", np.asarray(boxes, np.int64), size, about, IMAGES, BOXES)
        self._merge("text", keys.reshape(-1, KEY_BYTES), size, about, TEXTS, TEXT_KEYS)
        _finish(self.folder, about)
        for path in self.folder.glob("*.npz"):
            path.unlink()
        return Store.open(self.folder)

    def _merge(
        self,
        kind: Kind,
        items: npt.NDArray[Any],
        size: int,
        about: Mapping[str, Any],
        vectors_file: str,
        items_file: str,
    ) -> None:
        numbers = range(-(-len(items) // size))
        kept = [
            items[number * size + rows]
            for number, (rows, _) in zip(numbers, self._read(kind, numbers), strict=True)
        ]
        found = np.concatenate([items[:0], *kept])
        # Boxes are looked up by halving, so they rise; texts stay in their order.
        order = np.argsort(found, kind="stable") if kind == "image" else np.arange(len(found))
        np.save(self.folder / items_file, found[order])
        shape = (len(found), int(about["dim"]))
        # An empty file cannot be mapped for writing.
        if not len(found):
            np.save(self.folder / vectors_file, np.zeros(shape, np.float32))
            return
        place = np.argsort(order)
        target = np.lib.format.open_memmap(self.folder / vectors_file, "w+", np.float32, shape)
        first = 0
        for rows, vectors in self._read(kind, numbers):
            target[place[first : first + len(rows)]] = vectors
            first += len(rows)
        target.flush()

    def _read(self, kind: Kind, numbers: Iterable[int]) -> Iterator[tuple[Rows, Vectors]]:
        for number in numbers:
            try:
                with np.load(self.path(kind, number), allow_pickle=False) as stored:
                    yield stored["rows"], stored["vectors"]
            except (OSError, ValueError, KeyError) as exc:
                raise StoreError(f"shard {number} of the {kind} vectors is damaged: {exc}") from exc
