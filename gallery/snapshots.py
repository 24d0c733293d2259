"""Numbered, frozen lists of a dataset's boxes and captions, and of what reviewers said of them."""

import gzip
import hashlib
import json
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max, Prefetch, QuerySet

from gallery import datasets
from gallery.errors import UnknownSnapshot
from gallery.formats.records import language_of
from gallery.models import Box, Caption, Dataset, Review, Snapshot
from pedsite.accounts.models import User

BATCH = 2000
# The split of boxes that take no part: nobody can tell on which side they belong.
WITHHELD = "withheld"
# What a caption is called that a reviewer made of a query.
CONFIRMED = "confirmed"
COUNTED = ("boxes", "people", "captions", "confirmed", "rejected")


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What reviewers said of one box: texts that describe it, and texts that do not."""

    confirmed: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What reviewers said of a dataset, to be frozen with it.

    of: box id -> verdicts. split_of: the split of each box, in place of its identity's.
    about: how it came to be, JSON values that the snapshot keeps.
    """

    of: Mapping[int, Verdicts]
    split_of: Callable[[Box], str]
    about: dict[str, Any] = field(default_factory=dict)


def freeze(dataset: Dataset, user: User | None = None, judged: Judged | None = None) -> Snapshot:
    """Freeze what a dataset holds now; hidden boxes and captions are left out.

    Equal content has one number: what was frozen before keeps that snapshot.

    Args:
        judged: what reviewers said, which becomes captions and refusals of the boxes.

    Raises:
        UnknownDataset: it was deleted.
    """
    with transaction.atomic(), tempfile.TemporaryFile() as file:
        # No import and no detection adds to the dataset while it is read.
        datasets.lock(dataset.pk)
        written = _write(dataset, file, judged)
        before = dataset.snapshots.filter(fingerprint=written.fingerprint)
        if same := before.order_by("-number").first():
            return same
        number = (dataset.snapshots.aggregate(last=Max("number"))["last"] or 0) + 1
        file.seek(0)
        name = f"snapshots/{dataset.pk}/{number}-{written.fingerprint[:16]}.jsonl.gz"
        # Left by a process that was killed before its row was there.
        default_storage.delete(name)
        return Snapshot.objects.create(
            dataset=dataset,
            number=number,
            fingerprint=written.fingerprint,
            box_count=sum(each["boxes"] for each in written.counts.values()),
            caption_count=sum(each["captions"] for each in written.counts.values()),
            counts=written.counts,
            judged={} if judged is None else judged.about,
            file=default_storage.save(name, File(file)),
            created_by=user,
        )


def visible_to(user: User) -> QuerySet[Snapshot]:
    """Snapshots of the datasets that a user may see, newest first."""
    shown = Dataset.objects.visible_to(user)
    rows = Snapshot.objects.filter(dataset__in=shown).select_related("dataset", "created_by")
    return rows.order_by("-pk")


def get(user: User, pk: int) -> Snapshot:
    """A snapshot that a user may see. Raises: UnknownSnapshot."""
    found = visible_to(user).filter(pk=pk).first()
    if found is None:
        raise UnknownSnapshot(pk)
    return found


def numbered(dataset: Dataset, number: int) -> Snapshot:
    """A dataset's snapshot by its number. Raises: UnknownSnapshot."""
    found = dataset.snapshots.select_related("dataset").filter(number=number).first()
    if found is None:
        raise UnknownSnapshot(number)
    return found


