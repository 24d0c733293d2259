"""Where a search looks: what was asked for, cut down to what the user may see."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from gallery.browse import has_words
from gallery.errors import UnknownDataset
from gallery.models import Box, Camera, Dataset, Image, Review
from search.errors import MixedKinds, UnknownCamera
from search.models import Embedding
from search.querysets import EmbeddingQuerySet

if TYPE_CHECKING:
    from pedsite.accounts.models import User
    from training.models import Encoder

DEFAULT_KIND = "person"

Moment = dt.datetime | dt.date


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a user narrows a search to; empty means everything they may see.

    `after` and `before` are inclusive: a day means all of that day in the current time zone.
    Pictures without a time are left out as soon as either is given.
    """

    datasets: Sequence[str] = ()
    cameras: Sequence[str] = ()
    after: Moment | None = None
    before: Moment | None = None
    # Of any day, in the current time zone, both included; the first may be the later one.
    hours: tuple[dt.time, dt.time] | None = None
    identity: str = ""  # "known" or "unknown"
    captions: Sequence[str] = ()  # words that some caption of the box has, each
    review: str = ""  # "approved" or "unreviewed"

    def key(self) -> list[Any]:
        """The same filters, however they were written, give the same plain value."""
        bounds = [moment.isoformat() if moment else None for moment in (self.after, self.before)]
        hours = [moment.isoformat() for moment in self.hours or ()]
        lists = [sorted(set(each)) for each in (self.datasets, self.cameras, self.captions)]
        return [*lists, *bounds, hours, self.identity, self.review]

    @property
    def narrow(self) -> bool:
        """Whether they leave anything out."""
        return self.key() != Filters().key()


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Filters resolved to rows: every search is inside one, and so are its counts."""

    kind: str
    dataset_ids: tuple[int, ...]
    camera_ids: tuple[int, ...] | None = None
    times: Q = field(default_factory=Q)
    # The first and the last moment of `times`, or a little more, for what knows no Q.
    span: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
    # On the box itself; None where nothing is asked of it, which spares the look at its table.
    boxes_where: Q | None = None

    def embeddings(self, encoder: "Encoder") -> EmbeddingQuerySet:
        """What can be found: vectors of one encoder."""
        return self.vectors(encoder).findable()

    def vectors(self, encoder: "Encoder") -> EmbeddingQuerySet:
        """As `embeddings`, with those of hidden boxes, about which the planner can only guess."""
        found = Embedding.objects.filter(self._conditions(), encoder_id=encoder.pk)
        if self.boxes_where is None:
            return found
        return found.filter(box__in=Box.objects.filter(self.boxes_where).values("pk"))

    def boxes(self) -> QuerySet[Box]:
        """What could be found if all were enrolled."""
        images = Image.objects.filter(self._conditions()).values("pk")
        boxes = Box.objects.exclude(review=Review.HIDDEN).filter(image__in=images)
        return boxes if self.boxes_where is None else boxes.filter(self.boxes_where)

    def count_boxes(self) -> int:
        """How many boxes could be found if all were enrolled."""
        return self.boxes().count()

    def _conditions(self) -> Q:
        # Image and Embedding name these columns alike.
        conditions = Q(dataset_id__in=self.dataset_ids) & self.times
        if self.camera_ids is not None:
            conditions &= Q(camera_id__in=self.camera_ids)
        return conditions


def resolve(filters: Filters, user: "User | None") -> Scope:
    """Names to ids, inside what a user may see; None is the command line, which sees all.

    Raises:
        UnknownDataset: there is none of that name, or none that the user may see.
        UnknownCamera: no dataset that is left has such a camera.
        MixedKinds: the datasets named are not of one kind.
    """
    visible = Dataset.objects.all() if user is None else Dataset.objects.visible_to(user)
    if filters.datasets:
        chosen = list(visible.filter(name__in=filters.datasets))
        missing = set(filters.datasets) - {dataset.name for dataset in chosen}
        if missing:
            raise UnknownDataset(min(missing))
        kinds = {dataset.kind for dataset in chosen}
        if len(kinds) > 1:
            raise MixedKinds(sorted(kinds))
        kind = kinds.pop()
    else:
        kind = DEFAULT_KIND
        chosen = list(visible.filter(kind=kind))
    ids = tuple(sorted(dataset.pk for dataset in chosen))
    return Scope(
        kind=kind,
        dataset_ids=ids,
        camera_ids=_camera_ids(filters.cameras, ids),
        times=_times(filters.after, filters.before) & _hours(filters.hours),
        span=_span(filters.after, filters.before),
        boxes_where=_boxes_where(filters),
    )


def _camera_ids(names: Sequence[str], dataset_ids: tuple[int, ...]) -> tuple[int, ...] | None:
    if not names:
        return None
    cameras = list(Camera.objects.filter(name__in=names, dataset_id__in=dataset_ids))
    missing = set(names) - {camera.name for camera in cameras}
    if missing:
        raise UnknownCamera(min(missing))
    return tuple(sorted(camera.pk for camera in cameras))


def _times(after: Moment | None, before: Moment | None) -> Q:
    conditions = Q()
    if after is not None:
        conditions &= Q(taken_at__gte=_start(after))
    if before is None:
        return conditions
    if isinstance(before, dt.datetime):
        return conditions & Q(taken_at__lte=_start(before))
    if before == dt.date.max:
        return conditions & Q(taken_at__isnull=False)
    return conditions & Q(taken_at__lt=_start(before + dt.timedelta(days=1)))


def _span(
    after: Moment | None, before: Moment | None
) -> tuple[dt.datetime | None, dt.datetime | None]:
    first = None if after is None else _start(after)
    if before is None or before == dt.date.max:
        return first, None
    is_day = not isinstance(before, dt.datetime)
    return first, _start(before + dt.timedelta(days=1) if is_day else before)


def _hours(hours: tuple[dt.time, dt.time] | None) -> Q:
    if hours is None:
        return Q()
    first, last = Q(taken_at__time__gte=hours[0]), Q(taken_at__time__lte=hours[1])
    return first & last if hours[0] <= hours[1] else first | last


def _boxes_where(filters: Filters) -> Q | None:
    conditions = []
    if filters.identity:
        conditions.append(Q(identity__isnull=filters.identity == "unknown"))
    if filters.review:
        conditions.append(Q(review=filters.review))
    for words in filters.captions:
        conditions.append(has_words(words))
    return reduce(and_, conditions) if conditions else None


def _start(moment: Moment) -> dt.datetime:
    if not isinstance(moment, dt.datetime):
        moment = dt.datetime.combine(moment, dt.time.min)
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
