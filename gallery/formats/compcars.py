"""The CompCars folder as it is shared: `image/MAKE/MODEL/YEAR/NAME.jpg`, `label/…/NAME.txt`.

The first line of a label is the view point: 1 front, 2 rear, 3 side, 4 front and side, 5 rear and
side, -1 unknown. The class of a picture is its model, its camera the view point. Pictures from the
side, and of an unknown view point, are passed over, as the GeM system does.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gallery.formats import folder
from gallery.formats.records import Entry, Format, Mark, Record, Refusal, Tick, Unreadable

VIEWS = {"1": "front", "4": "front", "2": "rear", "5": "rear"}
# Begins the name of the camera that stands for a view point.
VIEW = "view point "
_UNUSED = ("3", "-")


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """The pictures from the front and from the rear, by name.

    Raises:
        Unreadable: there is no folder `image` with a folder `label` beside it.
    """
    root = _root(path)
    for entry in folder.read(str(root / "image"), after=after):
        yield _classed(entry, root / "label") if isinstance(entry, Record) else entry


def total(path: str, images: str | None = None) -> int:
    """How many pictures there are, whatever their view point.

    Raises:
        Unreadable: as `read`.
    """
    return folder.total(str(_root(path) / "image"))


def _root(path: str) -> Path:
    for root in (Path(path), Path(path) / "data"):
        if (root / "image").is_dir() and (root / "label").is_dir():
            return root
    raise Unreadable(f"{path} has no folders image and label.")


def _classed(record: Record, labels: Path) -> Entry:
    parts = record.name.split("/")
    if len(parts) != 4:
        reason = "it does not lie in MAKE/MODEL/YEAR"
        return Refusal(item=record.item, reason=reason, mark=record.mark)
    label = labels.joinpath(*parts[:3], f"{Path(parts[3]).stem}.txt")
    try:
        view = label.read_text("utf-8", "replace").strip()[:1]
    except OSError:
        return Refusal(item=record.item, reason="there is no label of it", mark=record.mark)
    if view in _UNUSED:
        return Tick()
    if view not in VIEWS:
        reason = f"line 1 of its label is no view point: {view!r}"
        return Refusal(item=record.item, reason=reason, mark=record.mark)
    box = replace(record.boxes[0], identity=parts[1])
    return replace(record, boxes=(box,), camera=f"{VIEW}{view}")


FORMAT = Format(read=read, total=total)
