"""What a dataset's page shows: its boxes, or its pictures while it has no boxes, in pages.

Pages are cut at ids, not at row numbers, so that neither a growing nor a large dataset makes one
slow or repeats a box.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Max, Min, Prefetch, QuerySet
from django.forms import Form
from django.http import QueryDict
from django.utils import timezone

from gallery import browse
from gallery.browse import Wanted
from gallery.models import Action, Box, Camera, Caption, Dataset, Identity, Image, Review
from pedsite.accounts.models import User

SIZE = 48
OFFERED_FOR = timedelta(minutes=10)
COVERS = 4
COVERS_APART = 12


@dataclass(frozen=True, slots=True)
class GalleryPage:
    """Boxes, or images where `shows_images`; ids before and after which the neighbours begin."""

    boxes: list[Box]
    images: list[Image]
    shows_images: bool
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


def of(
    dataset: Dataset, wanted: Wanted, user: User, *, after: str = "", before: str = ""
) -> GalleryPage:
    """One page of what is wanted of a dataset, next to the id given."""
    camera = wanted.camera
    shows_images = not Box.objects.filter(image__dataset=dataset).exists()
    rows: QuerySet
    if shows_images:
        rows = Image.objects.filter(dataset=dataset).select_related("camera")
        rows = rows.filter(camera__name=camera) if camera else rows
    else:
        captions = Caption.objects.shown().order_by("kind", "language", "pk")
        rows = browse.boxes(user, wanted, dataset).with_context()
        rows = rows.prefetch_related(Prefetch("captions", captions))
    found, previous, following = cut(rows, number(after), number(before))
    return GalleryPage(
        boxes=[] if shows_images else found,
        images=found if shows_images else [],
        shows_images=shows_images,
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


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """People with `box_count`, each with a box to be shown by, or None."""

    people: list[tuple[Identity, Box | None]]
    next: int | None


def people(rows: QuerySet[Identity], after: str = "") -> PeoplePage:
    """One page of people, behind the id given."""
    start = number(after)
    rows = rows.filter(pk__gt=start) if start else rows
    found = list(rows.annotate(box_count=Count("boxes")).order_by("pk")[: SIZE + 1])
    some = found[:SIZE]
    shown = Box.objects.filter(identity__in=some).exclude(review=Review.HIDDEN)
    first = shown.order_by("identity", "pk").distinct("identity")
    covers = {box.identity_id: box for box in first}
    return PeoplePage(
        people=[(person, covers.get(person.pk)) for person in some],
        next=some[-1].pk if len(found) > SIZE else None,
    )


def asked(form: Form, given: QueryDict) -> str:
    """The filters of a form as a query string, without those that are empty or wrong."""
    if not form.is_valid():
        return ""
    return urlencode({name: given[name] for name in form.fields if given.get(name)})


def undoable(dataset: Dataset, user: User) -> Action | None:
    """The action that a page offers to undo: the user's last one, if it was a moment ago."""
    recent = timezone.now() - OFFERED_FOR
    made = Action.objects.filter(dataset=dataset, made_by=user, made_at__gte=recent, undoes=None)
    return made.filter(undone_by=None).order_by("-pk").first()


def covers(datasets: Iterable[Dataset]) -> dict[int, list[Box]]:
    """Some boxes to show each dataset by, by its id; not neighbours, who are often one person."""
    shown = Box.objects.exclude(review=Review.HIDDEN).order_by("pk")
    return {
        dataset.pk: _spread(list(shown.filter(image__dataset=dataset)[: COVERS * COVERS_APART]))
        for dataset in datasets
    }


def _spread(boxes: list[Box]) -> list[Box]:
    return boxes[:: max(1, len(boxes) // COVERS)][:COVERS]


def cut(
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


def number(text: str) -> int | None:
    """The id that an address names, None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
