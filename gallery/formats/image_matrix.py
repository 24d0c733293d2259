"""Square pictures of classes as one array, as the GeM system on CompCars reads them.

`indexinfo.csv` (Path, Index, Class) tells of the rows of `imageset.npy`, uint8 (N, 3, size, size)
in RGB; `car_front.csv` and `car_rear.csv`, with view point, year and make, of `car_front.npy` and
`car_rear.npy`. Classes are numbered from 0 over all of them, and `classes.json` has their names;
`…_test.npy` lists (Index, Class) of the pictures of the split test.
"""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from gallery.formats import annotations, letterbox
from gallery.formats.compcars import VIEW, VIEWS
from gallery.formats.records import (
    MAX_KEY,
    OWN_KEY,
    BoxRecord,
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Unreadable,
    Written,
    shown,
    storable,
)
from gallery.formats.target import Target

SIZE = 224
SHORT = ("Path", "Index", "Class")
LONG = ("Path", "FileName", "View Point", "Year", "CarMake", "Class", "Index")
# Name of the CSV -> of the array.
FILES = {"indexinfo": "imageset", "car_front": "car_front", "car_rear": "car_rear"}


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """The rows of each CSV with their pictures; a mark is [number of the file, line].

    Raises:
        Unreadable: there is no such pair of files, or the array has another shape.
    """
    root = Path(path)
    names, start = _names(root), after if isinstance(after, list) else [-1, 0]
    for number, stem in enumerate(_stems(root)):
        if number < start[0]:
            continue
        pictures, tested = _array(root / f"{FILES[stem]}.npy"), _tested(root / f"{stem}_test.npy")
        with (root / f"{stem}.csv").open(encoding="utf-8", newline="", errors="replace") as file:
            rows = csv.DictReader(file)
            for row in rows:
                line = rows.line_num
                if number > start[0] or line > start[1]:
                    label = f"{stem}.csv line {line}"
                    yield _entry(row, label, [number, line], pictures, names, tested)


def total(path: str, images: str | None = None) -> int:
    """How many pictures the arrays hold.

    Raises:
        Unreadable: as `read`.
    """
    root = Path(path)
    return sum(len(_array(root / f"{FILES[stem]}.npy")) for stem in _stems(root))


def write(
    target: Target,
    records: Iterator[Record],
    first_free: int,
    *,
    fill: str = "Gaussian",
    resolution: int = SIZE,
) -> Iterator[Written]:
    """The files of each view point, or `indexinfo.csv` for pictures of none."""
    classes: dict[str, int] = {}
    with ExitStack() as stack:
        tables: dict[str, _Table] = {}
        for record in records:
            box = record.boxes[0]
            if box.identity is None or box.identity.startswith(OWN_KEY):
                yield Written(item=record.item, reason="no class is named for this box")
                continue
            view = record.camera.removeprefix(VIEW) if record.camera.startswith(VIEW) else ""
            stem = f"car_{VIEWS[view]}" if view in VIEWS else "indexinfo"
            if stem not in tables:
                tables[stem] = _Table(stack, target, stem, resolution)
            number = classes.setdefault(box.identity, len(classes))
            with Image.open(io.BytesIO(annotations.content(record))) as opened:
                pixels = np.asarray(opened.convert("RGB"), dtype=np.uint8)
            picture = letterbox.square(pixels, resolution, fill)
            tables[stem].add(record.name, view, number, picture, tested=box.split == "test")
            count = len(box.captions)
            yield Written(item=record.item, note=f"{count} texts were left out" if count else "")
        for stem, table in tables.items():
            table.end(target.place(f"{stem}_test.npy"))
    target.place("classes.json").write_text(json.dumps(classes, ensure_ascii=False), "utf-8")


