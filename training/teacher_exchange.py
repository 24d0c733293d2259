"""Teachers in and out as system 2 has them: a file of embeddings for each picture. Loads torch."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings

from gallery import snapshots
from gallery.formats import paths
from gallery.models import Dataset, Image
from training import teachers, versions
from training.errors import BadTeacher, NameTaken
from training.ml import teacher_bin
from training.ml.teacher import Shards, Store
from training.ml.teacher_bin import SUFFIX, BadBin, Embeddings
from training.models import Teacher

SHARD = 128

Tell = Callable[[int, int], None]


@dataclass
class Report:
    """written: pictures taken over. without: pictures that have no file, or no vector. refused:
    (picture, reason) of files or of parts of them."""

    written: int = 0
    without: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def take(
    folder: Path,
    dataset: Dataset,
    name: str,
    *,
    model: str = "",
    licence: str = "",
    tell: Tell = lambda done, total: None,
) -> tuple[Teacher, Report]:
    """A teacher from a folder of `<path of the picture>.bin`.

    The caption vectors of a file belong to the picture's captions in their order; a file with
    another number of them than the picture has captions gives none. A text that several pictures
    share keeps the first vector.

    Args:
        model: what computed them, for the record.
        tell: called with pictures done, and in all.

    Raises: BadTeacher, no file fits a picture, or their vectors differ in length; BadVersionName,
        NameTaken.
    """
    versions.check_name(name)
    if Teacher.objects.filter(name=name).exists():
        raise NameTaken(f"A teacher “{name}” exists already: choose another name.")
    if not folder.is_dir():
        raise BadTeacher(f"There is no folder {folder}.")
    snapshot = snapshots.freeze(dataset)
    work = Path(settings.PEDSITE_WORK_DIR) / "extractions"
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work) as home:
        taking = _Taking(Shards(folder=Path(home)))
        for done, (entry, named) in enumerate(_named(teachers.entries(snapshot, "")), 1):
            taking.add(folder.resolve(), entry, named)
            tell(done, snapshot.box_count)
        if not taking.dim:
            raise BadTeacher(f"{folder} has no embeddings of pictures of “{dataset.name}”.")
        about = {"name": name, "model": model or str(folder), "revision": "", "licence": licence}
        store = taking.finish(about | {"dim": taking.dim, "preprocessing": {}})
        # Committed before its files are there: files of nobody are swept away.
        teacher = Teacher.objects.create(
            name=name, snapshot=snapshot, model=about["model"], licence=licence
        )
        try:
            teachers.keep(teacher, store)
        except BaseException:
            teachers.remove(teacher)
            raise
    return teacher, taking.report


class _Taking:
    """Rows of boxes and of distinct texts as they come, flushed to shards."""

    def __init__(self, shards: Shards) -> None:
        self.report = Report()
        self.dim = 0
        self._shards = shards
        self._boxes: list[int] = []
        self._texts: dict[str, None] = {}
        self._waiting: dict[Any, list[np.ndarray]] = {"image": [], "text": []}
        self._number = {"image": 0, "text": 0}

    def add(self, folder: Path, entry: dict[str, Any], named: str) -> None:
        path = paths.inside(folder, named + SUFFIX)
        if path == paths.NONE:
            self.report.without += 1
            return
        if isinstance(path, str):
            self.report.refused.append((named, path))
            return
        try:
            found = teacher_bin.read(path)
        except BadBin as exc:
            self.report.refused.append((named, str(exc)))
            return
        self.dim = self.dim or len(found.image)
        if len(found.image) != self.dim:
            self.report.refused.append((named, f"{len(found.image)} dimensions, not {self.dim}"))
            return
        self.report.written += 1
        self._boxes.append(entry["box"])
        self._put("image", found.image)
        for kind, of in _by_kind(entry).items():
            rows = found.texts.get(kind)
            if rows is None:
                continue
            if len(rows) != len(of):
                reason = f"{len(rows)} vectors for {len(of)} texts of kind {kind}"
                self.report.refused.append((named, reason))
                continue
            for text, row in zip(of, rows, strict=True):
                if text not in self._texts:
                    self._texts[text] = None
                    self._put("text", row)

    def finish(self, about: dict[str, Any]) -> Store:
        for kind in ("image", "text"):
            self._flush(kind)
        return self._shards.merge(about, boxes=self._boxes, texts=list(self._texts), size=SHARD)

    def _put(self, kind: Any, row: np.ndarray) -> None:
        self._waiting[kind].append(row)
        if len(self._waiting[kind]) == SHARD:
            self._flush(kind)

    def _flush(self, kind: Any) -> None:
        if rows := self._waiting[kind]:
            self._shards.keep(kind, self._number[kind], np.arange(len(rows)), np.stack(rows))
            self._number[kind] += 1
            self._waiting[kind] = []


def _by_kind(entry: dict[str, Any]) -> dict[str, list[str]]:
    """English texts of a box by kind: the ones that such embeddings are of."""
    found: dict[str, list[str]] = defaultdict(list)
    for caption in entry["captions"]:
        if caption["language"] != "zh":
            found[caption["kind"]].append(caption["text"])
    # A picture has one string of attributes and one prompt there.
    return {kind: of if kind == "caption" else of[:1] for kind, of in found.items()}


def _named(entries: Iterator[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each box with the name that its picture's source gave it."""
    while part := list(islice(entries, 1000)):
        names = dict(
            Image.objects.filter(pk__in={e["image"] for e in part}).values_list("pk", "name")
        )
        yield from ((entry, names.get(entry["image"], "")) for entry in part)


def give(teacher: Teacher, folder: Path, *, tell: Tell = lambda done, total: None) -> Report:
    """Write a teacher as a folder of `<path of the picture>.bin`, one for each picture.

    Such a file is of one person: of a picture with several boxes, the first is written.

    Raises: TeacherNotReady, CorruptArtifact; OSError, the folder cannot be written.
    """
    store = teachers.store(teacher)
    snapshot = teacher.snapshot
    report, seen = Report(), set()
    for done, (entry, named) in enumerate(_named(teachers.entries(snapshot, "")), 1):
        tell(done, snapshot.box_count)
        (row,) = store.image_rows([entry["box"]])
        target = _inside(folder, named)
        if row < 0:
            report.without += 1
        elif target is None:
            report.refused.append((named, "its name cannot be a path in the folder"))
        elif target in seen:
            report.refused.append((named, "it has several boxes; the first was written"))
        else:
            seen.add(target)
            teacher_bin.write(target, Embeddings(store.images[row], _texts_of(store, entry)))
            report.written += 1
    return report


def _inside(folder: Path, named: str) -> Path | None:
    parts = named.replace("\\", "/").split("/")
    bad = not named or named.startswith("/") or "\x00" in named or ".." in parts
    return None if bad else folder.joinpath(*parts[:-1], parts[-1] + SUFFIX)


def _texts_of(store: Store, entry: dict[str, Any]) -> dict[str, np.ndarray]:
    found = {}
    for kind, of in _by_kind(entry).items():
        rows = store.text_rows(of)
        if (rows >= 0).all():
            found[kind] = store.texts[rows]
    return found
