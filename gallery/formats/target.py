"""Where an export goes: a new folder, whole or not at all, and nothing beside it.

Files are written into a hidden folder next to it, which takes its name when all is done. A name
that a source gave a picture is only ever a wish: what could lead elsewhere is taken out of it.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

_STRANGE = re.compile(r"[^\w .()+,=@-]")
_MAGIC = ((b"\xff\xd8", ".jpg"), (b"\x89PNG", ".png"), (b"RIFF", ".webp"), (b"BM", ".bmp"),
          (b"GIF8", ".gif"))  # fmt: skip
_ENDINGS = {".jpg": {".jpg", ".jpeg", ".jpe"}}
# Of a name's parts in characters: 240 bytes of UTF-8, where file systems take 255.
MAX_PART = 80
MAX_DEPTH = 8


class Occupied(Exception):
    """There is something where the export should go, or nowhere to put it; says what."""


class Target:
    """The folder of one export while it is written."""

    def __init__(self, path: Path, tag: str) -> None:
        """Nothing is written yet.

        Args:
            path: the folder to be; it must not be there, or be empty.
            tag: of the hidden folder beside it; the same again replaces what was left there.

        Raises:
            Occupied: the folder holds something, or its parent is not there.
        """
        self.path = Path(os.path.abspath(path))
        self.stage = self.path.with_name(f".{self.path.name}.{tag}.partial")
        if not self.path.parent.is_dir():
            raise Occupied(f"{self.path.parent} is not a folder.")
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
            raise Occupied(f"{self.path} is there already, and is not a folder.")
        if self.path.is_dir() and any(self.path.iterdir()):
            raise Occupied(f"{self.path} is not empty; name a new folder.")
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def begin(self) -> None:
        """Start with an empty hidden folder."""
        self.discard()
        self.stage.mkdir()

    def discard(self) -> None:
        """Remove what was written so far."""
        shutil.rmtree(self.stage, ignore_errors=True)

    def commit(self) -> None:
        """Give the folder its name; nobody sees half of it.

        Raises:
            Occupied: something was put there meanwhile.
        """
        try:
            os.rename(self.stage, self.path)
        except OSError as exc:
            raise Occupied(f"{self.path} cannot be made: {exc.strerror}.") from exc

    def place(self, name: str) -> Path:
        """Where a file of a format's own goes; its folder is made."""
        found = self.stage / name
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def picture(self, folder: str, wish: str, data: bytes) -> str:
        """Store a picture; its name below `folder`, as like to the wish as is safe and free."""
        name = self.free(folder, wish, data)
        self.place(f"{folder}/{name}").write_bytes(data)
        return name

    def free(self, folder: str, wish: str, data: bytes = b"") -> str:
        """A safe name below `folder` that nothing has yet; it is taken now."""
        name = safe(wish, data)
        parts = name.split("/")
        above = ["/".join([folder, *parts[:n]]).lower() for n in range(1, len(parts))]
        if any(one in self._files for one in above):
            name, above = "_".join(parts)[-MAX_PART:].lstrip("._ "), []
        stem, dot, ending = name.rpartition(".")
        stem, ending = (stem, dot + ending) if dot else (name, "")
        number, tried = 1, name
        while f"{folder}/{tried}".lower() in self._files | self._folders:
            number += 1
            tried = f"{stem}-{number}{ending}"
        self._files.add(f"{folder}/{tried}".lower())
        self._folders.update(above)
        return tried


def safe(wish: str, data: bytes = b"") -> str:
    """A relative path with `/` that stays where it is put, whatever was wished for.

    With the bytes of a picture its ending is the one of their format.
    """
    parts = [_STRANGE.sub("_", part) for part in wish.replace("\\", "/").split("/")]
    parts = [part.strip(". ") for part in parts]
    parts = [_short(part) for part in parts if part][-MAX_DEPTH:] or ["picture"]
    ending = next((ending for magic, ending in _MAGIC if data.startswith(magic)), "")
    if ending and Path(parts[-1]).suffix.lower() not in _ENDINGS.get(ending, {ending}):
        parts[-1] += ending
    return "/".join(parts)


def _short(part: str) -> str:
    if len(part) <= MAX_PART:
        return part
    ending = Path(part).suffix[:8]
    return part[: MAX_PART - len(ending)] + ending


class JsonList:
    """A JSON list that is written one value a line."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._empty = True

    def add(self, value: Any) -> None:
        self._file.write("[\n" if self._empty else ",\n")
        self._file.write(json.dumps(value, ensure_ascii=False))
        self._empty = False

    def end(self) -> None:
        self._file.write("[]\n" if self._empty else "\n]\n")


@contextmanager
def json_list(path: Path) -> Iterator[JsonList]:
    """A file with one JSON list; it is ended when the block is."""
    with path.open("w", encoding="utf-8") as file:
        values = JsonList(file)
        yield values
        values.end()
