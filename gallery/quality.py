"""Measures of boxes: a job that looks at every picture once, and which boxes are worth little.

Nothing is hidden by it: thresholds are the reader's, and hiding is an action of people.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import (
    Count,
    Exists,
    Func,
    IntegerField,
    OuterRef,
    PositiveIntegerField,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import changes, crops, duplicates, looks
from gallery.errors import BadImage, UnknownDataset
from gallery.models import Box, Dataset, Image, Quality, Review
from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.jobs.models import Job

KIND = gettext_noop("measure boxes")
TASK = "gallery.measure_boxes"
CHUNK_S = 2.5
CHUNK_IMAGES = 100
ITEM = "image "


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Where a box begins to be worth little.

    shorter: pixels of the shorter side; below it nobody is made out. sharpness: as
    `looks.sharpness`; below it a crop is blurred. covered: share above which others hide somebody.
    cut: whether ending with the picture counts.
    """

    shorter: int = 32
    sharpness: float = 0.02
    covered: float = 0.4
    cut: bool = True

    def small(self) -> Q:
        return Q(shorter__lt=self.shorter)

    def blurred(self) -> Q:
        return Q(sharpness__lt=self.sharpness)

    def hidden_by_others(self) -> Q:
        return Q(covered__gt=self.covered)

    def cut_off(self) -> Q:
        return ~Q(cut="") if self.cut else Q(pk__in=())


REASONS = ("small", "blurred", "hidden_by_others", "cut_off")


def request(dataset: Dataset, user: User | None = None, *, queue: bool = True) -> Job:
    """A job that measures what was not measured as it is now, and finds what looks the same.

    One that waits or runs is not asked for twice.

    Raises: MayNotCurate, UnknownDataset
    """
    changes.require_curator(dataset, user)
    with transaction.atomic():
        Dataset.objects.select_for_update(no_key=True).filter(pk=dataset.pk).first()
        waiting_job = on_its_way(dataset)
        if waiting_job is not None and queue:
            return waiting_job
        params = {"dataset": dataset.pk, "dataset_name": dataset.name}
        total = stale_images(dataset).count()
        return work.request(KIND, task=TASK, params=params, user=user, total=total, queue=queue)


def on_its_way(dataset: Dataset) -> Job | None:
    """A job that will measure this dataset, or is at it."""
    return Job.objects.unfinished().filter(kind=KIND, params__dataset=dataset.pk).first()


def stale_images(dataset: Dataset) -> QuerySet[Image]:
    """Pictures with a box that was not measured, or not with the bounds and the crowd it has."""
    return Image.objects.filter(dataset=dataset).filter(Exists(_stale(Q(image=OuterRef("pk")))))


def waiting(dataset: Dataset) -> int:
    """How many boxes the measures of a dataset leave out, or tell of as they were."""
    return _stale(Q(image__dataset=dataset)).count()


def flagged(dataset: Dataset, limits: Thresholds, reason: str = "") -> QuerySet[Quality]:
    """Measures of boxes that are below a threshold: for one of REASONS, or for any."""
    where = Q()
    for name in REASONS:
        if reason in ("", name):
            where |= getattr(limits, name)()
    rows = Quality.objects.of_shown(dataset).filter(where)
    return rows.select_related("box__image__camera", "box__identity")


def counts(dataset: Dataset, limits: Thresholds) -> dict[str, int]:
    """How many boxes each of REASONS flags; "" for any of them."""
    return {reason: flagged(dataset, limits, reason).count() for reason in ("", *REASONS)}


def why(row: Quality, limits: Thresholds) -> list[str]:
    """Those of REASONS that hold for a box."""
    is_so = {
        "small": row.shorter < limits.shorter,
        "blurred": row.sharpness < limits.sharpness,
        "hidden_by_others": row.covered > limits.covered,
        "cut_off": limits.cut and bool(row.cut),
    }
    return [reason for reason in REASONS if is_so[reason]]


