"""Paths that annotation files name: taken only inside the folder of the pictures."""

import re
from pathlib import Path

NONE = "there is no such file"
_DRIVE = re.compile(r"^[A-Za-z]:")


def inside(root: Path, named: str) -> Path | str:
    """The file under `root` that a source names, or the reason why it is refused.

    Both kinds of slash are taken. Refused: absolute paths, drive letters, `..`, links that lead
    out of `root`, and what is not a plain file. `root` must be resolved.
    """
    text = named.replace("\\", "/")
    if not text.strip() or "\x00" in text:
        return "the path is empty or holds a NUL"
    if text.startswith("/") or _DRIVE.match(text):
        return "the path is absolute"
    if ".." in text.split("/"):
        return "the path has `..` in it"
    try:
        found = (root / text).resolve(strict=True)
    except FileNotFoundError:
        return NONE
    except (OSError, RuntimeError, ValueError):
        return "the path cannot be followed"
    if not found.is_relative_to(root):
        return "the path leads out of the folder through a link"
    # Reading a pipe or a device would never end.
    return found if found.is_file() else "this is not a file"