class _Table:
    """One CSV and its array while they grow."""

    def __init__(self, stack: ExitStack, target: Target, stem: str, size: int) -> None:
        self._shape = (3, size, size)
        self._array = stack.enter_context(target.place(f"{FILES[stem]}.npy").open("w+b"))
        _header(self._array, (0, *self._shape))
        table = target.place(f"{stem}.csv").open("w", encoding="utf-8", newline="")
        fields = SHORT if stem == "indexinfo" else LONG
        # Columns that a CSV does not have are left out of its rows.
        self._rows = csv.DictWriter(
            stack.enter_context(table), fields, extrasaction="ignore", lineterminator="\n"
        )
        self._rows.writeheader()
        self._tested: list[tuple[int, int]] = []
        self._count = 0

    def add(
        self, name: str, view: str, number: int, picture: letterbox.Pixels, *, tested: bool
    ) -> None:
        make, year = ([*name.split("/"), "", "", ""][place] for place in (0, 2))
        self._rows.writerow(
            {
                "Path": name,
                "FileName": Path(name).stem,
                "View Point": view,
                "Year": year,
                "CarMake": make,
                "Class": number,
                "Index": self._count,
            }
        )
        self._array.write(np.ascontiguousarray(picture.transpose(2, 0, 1)).tobytes())
        if tested:
            self._tested.append((self._count, number))
        self._count += 1

    def end(self, tested: Path) -> None:
        """Tell the array's length, which its beginning has room for; list what is tested."""
        self._array.seek(0)
        _header(self._array, (self._count, *self._shape))
        np.save(tested, np.array(self._tested, dtype=np.int64).reshape(-1, 2))


def _header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    about = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)


def _stems(root: Path) -> list[str]:
    found = [
        stem
        for stem, array in FILES.items()
        if (root / f"{stem}.csv").is_file() and (root / f"{array}.npy").is_file()
    ]
    if not found:
        raise Unreadable(f"{root} has no indexinfo.csv with imageset.npy, nor those of cars.")
    return found


def _array(path: Path) -> Any:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as exc:
        raise Unreadable(f"{path} is no array of pictures: {exc}") from exc
    if found.ndim != 4 or found.shape[1] != 3 or found.dtype != np.uint8:
        raise Unreadable(f"{path} is {found.dtype} {found.shape}, not uint8 (N, 3, size, size).")
    return found


def _tested(path: Path) -> set[int]:
    if not path.is_file():
        return set()
    try:
        rows = np.load(path, allow_pickle=False)
        return {int(row) for row in rows[:, 0]}
    except (OSError, ValueError, IndexError, TypeError) as exc:
        raise Unreadable(f"{path} is no list of (Index, Class): {exc}") from exc


def _names(root: Path) -> dict[str, str]:
    """Number of a class -> its name, where `classes.json` tells."""
    try:
        value = json.loads((root / "classes.json").read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as exc:
        raise Unreadable(f"{root / 'classes.json'} cannot be read: {exc}") from exc
    pairs = value.items() if isinstance(value, dict) else ()
    return {str(number): name for name, number in pairs}


def _entry(
    row: dict[str, Any],
    label: str,
    mark: Mark,
    pictures: Any,
    names: dict[str, str],
    tested: set[int],
) -> Record | Refusal:
    index, key, name = (row.get(field) for field in ("Index", "Class", "Path"))
    if not index or not str(index).isdigit() or int(index) >= len(pictures):
        reason = f"Index is {index!r:.40}, not a row of the array of {len(pictures)}"
        return Refusal(item=label, reason=reason, mark=mark)
    if not key or not str(key).strip() or len(str(key)) > MAX_KEY or not storable(str(key)):
        return Refusal(item=label, reason="Class is missing or too long", mark=mark)
    name = str(name or f"{index}.png")
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pictures[int(index)].transpose(1, 2, 0))).save(
        buffer, "PNG"
    )
    view = row.get("View Point")
    split = "test" if int(index) in tested else ""
    box = BoxRecord(identity=names.get(str(key).strip(), str(key).strip()), split=split)
    return Record(
        item=f"{label}: {shown(name)}",
        name=shown(name),
        content=buffer.getvalue(),
        mark=mark,
        boxes=(box,),
        camera=f"{VIEW}{view}" if view in VIEWS else "",
    )


FORMAT = Format(
    read=read, total=total, write=write, write_options=frozenset({"fill", "resolution"})
)
