"""Vectors of pictures in files of other systems, out and in.

`chinese_clip_features`: `{split}_imgs.img_feat.jsonl`, a line `{"image_id", "feature"}` each, with
`id2image.json`, which names the pictures; for texts `{split}_texts.txt_feat.jsonl` with lines
`{"text_id", "feature"}`, and `{split}_texts.jsonl`, which says what they are. All have length 1.

`person_features`: `{prefix}_features.npy`, float32 (N, dim), with `{prefix}_metadata.json`, a list
of `{"image_path", "bbox": [left, top, right, bottom], "detection_score"}` in the same order.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from gallery.formats import chinese_clip
from gallery.formats.records import Refusal, Unreadable, Written, shown
from gallery.formats.target import Target, json_list

Vector = npt.NDArray[np.float32]
Bounds = tuple[int, int, int, int]

IMAGES, TEXTS = "_imgs.img_feat.jsonl", "_texts.txt_feat.jsonl"
FEATURES, METADATA = "_features.npy", "_metadata.json"
PREFIX = "person"
_CROP = re.compile(r"^(?P<stem>.+)-(\d+)-(\d+)-(\d+)-(\d+)\.jpg$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A vector (dim,) of a picture, or of a box in it. `mark` counts what was read before."""

    item: str
    name: str
    vector: Vector
    mark: int
    bounds: Bounds | None = None  # None: the whole picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A vector (dim,) going out, with the picture that it is of; texts with theirs."""

    item: str
    name: str
    bounds: Bounds
    whole: bool
    vector: Vector
    split: str = ""
    score: float | None = None
    texts: tuple[tuple[str, Vector], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureFormat:
    read: Callable[[str], Iterator[Feature | Refusal]]
    total: Callable[[str], int]
    write: Callable[[Target, Iterator[Found]], Iterator[Written]]
    with_texts: bool


def crop_name(name: str, bounds: Bounds) -> str:
    """What a box that is cut out of a picture is called."""
    return f"{name.rpartition('.')[0] or name}-{'-'.join(map(str, bounds))}.jpg"


def cut_from(name: str) -> tuple[str, Bounds] | None:
    """The picture's name without its ending, and the box, where `crop_name` made the name."""
    found = _CROP.match(name)
    if found is None:
        return None
    left, top, right, bottom = (int(found[place]) for place in range(2, 6))
    return found["stem"], (left, top, right, bottom)


def read_lines(path: str) -> Iterator[Feature | Refusal]:
    """The vectors of all pictures, file by file, line by line.

    Raises:
        Unreadable: there is no such file, or no `id2image.json` beside it.
    """
    mark = 0
    for file in _image_files(path):
        names = chinese_clip.names(file.parent)
        if not names:
            raise Unreadable(f"{file.parent / 'id2image.json'} is missing: it names the pictures.")
        with file.open(encoding="utf-8", errors="surrogateescape") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                mark += 1
                label = f"{file.name} line {number}"
                found = _line(line)
                name = names.get(found[0]) if not isinstance(found, str) else None
                if isinstance(found, str) or name is None:
                    reason = found if isinstance(found, str) else f"no name of image {found[0]}"
                    yield Refusal(item=label, reason=reason, mark=mark)
                else:
                    yield Feature(item=label, name=name, vector=found[1], mark=mark)


def total_lines(path: str) -> int:
    """How many vectors of pictures there are. Raises: Unreadable."""
    count = 0
    for file in _image_files(path):
        with file.open("rb") as lines:
            count += sum(1 for line in lines if line.strip())
    return count


def write_lines(target: Target, found: Iterator[Found]) -> Iterator[Written]:
    """The files of each split, and `id2image.json`."""
    called: dict[str, str] = {}
    counts: dict[str, int] = {}
    with ExitStack() as stack:
        files: dict[str, TextIO] = {}

        def line(name: str, row: dict[str, Any]) -> None:
            if name not in files:
                files[name] = stack.enter_context(target.place(name).open("w", encoding="utf-8"))
            files[name].write(json.dumps(row, ensure_ascii=False) + "\n")

        for number, one in enumerate(found):
            split = chinese_clip.OUT[one.split]
            called[str(number)] = one.name if one.whole else crop_name(one.name, one.bounds)
            line(f"{split}{IMAGES}", {"image_id": number, "feature": _plain(one.vector)})
            for text, vector in one.texts:
                text_id = counts[split] = counts.get(split, -1) + 1
                row = {"text_id": text_id, "text": text, "image_ids": [number]}
                line(f"{split}_texts.jsonl", row)
                line(f"{split}{TEXTS}", {"text_id": text_id, "feature": _plain(vector)})
            yield Written(item=one.item)
    target.place("id2image.json").write_text(json.dumps(called, ensure_ascii=False), "utf-8")


def read_array(path: str) -> Iterator[Feature | Refusal]:
    """The rows of the array with their metadata.

    Raises:
        Unreadable: there is no such pair of files, or they do not fit each other.
    """
    vectors, rows = _pair(path)
    for mark, (vector, row) in enumerate(zip(vectors, rows, strict=True), 1):
        label = f"entry {mark}"
        name = row.get("image_path") if isinstance(row, dict) else None
        bounds = _bounds(row.get("bbox")) if isinstance(row, dict) else None
        if not isinstance(name, str) or bounds is None:
            reason = "it has no image_path, or no bbox of four numbers"
            yield Refusal(item=label, reason=reason, mark=mark)
            continue
        label = f"{label}: {shown(name)}"
        feature = np.array(vector, dtype=np.float32)
        yield Feature(item=label, name=name, vector=feature, mark=mark, bounds=bounds)


def total_array(path: str) -> int:
    """How many vectors there are. Raises: Unreadable."""
    return len(_pair(path)[0])


def write_array(target: Target, found: Iterator[Found]) -> Iterator[Written]:
    """Both files; a box that nobody scored has the score 1."""
    vectors: list[Vector] = []
    with json_list(target.place(f"{PREFIX}{METADATA}")) as rows:
        for one in found:
            vectors.append(one.vector)
            score = 1.0 if one.score is None else one.score
            about = {"image_path": one.name, "bbox": list(one.bounds)}
            rows.add(about | {"detection_score": score})
            yield Written(item=one.item)
    np.save(
        target.place(f"{PREFIX}{FEATURES}"),
        np.stack(vectors) if vectors else np.zeros((0, 0), np.float32),
    )


def _image_files(path: str) -> list[Path]:
    root = Path(path)
    files = sorted(root.glob(f"*{IMAGES}")) if root.is_dir() else [root]
    if not files or not files[0].is_file():
        raise Unreadable(f"{path} is no file …{IMAGES}, and no folder with one.")
    return files


def _line(line: str) -> tuple[int, Vector] | str:
    """Number and vector, or the reason why there is none."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "broken JSON"
    number = value.get("image_id") if isinstance(value, dict) else None
    if isinstance(number, bool) or not isinstance(number, int):
        return "image_id is no whole number"
    feature = value.get("feature")
    if not isinstance(feature, list) or not feature:
        return "feature is no list of numbers"
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in feature):
        return "feature holds something that is no number"
    return number, np.array(feature, dtype=np.float32)


def _pair(path: str) -> tuple[Any, list[Any]]:
    root = Path(path)
    files = sorted(root.glob(f"*{FEATURES}")) if root.is_dir() else [root]
    if len(files) != 1 or not files[0].name.endswith(FEATURES) or not files[0].is_file():
        raise Unreadable(f"{path} is no file …{FEATURES}, and no folder with exactly one.")
    metadata = files[0].with_name(files[0].name.removesuffix(FEATURES) + METADATA)
    try:
        vectors = np.load(files[0], mmap_mode="r", allow_pickle=False)
        rows = json.loads(metadata.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise Unreadable(f"{files[0]} and {metadata.name} cannot be read: {exc}") from exc
    if vectors.ndim != 2 or vectors.dtype.kind != "f":
        raise Unreadable(f"{files[0]} is {vectors.dtype} {vectors.shape}, not numbers (N, dim).")
    if not isinstance(rows, list) or len(rows) != len(vectors):
        count = len(rows) if isinstance(rows, list) else "no list of"
        raise Unreadable(f"{metadata} has {count} entries for {len(vectors)} vectors.")
    return vectors, rows


def _bounds(value: object) -> Bounds | None:
    if not isinstance(value, list) or len(value) != 4:
        return None
    if not all(isinstance(one, int | float) and abs(one) < 1e9 for one in value):
        return None
    left, top, right, bottom = (round(one) for one in value)
    return left, top, right, bottom


def _plain(vector: Vector) -> list[float]:
    return [float(f"{value:.7g}") for value in vector]


FEATURE_FORMATS: dict[str, FeatureFormat] = {
    "chinese_clip_features": FeatureFormat(
        read=read_lines, total=total_lines, write=write_lines, with_texts=True
    ),
    "person_features": FeatureFormat(
        read=read_array, total=total_array, write=write_array, with_texts=False
    ),
}