def step(at: work.Work) -> bool:
    """Measure the boxes of the next pictures; at last group what looks the same.

    Raises: UnknownDataset, it was deleted.
    """
    dataset = Dataset.objects.filter(pk=at.params["dataset"]).first()
    if dataset is None:
        raise UnknownDataset(at.params["dataset_name"])
    images = list(_remaining(at, dataset)[:CHUNK_IMAGES])
    if not images:
        at.beat(_("Looking for duplicates"))
        at.keep(**duplicates.group(dataset, at.beat))
        return False
    began, rows, failures = time.monotonic(), [], []
    done = 0
    for image in images:
        at.beat()
        try:
            rows += _measured(image)
        except BadImage as exc:
            failures.append((f"{ITEM}{image.pk}: {image.name}"[:500], str(exc)))
        done, last = done + 1, image.pk
        if time.monotonic() - began > CHUNK_S:
            break
    with transaction.atomic():
        _store(rows)
        at.keep(last_image=last, boxes=at.job.result.get("boxes", 0) + len(rows))
        at.advance(done - len(failures), failures)
    return True


def _remaining(at: work.Work, dataset: Dataset) -> QuerySet[Image]:
    rows = stale_images(dataset).filter(pk__gt=at.job.result.get("last_image", 0)).order_by("pk")
    only = at.params.get("only")
    if only is None:
        return rows
    return rows.filter(pk__in=[int(item.split()[1].rstrip(":")) for item in only])


def _stale(boxes: Q) -> QuerySet[Box]:
    others = _crowd(Box.objects.filter(image=OuterRef("image")).exclude(pk=OuterRef("pk")))
    counted = others.order_by().values("image").annotate(n=Count("pk")).values("n")
    now = Coalesce(Subquery(counted, output_field=IntegerField()), 0)
    bounds = Func(
        *("left", "top", "right", "bottom"),
        template="ARRAY[%(expressions)s]",
        output_field=ArrayField(PositiveIntegerField()),
    )
    differs = Q(quality=None) | ~Q(quality__bounds=bounds) | ~Q(quality__crowd=now)
    return Box.objects.filter(boxes).exclude(review=Review.HIDDEN).filter(differs)


def _crowd(boxes: QuerySet[Box]) -> QuerySet[Box]:
    """Those of some boxes that may stand before others: a whole picture is nobody's outline."""
    return boxes.exclude(review=Review.HIDDEN).exclude(source=Box.Source.WHOLE)


def _measured(image: Image) -> list[Quality]:
    boxes = list(image.boxes.exclude(review=Review.HIDDEN).order_by("pk"))
    whole = np.asarray(crops.picture(image))
    rows = []
    for box in boxes:
        others = [
            other.bounds
            for other in boxes
            if other.pk != box.pk and other.source != Box.Source.WHOLE
        ]
        rows.append(_of(box, whole, others))
    return rows


def _of(box: Box, whole: np.ndarray, others: Sequence[looks.Bounds]) -> Quality:
    height, width = whole.shape[:2]
    pixels = whole[box.top : box.bottom, box.left : box.right]
    if not pixels.size:
        raise BadImage(_("Box %(number)d does not lie inside its picture.") % {"number": box.pk})
    sides = sorted((box.right - box.left, box.bottom - box.top))
    return Quality(
        box=box,
        bounds=list(box.bounds),
        crowd=len(others),
        shorter=sides[0],
        longer=sides[1],
        sharpness=looks.sharpness(pixels),
        covered=looks.covered(box.bounds, list(others)),
        cut=looks.cut(box.bounds, width, height),
        digest=looks.digest(pixels),
        differences=looks.differences(pixels),
    )


def _store(rows: Sequence[Quality]) -> None:
    # A box may have been deleted since it was read; its key is held until this is over.
    held = Box.objects.select_for_update(of=("self",), no_key=True)
    there = set(held.filter(pk__in=[row.box_id for row in rows]).values_list("pk", flat=True))
    names = [
        field.name
        for field in Quality._meta.concrete_fields
        if field.name not in ("id", "box", "twin_of", "twin_bits")
    ]
    Quality.objects.bulk_create(
        [row for row in rows if row.box_id in there],
        update_conflicts=True,
        unique_fields=["box"],
        update_fields=names,
    )
