"""What a dataset's page shows: its boxes, or its pictures while it has no boxes, in pages.

Pages are cut at ids, not at row numbers, so that neither a growing nor a large dataset makes one
slow or repeats a box.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, Prefetch, QuerySet

from gallery.models import Box, Camera, Caption, Dataset, Image, Review

SIZE = 48
COVERS = 4
COVERS_APART = 12


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """Boxes, or images where `shows_images`; ids before and after which the neighbours begin."""

    boxes: list[Box]
    images: list[Image]
    shows_images: bool
    camera: str
    previous: int | None
    next: int | None


@dataclass(frozen=True, slots=True)
class About:
    """What is told about a dataset beside its boxes."""

    cameras: list[Camera]  # each with image_count
    captions: list[dict[str, Any]]  # kind, language, total
    splits: list[dict[str, Any]]  # split, total
    first: Any
    last: Any


def of(dataset: Dataset, *, camera: str = "", after: str = "", before: str = "") -> GalleryPage:
    """One page of a dataset, of one camera if `camera` names it, next to the id given."""
    shows_images = not Box.objects.filter(image__dataset=dataset).exists()
    rows: QuerySet
    if shows_images:
        rows = Image.objects.filter(dataset=dataset).select_related("camera")
        rows = rows.filter(camera__name=camera) if camera else rows
    else:
        captions = Caption.objects.exclude(review=Review.HIDDEN).order_by("kind", "language", "pk")
        rows = Box.objects.filter(image__dataset=dataset).with_context()
        rows = rows.exclude(review=Review.HIDDEN).prefetch_related(Prefetch("captions", captions))
        rows = rows.filter(image__camera__name=camera) if camera else rows
    found, previous, following = _cut(rows, _number(after), _number(before))
    return GalleryPage(
        boxes=[] if shows_images else found,
        images=found if shows_images else [],
        shows_images=shows_images,
        camera=camera,
        previous=previous,
        next=following,
    )


def about(dataset: Dataset) -> About:
    """Cameras, captions by kind, people by split, and the time that the pictures span."""
    captions = Caption.objects.filter(box__image__dataset=dataset)
    times = dataset.images.aggregate(first=Min("taken_at"), last=Max("taken_at"))
    return About(
        cameras=list(dataset.cameras.annotate(image_count=Count("images"))),
        captions=list(
            captions.values("kind", "language")
            .annotate(total=Count("pk"))
            .order_by("kind", "language")
        ),
        splits=list(
            dataset.identities.values("split").annotate(total=Count("pk")).order_by("split")
        ),
        first=times["first"],
        last=times["last"],
    )


def covers(datasets: Iterable[Dataset]) -> dict[int, list[Box]]:
    """Some boxes to show each dataset by, by its id; not neighbours, who are often one person."""
    shown = Box.objects.exclude(review=Review.HIDDEN).order_by("pk")
    return {
        dataset.pk: _spread(list(shown.filter(image__dataset=dataset)[: COVERS * COVERS_APART]))
        for dataset in datasets
    }


def _spread(boxes: list[Box]) -> list[Box]:
    return boxes[:: max(1, len(boxes) // COVERS)][:COVERS]


def _cut(
    rows: QuerySet, after: int | None, before: int | None
) -> tuple[list[Any], int | None, int | None]:
    """A page of rows, and the ids of its ends where more rows lie beyond them."""
    if before is not None:
        found = list(rows.filter(pk__lt=before).order_by("-pk")[: SIZE + 1])
        more_before, more_after = len(found) > SIZE, bool(found)
        found = found[:SIZE][::-1]
    else:
        rows = rows.order_by("pk")
        found = list(rows.filter(pk__gt=after or 0)[: SIZE + 1])
        more_before, more_after = bool(after) and bool(found), len(found) > SIZE
        found = found[:SIZE]
    previous = found[0].pk if found and more_before else None
    return found, previous, found[-1].pk if found and more_after else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
