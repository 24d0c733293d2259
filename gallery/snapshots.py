"""Numbered, frozen lists of a dataset's boxes and captions."""

import gzip
import hashlib
import json
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max, Prefetch

from gallery import datasets
from gallery.models import Box, Caption, Dataset, Review, Snapshot
from pedsite.accounts.models import User

BATCH = 2000


def freeze(dataset: Dataset, user: User | None = None) -> Snapshot:
    """Freeze what a dataset holds now; hidden boxes and captions are left out.

    A dataset that has not changed since its last snapshot keeps that one: equal content has one
    number.

    Raises:
        UnknownDataset: it was deleted.
    """
    with transaction.atomic(), tempfile.TemporaryFile() as file:
        # No import and no detection adds to the dataset while it is read.
        datasets.lock(dataset.pk)
        fingerprint, boxes, captions = _write(dataset, file)
        last = dataset.snapshots.order_by("-number").first()
        if last is not None and last.fingerprint == fingerprint:
            return last
        number = (dataset.snapshots.aggregate(last=Max("number"))["last"] or 0) + 1
        file.seek(0)
        name = f"snapshots/{dataset.pk}/{number}-{fingerprint[:16]}.jsonl.gz"
        # Left by a process that was killed before its row was there.
        default_storage.delete(name)
        return Snapshot.objects.create(
            dataset=dataset,
            number=number,
            fingerprint=fingerprint,
            box_count=boxes,
            caption_count=captions,
            file=default_storage.save(name, File(file)),
            created_by=user,
        )


def read(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """The boxes of a snapshot, in the order of their ids.

    Each is a dict: box and image (ids), file (name in the storage), bbox (left, top, right,
    bottom), identity (its key or None), split, and captions (text, language, kind).
    """
    with snapshot.file.open("rb") as stored, gzip.open(stored, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _write(dataset: Dataset, file: IO[bytes]) -> tuple[str, int, int]:
    """Write a dataset's lines; the fingerprint, and how many boxes and captions there are."""
    digest, boxes, captions = hashlib.sha256(), 0, 0
    # mtime 0: the same lines give the same bytes.
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
        for box in _boxes(dataset):
            row = _row(box)
            line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            digest.update(line)
            packed.write(line)
            boxes += 1
            captions += len(row["captions"])
    return digest.hexdigest(), boxes, captions


def _boxes(dataset: Dataset) -> Iterator[Box]:
    shown = Caption.objects.exclude(review=Review.HIDDEN).order_by("pk")
    rows = (
        Box.objects.filter(image__dataset=dataset)
        .exclude(review=Review.HIDDEN)
        .select_related("image", "identity")
        .prefetch_related(Prefetch("captions", shown))
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