def read(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """The boxes of a snapshot, in the order of their ids.

    Each is a dict: box and image (ids), file (name in the storage), bbox (left, top, right,
    bottom), identity (its key or None), split, and captions (text, language, kind; with source
    `confirmed` what a reviewer made one); and rejected (text, language) where reviewers refused
    some.
    """
    with snapshot.file.open("rb") as stored, gzip.open(stored, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def counts(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """Split -> how many boxes, people, captions, confirmed and rejected texts it has."""
    if not snapshot.counts and snapshot.box_count:
        # From before they were kept.
        counter = _Counter()
        for row in read(snapshot):
            counter.add(row)
        snapshot.counts = counter.counts()
        snapshot.save(update_fields=["counts"])
    return snapshot.counts


@dataclass(frozen=True, kw_only=True)
class _Written:
    fingerprint: str
    counts: dict[str, dict[str, int]]


class _Counter:
    def __init__(self) -> None:
        self._of: dict[str, dict[str, int]] = {}
        self._people: dict[str, set[str]] = {}

    def add(self, row: dict[str, Any]) -> None:
        mine = self._of.setdefault(row["split"], dict.fromkeys(COUNTED, 0))
        mine["boxes"] += 1
        mine["captions"] += len(row["captions"])
        mine["confirmed"] += sum(one.get("source") == CONFIRMED for one in row["captions"])
        mine["rejected"] += len(row.get("rejected", ()))
        if row["identity"] is not None:
            self._people.setdefault(row["split"], set()).add(row["identity"])

    def counts(self) -> dict[str, dict[str, int]]:
        people = {split: {"people": len(those)} for split, those in self._people.items()}
        return {split: mine | people.get(split, {}) for split, mine in sorted(self._of.items())}


def leave_out(
    snapshot: Snapshot, boxes: Collection[int], files: Mapping[str, str] | None = None
) -> str:
    """Write a snapshot anew without some boxes; it keeps its number and gets the fingerprint that
    what is left has. Call it in a transaction.

    Args:
        files: new names of stored pictures by the old ones.

    Returns: the name of the file that it had, to be deleted once that is committed.
    """
    left = (
        row | {"file": (files or {}).get(row["file"], row["file"])}
        for row in read(snapshot)
        if row["box"] not in boxes
    )
    with tempfile.TemporaryFile() as file:
        written = _pack(left, file)
        file.seek(0)
        name = f"snapshots/{snapshot.dataset_id}/{snapshot.number}-{written.fingerprint[:16]}"
        old, stored = snapshot.file.name, default_storage.save(f"{name}.jsonl.gz", File(file))
    snapshot.fingerprint, snapshot.file, snapshot.counts = (
        written.fingerprint,
        stored,
        written.counts,
    )
    snapshot.box_count = sum(each["boxes"] for each in written.counts.values())
    snapshot.caption_count = sum(each["captions"] for each in written.counts.values())
    snapshot.save()
    return str(old)


def _write(dataset: Dataset, file: IO[bytes], judged: Judged | None) -> _Written:
    """Write a dataset's lines."""
    return _pack(
        (_row(box) if judged is None else _judged_row(box, judged) for box in _boxes(dataset)),
        file,
    )


def _pack(rows: Iterable[dict[str, Any]], file: IO[bytes]) -> _Written:
    digest, counter = hashlib.sha256(), _Counter()
    # mtime 0: the same lines give the same bytes.
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
        for row in rows:
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            packed.write(line)
            counter.add(row)
    return _Written(fingerprint=digest.hexdigest(), counts=counter.counts())


def _boxes(dataset: Dataset) -> Iterator[Box]:
    stated = Caption.objects.stated().order_by("pk")
    rows = (
        Box.objects.filter(image__dataset=dataset)
        .exclude(review=Review.HIDDEN)
        .select_related("image", "identity")
        .prefetch_related(Prefetch("captions", stated))
        .order_by("pk")
    )
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield from batch
        last = batch[-1].pk


def _row(box: Box) -> dict[str, Any]:
    return {
        "box": box.pk,
        "image": box.image_id,
        "file": box.image.file.name,
        "bbox": list(box.bounds),
        "identity": box.identity.key if box.identity else None,
        "split": box.identity.split if box.identity else "",
        "captions": [
            {"text": caption.text, "language": caption.language, "kind": caption.kind}
            for caption in box.captions.all()
        ],
    }


def _judged_row(box: Box, judged: Judged) -> dict[str, Any]:
    row = _row(box) | {"split": judged.split_of(box)}
    said = judged.of.get(box.pk, Verdicts())
    own = {caption["text"] for caption in row["captions"]}
    row["captions"] += [
        _words(text) | {"kind": Caption.Kind.CAPTION.value, "source": CONFIRMED}
        for text in said.confirmed
        if text not in own
    ]
    return row | ({"rejected": [_words(text) for text in said.rejected]} if said.rejected else {})


def _words(text: str) -> dict[str, str]:
    return {"text": text, "language": language_of(text)}
