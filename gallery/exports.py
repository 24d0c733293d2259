"""Export of a dataset to any format that can be written, as a job.

The folder appears when all is written. What a killed process left is removed, and the job begins
anew: files of most formats cannot be gone on with.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from gallery import datasets, outgoing, snapshots
from gallery.errors import BadSource, BadTarget, UnknownFormat
from gallery.formats import FORMATS
from gallery.formats.records import Format, Record, Written
from gallery.formats.target import Occupied, Target
from gallery.models import Dataset, Identity, Snapshot
from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.jobs.models import Job

KIND = gettext_noop("export")
TASK = "gallery.export_dataset"
SPLITS = tuple(value for value in Identity.Split.values if value)
CHUNK_S = 2.5
TOLD = 20


@dataclass(slots=True)
class Report:
    """What an export would write."""

    written: int = 0
    refused: int = 0
    noted: int = 0
    refusals: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def add(self, outcomes: list[Written]) -> None:
        refusals, notes = _told(outcomes)
        self.written += len(outcomes) - len(refusals)
        self.refused += len(refusals)
        self.noted += len(notes)
        self.refusals = (self.refusals + refusals)[:TOLD]
        self.notes = (self.notes + notes)[:TOLD]


def request(
    format: str,
    path: str,
    dataset: str,
    split: str = "",
    user: User | None = None,
    *,
    queue: bool = True,
    options: dict[str, Any] | None = None,
    snapshot: int | None = None,
) -> Job:
    """A job that writes a dataset to the new folder `path`; hidden boxes and captions stay out.

    Args:
        format: a key of FORMATS that has a writer.
        split: only people of this split; "" takes all boxes.
        options: what the format's writer takes, as JSON values.
        snapshot: the number of one, to write the dataset as that has it.

    Raises:
        UnknownFormat, UnknownDataset, UnknownSnapshot, BadTarget, BadSource: nothing was written.
    """
    options = options or {}
    kind = _format(format, split, options)
    found = datasets.get(dataset)
    params = {
        "format": format,
        "path": str(target_at(path, "check").path),
        "dataset": found.pk,
        "dataset_name": found.name,
        "split": split,
        "options": options,
    }
    frozen = _frozen(found, snapshot)
    params |= {} if frozen is None else {"snapshot": frozen.number}
    total = outgoing.total(kind, found.pk, split, frozen)
    return work.request(KIND, task=TASK, params=params, user=user, total=total, queue=queue)


class Exporter:
    """The step of an export job; one object keeps the files open from chunk to chunk."""

    def __init__(self) -> None:
        self._target: Target | None = None
        self._outcomes: Iterator[Written] = iter(())

    def __call__(self, at: work.Work) -> bool:
        """Write one chunk; True while more remains.

        Raises:
            BadTarget, UnknownDataset: the folder is there by now, or the dataset is gone.
        """
        params = at.params
        if self._target is None:
            options = params.get("options", {})
            kind = _format(params["format"], params["split"], options)
            dataset = datasets.get(params["dataset_name"])
            frozen = _frozen(dataset, params.get("snapshot"))
            self._target = target_at(params["path"], f"{at.job.pk}")
            self._target.begin()
            self._outcomes = _write(kind, self._target, dataset, params["split"], options, frozen)
            at.keep(noted=0, notes=[])
            at.plan(outgoing.total(kind, dataset.pk, params["split"], frozen))
        outcomes, is_last = _gather(self._outcomes, at.beat)
        refusals, notes = _told(outcomes)
        result = at.job.result
        if is_last:
            commit(self._target)
        at.keep(
            notes=[*result.get("notes", []), *notes][:TOLD],
            noted=result.get("noted", 0) + len(notes),
        )
        at.advance(len(outcomes) - len(refusals), refusals)
        return not is_last

    def close(self) -> None:
        """Remove what an export that did not end has left."""
        close = getattr(self._outcomes, "close", None)
        if close:
            close()
        if self._target is not None:
            self._target.discard()


def dry_run(
    format: str,
    path: str,
    dataset: str,
    split: str = "",
    *,
    options: dict[str, Any] | None = None,
    snapshot: int | None = None,
    watch: Callable[[int, int | None], None] = lambda done, total: None,
) -> Report:
    """Write everything into a temporary folder, tell how it went, and remove it.

    Raises:
        As `request`.
    """
    options = options or {}
    kind = _format(format, split, options)
    found = datasets.get(dataset)
    target_at(path, "check")
    frozen = _frozen(found, snapshot)
    report, total = Report(), outgoing.total(kind, found.pk, split, frozen)
    scratch = tempfile.mkdtemp(prefix="pedsite-export-")
    try:
        target = Target(Path(scratch) / "out", "dry")
        target.begin()
        outcomes = _write(kind, target, found, split, options, frozen)
        is_last = False
        while not is_last:
            chunk, is_last = _gather(outcomes, lambda: None)
            report.add(chunk)
            watch(report.written + report.refused, total)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return report


def _write(
    kind: Format,
    target: Target,
    dataset: Dataset,
    split: str,
    options: dict[str, Any],
    snapshot: Snapshot | None,
) -> Iterator[Written]:
    """The outcomes of a writer and, between them, of pictures that could not be read."""
    unread: list[Written] = []
    records = (
        outgoing.of_dataset(kind, dataset.pk, split)
        if snapshot is None
        else outgoing.of_snapshot(kind, snapshot, split)
    )

    def good() -> Iterator[Record]:
        for one in records:
            if isinstance(one, Record):
                yield one
            else:
                unread.append(one)

    assert kind.write is not None
    for outcome in kind.write(target, good(), _first_free(dataset.pk), **options):
        yield from unread
        unread.clear()
        yield outcome
    yield from unread


def _frozen(dataset: Dataset, number: int | None) -> Snapshot | None:
    return None if number is None else snapshots.numbered(dataset, number)


def _first_free(dataset_id: int) -> int:
    people = Identity.objects.filter(dataset=dataset_id, key__regex=r"^[0-9]+$")
    return max((int(key) for key in people.values_list("key", flat=True)), default=0) + 1


def _gather(outcomes: Iterator[Written], beat: Callable[[], None]) -> tuple[list[Written], bool]:
    """Outcomes for a while, at least one, and whether they were the last."""
    chunk: list[Written] = []
    began = time.monotonic()
    while not chunk or time.monotonic() - began < CHUNK_S:
        beat()
        outcome = next(outcomes, None)
        if outcome is None:
            return chunk, True
        chunk.append(outcome)
    return chunk, False


def _told(outcomes: list[Written]) -> tuple[list[Any], list[Any]]:
    """(item, reason) of those refused, (item, note) of those noted."""
    refusals = [(one.item, one.reason) for one in outcomes if one.reason]
    return refusals, [(one.item, one.note) for one in outcomes if one.note]


def _format(name: str, split: str, options: dict[str, Any]) -> Format:
    known = [name for name, kind in FORMATS.items() if kind.write]
    if name not in known:
        raise UnknownFormat(name, known)
    if split and split not in SPLITS:
        raise BadSource(f"There is no split {split}; there are {', '.join(SPLITS)}.")
    unknown = sorted(set(options) - FORMATS[name].write_options)
    if unknown:
        raise BadSource(f"The format {name} takes no {', '.join(unknown)}.")
    for option, value in options.items():
        if isinstance(value, int) and value < 1:
            raise BadSource(f"{option} is {value}; it must be 1 or more.")
    return FORMATS[name]


def target_at(path: str, tag: str) -> Target:
    """Where an export is written. Raises: BadTarget, nothing can be written there."""
    try:
        return Target(Path(path), tag)
    except (Occupied, OSError) as exc:
        raise BadTarget(str(exc)) from exc


def commit(target: Target) -> None:
    """Let a complete export appear. Raises: BadTarget, something else appeared there."""
    try:
        target.commit()
    except Occupied as exc:
        raise BadTarget(str(exc)) from exc
