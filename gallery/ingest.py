"""Import of any format into a dataset, as a job: idempotent, resumable, named refusals.

The job remembers the mark behind the last record of each chunk, saved with the chunk's rows in one
transaction. What a killed process had done is known by its pictures' hashes.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from gallery import datasets, intake
from gallery.errors import BadImage, BadSource, UnknownFormat
from gallery.formats import FORMATS
from gallery.formats.records import (
    OWN_KEY,
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Tick,
    Unreadable,
)
from gallery.models import Dataset, Image
from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.jobs.models import Job

KIND = gettext_noop("import")
TASK = "gallery.import_dataset"
CHUNK_S = 2.5
CHUNK_RECORDS = 200
CHUNK_BYTES = 48 * 2**20
# How many refusals and notes are told in full; all are counted.
TOLD = 20


@dataclass(slots=True)
class Report:
    """What an import would do."""

    dataset: str
    new_dataset: bool
    records: int = 0
    images: int = 0
    known_images: int = 0
    boxes: int = 0
    captions: int = 0
    people: int = 0
    cameras: int = 0
    refused: int = 0
    noted: int = 0
    refusals: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Chunk:
    """Records read together, and the mark behind the last of them."""

    mark: Mark | None = None
    read: int = 0
    good: list[intake.Checked] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    is_last: bool = False


def request(
    format: str,
    path: str,
    dataset: str,
    images: str | None = None,
    user: User | None = None,
    *,
    queue: bool = True,
    options: dict[str, Any] | None = None,
) -> Job:
    """A job that imports `path` into the dataset of that name, which is made if there is none.

    Args:
        format: a key of FORMATS.
        path: file or folder; for `drawn` its seed and number of people.
        images: the folder of the pictures, for formats that name them in a file.
        options: what the format takes, as JSON values.

    Returns: the job; `params["created"]` says whether the dataset is new.
    Raises:
        UnknownFormat, BadSource, BadDatasetName: nothing was written.
    """
    path, images = _absolute(format, path), str(Path(images).absolute()) if images else None
    options = options or {}
    total = _total(_format(format, options), path, images, options)
    with transaction.atomic():
        found, created = datasets.get_or_create(dataset, user)
        params = {
            "format": format,
            "path": path,
            "images": images,
            "dataset": found.pk,
            "dataset_name": found.name,
            "created": created,
            "options": options,
        }
        return work.request(KIND, task=TASK, params=params, user=user, total=total, queue=queue)


class Importer:
    """The step of an import job. One object keeps the source open from chunk to chunk."""

    def __init__(self) -> None:
        self._entries: Iterator[Entry] | None = None

    def __call__(self, at: work.Work) -> bool:
        """Import one chunk; True while more remains.

        Raises:
            BadSource, UnknownDataset: the source or the dataset is gone.
        """
        kind = _format(at.params["format"], at.params["options"])
        if self._entries is None:
            self._entries = self._open(at, kind)
        only = frozenset(at.params.get("only", ()))
        chunk = _gather(self._entries, at.params["dataset"], only, at.beat)
        with transaction.atomic():
            counts = intake.store(at.params["dataset"], chunk.good, kind.caption_source)
            self._count(at, chunk, counts)
        return not chunk.is_last

    def _open(self, at: work.Work, kind: Format) -> Iterator[Entry]:
        only = at.params.get("only")
        if only and "mark" not in at.job.result:
            at.plan(len(only))
        return kind.read(
            at.params["path"],
            at.params["images"],
            after=at.job.result.get("mark"),
            **at.params["options"],
        )

    def _count(self, at: work.Work, chunk: Chunk, counts: intake.Counts) -> None:
        result = at.job.result
        notes = _told(chunk, "notes")
        sums = {name: result.get(name, 0) + new for name, new in asdict(counts).items()}
        at.keep(
            mark=result.get("mark") if chunk.mark is None else chunk.mark,
            notes=[*result.get("notes", []), *notes][:TOLD],
            noted=result.get("noted", 0) + len(notes),
            **sums,
        )
        failures = chunk.refusals + _told(chunk, "problems")
        whole = [checked for checked in chunk.good if not checked.problems]
        at.advance(len(whole), failures, note=f"{sums['images']} pictures, {sums['boxes']} boxes")
        # Headers promise more or less than there is; what was read is what there was.
        if chunk.is_last and at.job.total != at.job.handled:
            at.plan(at.job.handled, done=at.job.done)


def dry_run(
    format: str,
    path: str,
    dataset: str,
    images: str | None = None,
    *,
    options: dict[str, Any] | None = None,
    watch: Callable[[int, int | None], None] = lambda done, total: None,
) -> Report:
    """Read and check everything that an import would, and write nothing.

    Args:
        watch: called with how many records were read, of how many (None: unknown).

    Raises:
        UnknownFormat, BadSource, BadDatasetName: as `request`.
    """
    options = options or {}
    kind = _format(format, options)
    path = _absolute(format, path)
    datasets.check_name(dataset)
    found = Dataset.objects.filter(name=dataset).first()
    report = Report(dataset=dataset, new_dataset=found is None)
    total = _total(kind, path, images, options)
    entries = kind.read(path, images, **options)
    seen = _Seen()
    while True:
        chunk = _gather(entries, found.pk if found else None, frozenset(), lambda: None)
        _add(report, chunk, seen)
        watch(report.records, total)
        if chunk.is_last:
            return report


@dataclass(slots=True)
class _Seen:
    """What a dry run has met, so that it counts each picture and person once."""

    pictures: set[str] = field(default_factory=set)
    people: set[str] = field(default_factory=set)
    cameras: set[str] = field(default_factory=set)


def _add(report: Report, chunk: Chunk, seen: _Seen) -> None:
    report.records += chunk.read
    for checked in chunk.good:
        if checked.data and checked.sha256 not in seen.pictures:
            report.images += 1
        else:
            report.known_images += 1
        seen.pictures.add(checked.sha256)
        seen.cameras |= {checked.record.camera} - {""}
        for _bounds, box in checked.boxes:
            report.boxes += 1
            report.captions += len(box.captions)
            if box.identity is not None or box.bounds is None:
                seen.people.add(box.identity or OWN_KEY + checked.sha256)
    report.people, report.cameras = len(seen.people), len(seen.cameras)
    refusals, notes = chunk.refusals + _told(chunk, "problems"), _told(chunk, "notes")
    report.refused += len(refusals)
    report.noted += len(notes)
    report.refusals = (report.refusals + refusals)[:TOLD]
    report.notes = (report.notes + notes)[:TOLD]


def _gather(
    entries: Iterator[Entry],
    dataset_id: int | None,
    only: frozenset[str],
    beat: Callable[[], None],
) -> Chunk:
    """Read and check records until the chunk has enough of them, or took long enough."""
    chunk = Chunk()
    began, size = time.monotonic(), 0
    while chunk.read < CHUNK_RECORDS and size < CHUNK_BYTES:
        beat()
        try:
            entry = next(entries, None)
        except Unreadable as exc:
            raise BadSource(str(exc)) from exc
        if entry is None:
            chunk.is_last = True
            break
        if not isinstance(entry, Tick):
            chunk.mark = entry.mark
            if not only or entry.item in only:
                size += _take(chunk, entry, dataset_id)
        if time.monotonic() - began > CHUNK_S:
            break
    return chunk


def _take(chunk: Chunk, entry: Record | Refusal, dataset_id: int | None) -> int:
    """Add one record to a chunk; how many bytes its picture holds there."""
    chunk.read += 1
    if isinstance(entry, Refusal):
        chunk.refusals.append((entry.item, entry.reason))
        return 0

    def known(sha256: str) -> tuple[int, int] | None:
        mine = Image.objects.filter(dataset=dataset_id, sha256=sha256)
        return mine.values_list("width", "height").first()

    try:
        checked = intake.check(entry, known)
    except BadImage as exc:
        chunk.refusals.append((entry.item, str(exc)))
        return 0
    chunk.good.append(checked)
    return len(checked.data)


def _told(chunk: Chunk, what: str) -> list[tuple[str, str]]:
    """(item, text) of each record that has problems, or notes, after it was checked and stored."""
    told = [(checked.record.item, getattr(checked, what)) for checked in chunk.good]
    rest = "; the rest was imported" if what == "problems" else ""
    return [(item, "; ".join(texts) + rest) for item, texts in told if texts]


def _format(name: str, options: dict[str, Any]) -> Format:
    if name not in FORMATS:
        raise UnknownFormat(name, list(FORMATS))
    unknown = sorted(set(options) - FORMATS[name].options)
    if unknown:
        raise BadSource(f"The format {name} takes no {', '.join(unknown)}.")
    return FORMATS[name]


def _total(kind: Format, path: str, images: str | None, options: dict[str, Any]) -> int | None:
    try:
        total: int | None = kind.total(path, images, **options)
    except Unreadable as exc:
        raise BadSource(str(exc)) from exc
    if total == 0:
        raise BadSource(f"{path} holds nothing to import.")
    return total


def _absolute(format: str, path: str) -> str:
    # A worker has another working directory than the command.
    return path if format == "drawn" else str(Path(path).absolute())
