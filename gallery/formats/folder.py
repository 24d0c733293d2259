"""A folder of pictures, each of them one whole box."""

import os
from collections.abc import Iterator
from pathlib import Path

from gallery.formats import paths
from gallery.formats.records import (
    BoxRecord,
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Unreadable,
    printable,
    shown,
)


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """Every file in the folder and the folders in it, by name.

    Hidden files are passed over; whatever else is no picture is refused later, by name.

    Raises:
        Unreadable: the path is not a folder.
    """
    root = _root(path)
    for name, relative in _files(root):
        if after is not None and name <= str(after):
            continue
        file = paths.inside(root, relative)
        if isinstance(file, str):
            yield Refusal(item=shown(relative), reason=file, mark=name)
            continue
        yield Record(
            item=shown(relative),
            name=shown(relative),
            content=file,
            mark=name,
            boxes=(BoxRecord(),),
        )


def total(path: str, images: str | None = None) -> int:
    """How many files there are to look at.

    Raises:
        Unreadable: the path is not a folder.
    """
    return len(_files(_root(path)))


def _root(path: str) -> Path:
    root = Path(path)
    if not root.is_dir():
        raise Unreadable(f"{path} is not a folder.")
    return root.resolve()


def _files(root: Path) -> list[tuple[str, str]]:
    """(sortable name, path relative to the root) of every file, sorted."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        # A link to a folder is not walked into, but named as what it is.
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in [*files, *links]:
            if not name.startswith("."):
                relative = Path(folder, name).relative_to(root).as_posix()
                found.append((printable(relative), relative))
    return sorted(found)


FORMAT = Format(read=read, total=total)
