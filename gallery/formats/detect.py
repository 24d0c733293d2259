"""Which format a file or folder has, found out by what the formats themselves can read."""

import re
from dataclasses import dataclass
from pathlib import Path

from gallery.formats import paths
from gallery.formats.records import Format, Unreadable

VIDEOS = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"})
# So deep a folder may lie in folders that hold nothing else.
DEPTH = 4
HEAD = 2**16
# Read by the folder alone, and sure of what they find there: the surest first.
FOLDERS = ("chinese_clip_lmdb", "chinese_clip", "image_matrix", "reid_pickles", "compcars")
MOST_JSON = 40
MOST_FOLDERS = 40
_NAMED = re.compile(rb'"file_path"\s*:\s*"([^"\\]+)"')


@dataclass(frozen=True, slots=True)
class Found:
    """A format, what of the source to read, and the folder of the pictures where it has one."""

    format: str
    path: Path
    images: Path | None = None


def detect(source: Path, formats: dict[str, Format]) -> Found:
    """What a source most likely is; a folder of pictures where nothing else fits.

    Raises:
        Unreadable: it is a file that no format reads.
    """
    if source.is_file():
        found = _file(source)
        if found is None:
            raise Unreadable(f"{source.name} is of no known format.")
        return found
    root = _inner(source)
    for name in FOLDERS:
        if _reads(formats[name], root):
            return Found(name, root)
    files = sorted(path for path in root.glob("*") if path.is_file())
    files += sorted(root.glob("annotations/*.json"))
    for file in [file for file in files if file.suffix == ".json"][:MOST_JSON]:
        found = _file(file)
        if found is not None:
            whole = found.format in ("coco", "flickr8k_cn")
            return Found(found.format, root if whole else file, found.images)
    shown = [file for file in files if not file.name.startswith(".")]
    if len(shown) == 1 and shown[0].suffix.lower() in VIDEOS:
        return Found("video", shown[0])
    folders = [path for path in root.glob("*") if path.is_dir() and path.name[0] not in "._"]
    return Found("folder_per_class" if not shown and len(folders) > 1 else "folder", root)


def _file(file: Path) -> Found | None:
    if file.suffix.lower() in VIDEOS:
        return Found("video", file)
    if file.suffix == ".pkl":
        return Found("reid_pickles", file)
    if file.name.endswith("_imgs.tsv"):
        return Found("chinese_clip", file)
    if file.suffix != ".json":
        return None
    with file.open("rb") as opened:
        head = opened.read(HEAD)
    if b'"file_path"' in head:
        drawn = b'"attributes"' in head or b'"prompt_caption"' in head
        return Found("synth_pedes" if drawn else "cuhk_pedes", file, _pictures(file, head))
    if b'"annotations"' in head or re.match(rb'\s*\{\s*"(info|images|licenses|categories)"', head):
        return Found("coco", file)
    if b'"image"' in head and file.name.startswith("cn"):
        return Found("flickr8k_cn", file)
    return None


def _pictures(file: Path, head: bytes) -> Path | None:
    """The folder in which an annotation file's first picture is, if it is not beside the file."""
    named = _NAMED.search(head)
    if named is None:
        return None
    first = named[1].decode("utf-8", "replace")
    inner = sorted(path for path in file.parent.glob("*") if path.is_dir())
    for root in [file.parent, *inner[:MOST_FOLDERS]]:
        if isinstance(paths.inside(root.resolve(), first), Path):
            return None if root == file.parent else root
    return None


def _inner(folder: Path) -> Path:
    """The folder itself, or the one that lies alone in it, as archives have it."""
    for _step in range(DEPTH):
        inner = [path for path in folder.glob("*") if path.name[0] not in "._"]
        if len(inner) != 1 or not inner[0].is_dir() or inner[0].is_symlink():
            break
        folder = inner[0]
    return folder


def _reads(kind: Format, root: Path) -> bool:
    try:
        return kind.total(str(root), None) != 0
    except Unreadable:
        return False
