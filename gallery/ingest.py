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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from gallery import datasets, intake, ledger, sources
from gallery.errors import BadImage, BadSource, NotYourDataset, UnknownFormat
from gallery.formats import FORMATS
from gallery.formats.records import (
    Entry,
    Format,
    Mark,
    Record,
    Refusal,
    Tick,
    Unreadable,
)
from gallery.models import Dataset, Image, Upload
from pedsite.accounts.models import User
from pedsite.api import DomainError
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
    upload: Upload | None = None,
    total: int | None = None,
) -> Job:
    """A job that imports `path` into the dataset of that name, which is made if there is none.

    Args:
        format: a key of FORMATS.
        path: file or folder; for `drawn` its seed and number of people.
        images: the folder of the pictures, for formats that name them in a file.
        user: who asks; a dataset that is not shared with them is refused, and so is a path that
            is not under the roots. None sees all: a command reads what whoever runs it may.
        options: what the format takes, as JSON values.
        upload: what `path` and `images` are inside of.
        total: how many records there are, where that is known.

    Returns: the job; `params["created"]` says whether the dataset is new.
    Raises:
        UnknownFormat, BadSource, BadFolder, BadDatasetName, NotYourDataset: nothing was written.
    """
    options = options or {}
    kind = format_of(format, options)
    if upload is None:
        anywhere = user is None or format == "drawn"
        path, images = _on_server(format, path, images, anywhere)
        total = total or count_of(kind, path, images, options)
    with transaction.atomic():
        found, created = datasets.get_or_create(dataset, user)
        if not created and not is_open(found, user):
            raise NotYourDataset(dataset)
        params = {
            "format": format,
            "path": path,
            "images": images,
            "dataset": found.pk,
            "dataset_name": found.name,
            "created": created,
            "options": options,
        }
        params |= {"upload": upload.pk, "source": upload.name} if upload else {"anywhere": anywhere}
        return work.request(KIND, task=TASK, params=params, user=user, total=total, queue=queue)


def is_open(dataset: Dataset, user: User | None) -> bool:
    """Whether a user may add to a dataset; a command, which has no user, may always."""
    return user is None or Dataset.objects.visible_to(user).filter(pk=dataset.pk).exists()


def place(params: dict[str, Any], beat: Callable[[], None]) -> tuple[str, str | None]:
    """Path and images of a job's source on this machine, where an upload is unpacked for it.

    Raises:
        BadUpload, BadArchive, BadSource: it is not there any more, or cannot be unpacked.
        BadFolder: it was put where nobody may import from since it was asked for.
    """
    path, images = params["path"], params["images"]
    if params.get("anywhere"):
        return path, images
    upload = Upload.objects.filter(pk=params.get("upload")).first()
    if upload is None:
        # A path that is not whole is one inside an upload, whatever else the job says.
        if "upload" in params or not Path(path).is_absolute():
            raise BadSource(_("The upload was removed."))
        return _on_server(params["format"], path, images, False)
    folder = sources.here(upload, beat)
    return (
        str(sources.inside(folder, path)),
        str(sources.inside(folder, images)) if images else None,
    )


class Importer:
    """The step of an import job. One object keeps the source open from chunk to chunk."""

    def __init__(self) -> None:
        self._entries: Iterator[Entry] | None = None

    def __call__(self, at: work.Work) -> bool:
        """Import one chunk; True while more remains.

        Raises:
            BadSource, UnknownDataset: the source or the dataset is gone.
        """
        with sources.told(at.params.get("source", "")):
            try:
                return self._step(at)
            except DomainError:
                self._tell_of_nothing(at)
                raise

    def _step(self, at: work.Work) -> bool:
        kind = format_of(at.params["format"], at.params["options"])
        if self._entries is None:
            self._entries = self._open(at, kind)
        only = frozenset(at.params.get("only", ()))
        chunk = gather(self._entries, at.params["dataset"], only, at.beat)
        with transaction.atomic():
            stored = intake.store(at.params["dataset"], chunk.good, kind.caption_source)
            ledger.write(at.job, stored.made)
            self._count(at, chunk, stored.counts)
        if chunk.is_last:
            self._tell_of_nothing(at)
        return not chunk.is_last

    def _open(self, at: work.Work, kind: Format) -> Iterator[Entry]:
        only = at.params.get("only")
        if only and "mark" not in at.job.result:
            at.plan(len(only))
        path, images = place(at.params, at.beat)
        return kind.read(
            path,
            images,
            after=at.job.result.get("mark"),
            **at.params["options"],
        )

    def _count(self, at: work.Work, chunk: Chunk, counts: intake.Counts) -> None:
        result = at.job.result
        notes = told(chunk, "notes")
        sums = {name: result.get(name, 0) + new for name, new in asdict(counts).items()}
        at.keep(
            mark=result.get("mark") if chunk.mark is None else chunk.mark,
            notes=[*result.get("notes", []), *notes][:TOLD],
            noted=result.get("noted", 0) + len(notes),
            **sums,
        )
        failures = chunk.refusals + told(chunk, "problems")
        whole = [checked for checked in chunk.good if not checked.problems]
        at.advance(len(whole), failures, note=_found(**sums))
        # Headers promise more or less than there is; what was read is what there was.
        if chunk.is_last and at.job.total != at.job.handled:
            at.plan(at.job.handled, done=at.job.done)

    def _tell_of_nothing(self, at: work.Work) -> None:
        """Say so where nothing was brought, and leave no empty dataset that was made for it."""
        if any(at.job.result.get(name) for name in ("images", "known_images", "boxes")):
            return
        with transaction.atomic():
            at.advance(note=_("Nothing was imported."))
            dataset = Dataset.objects.select_for_update().filter(pk=at.params["dataset"]).first()
            made = at.params.get("created") and dataset is not None
            if made and datasets.remove_bare(dataset, at.job):
                at.keep(dataset_removed=True)
                at.refuse_retries()


def _found(images: int, boxes: int, **_others: int) -> str:
    """What a job has found so far, for its note."""
    pictures = ngettext("%(count)s picture", "%(count)s pictures", images)
    people = ngettext("%(count)s box", "%(count)s boxes", boxes)
    return f"{pictures % {'count': f'{images:,}'}}, {people % {'count': f'{boxes:,}'}}"


def gather(
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


def told(chunk: Chunk, what: str) -> list[tuple[str, str]]:
    """(item, text) of each record that has problems, or notes, after it was checked and stored."""
    texts = [(checked.record.item, getattr(checked, what)) for checked in chunk.good]
    rest = "; the rest was imported" if what == "problems" else ""
    return [(item, "; ".join(lines) + rest) for item, lines in texts if lines]


def format_of(name: str, options: dict[str, Any]) -> Format:
    """The format of that name.

    Raises:
        UnknownFormat, BadSource: there is none, or it takes no such option.
    """
    if name not in FORMATS:
        raise UnknownFormat(name, list(FORMATS))
    unknown = sorted(set(options) - FORMATS[name].options)
    if unknown:
        raise BadSource(f"The format {name} takes no {', '.join(unknown)}.")
    return FORMATS[name]


def count_of(kind: Format, path: str, images: str | None, options: dict[str, Any]) -> int | None:
    """How many records a source has; None where nobody can know without reading it.

    Raises:
        BadSource: it cannot be read, or has none.
    """
    try:
        total: int | None = kind.total(path, images, **options)
    except Unreadable as exc:
        raise BadSource(str(exc)) from exc
    if total == 0:
        raise BadSource(f"{path} holds nothing to import.")
    return total


def _on_server(
    format: str, path: str, images: str | None, anywhere: bool
) -> tuple[str, str | None]:
    """Path and images as a job finds them. Raises: BadFolder: they are under no root."""
    if anywhere:
        return absolute(format, path), str(Path(images).absolute()) if images else None
    return str(sources.on_server(path)), str(sources.on_server(images)) if images else None


def absolute(format: str, path: str) -> str:
    """A path as any process finds it."""
    # A worker has another working directory than the command.
    return path if format == "drawn" else str(Path(path).absolute())
