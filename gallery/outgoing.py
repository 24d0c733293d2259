"""What leaves with an export: the records of a dataset as it is, or as a snapshot froze it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db.models import Prefetch, QuerySet
from PIL import Image as Pictures

from gallery import crops, pictures, snapshots
from gallery.errors import BadImage
from gallery.formats.features import crop_name
from gallery.formats.records import BoxRecord, CaptionRecord, Format, Record, Written
from gallery.models import Box, Caption, Identity, Image, Review, Snapshot

BATCH = 200
# Of crops that are cut out of larger pictures; whole pictures keep their bytes.
QUALITY = 95


@dataclass(frozen=True, kw_only=True)
class Cut:
    """A box on its way out: its number and bounds, and what is known of it."""

    box: int
    bounds: tuple[int, int, int, int]
    identity: str | None
    split: str
    captions: tuple[CaptionRecord, ...]


Outgoing = tuple[Image, list[Cut]]


def of_dataset(kind: Format, dataset_id: int, split: str) -> Iterator[Record | Written]:
    """A dataset as it is now, without what is hidden; a picture that cannot be read is refused."""
    found = boxes(dataset_id, split)
    if not kind.test_first:
        parts = [found]
    else:
        test = found.filter(identity__split=Identity.Split.TEST)
        parts = [test, found.exclude(pk__in=test.values("pk"))]
    for part in parts:
        yield from _written(kind, _images(part))


def of_snapshot(kind: Format, snapshot: Snapshot, split: str) -> Iterator[Record | Written]:
    """A snapshot as it was frozen, what reviewers confirmed among the captions.

    What they refused has no place in any format. A picture that was deleted since is refused.
    """
    cuts = _frozen(snapshot, split)
    parts = [cuts]
    if kind.test_first:
        parts = [
            {image: kept for image, own in cuts.items() if (kept := _of_test(own, wanted))}
            for wanted in (True, False)
        ]
    gone: set[int] = set()
    for part in parts:
        for image, own in _there(part):
            if isinstance(image, Image):
                yield from _written(kind, iter([(image, own)]))
            elif image not in gone:
                gone.add(image)
                yield Written(item=f"image {image}", reason="It was deleted since.")


def boxes(dataset_id: int, split: str) -> QuerySet[Box]:
    """The boxes that leave, of one split or all."""
    found = Box.objects.filter(image__dataset=dataset_id).exclude(review=Review.HIDDEN)
    return found.filter(identity__split=split) if split else found


def total(kind: Format, dataset_id: int, split: str, snapshot: Snapshot | None) -> int:
    """How many records will leave."""
    if snapshot is not None:
        cuts = _frozen(snapshot, split)
        return len(cuts) if kind.unit == "picture" else sum(map(len, cuts.values()))
    found = boxes(dataset_id, split)
    return found.values("image").distinct().count() if kind.unit == "picture" else found.count()


def _of_test(cuts: list[Cut], wanted: bool) -> list[Cut]:
    return [cut for cut in cuts if (cut.split == Identity.Split.TEST) == wanted]


def _there(cuts: dict[int, list[Cut]]) -> Iterator[tuple[Image | int, list[Cut]]]:
    """The images in the order of their numbers, each with its boxes; the number of one gone."""
    order = sorted(cuts)
    for first in range(0, len(order), BATCH):
        some = order[first : first + BATCH]
        found = Image.objects.select_related("camera").in_bulk(some)
        for number in some:
            yield found.get(number, number), cuts[number]


def _frozen(snapshot: Snapshot, split: str) -> dict[int, list[Cut]]:
    """Image -> its boxes, of those that take part."""
    found: dict[int, list[Cut]] = {}
    for row in snapshots.read(snapshot):
        if row["split"] == snapshots.WITHHELD or (split and row["split"] != split):
            continue
        left, top, right, bottom = row["bbox"]
        captions = tuple(
            CaptionRecord(text=one["text"], kind=one["kind"], language=one["language"])
            for one in row["captions"]
        )
        found.setdefault(row["image"], []).append(
            Cut(
                box=row["box"],
                bounds=(left, top, right, bottom),
                identity=row["identity"],
                split=row["split"],
                captions=captions,
            )
        )
    return found


def _written(kind: Format, images: Iterator[Outgoing]) -> Iterator[Record | Written]:
    for image, cuts in images:
        yield from _whole(image, cuts) if kind.unit == "picture" else _single(image, cuts)


def _images(boxes: QuerySet[Box]) -> Iterator[Outgoing]:
    """The images of some boxes, each with just these boxes and their captions."""
    stated = Caption.objects.stated().order_by("pk")
    theirs = boxes.select_related("identity").prefetch_related(Prefetch("captions", stated))
    rows = (
        Image.objects.filter(pk__in=boxes.values("image"))
        .select_related("camera")
        .prefetch_related(Prefetch("boxes", theirs.order_by("pk")))
        .order_by("pk")
    )
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        for image in batch:
            yield image, [_cut(box) for box in image.boxes.all()]
        last = batch[-1].pk


def _single(image: Image, cuts: list[Cut]) -> Iterator[Record | Written]:
    """A record for each box; what is not the whole picture is cut out of it."""
    whole = (0, 0, image.width, image.height)
    opened: Pictures.Image | None = None
    for cut in cuts:
        item, name = f"box {cut.box}: {image.name}", image.name
        try:
            if cut.bounds == whole:
                data = _bytes(image)
            else:
                opened = opened or crops.picture(image)
                data = pictures.encode_jpeg(np.asarray(opened.crop(cut.bounds)), QUALITY)
                name = crop_name(image.name, cut.bounds)
        except BadImage as exc:
            yield Written(item=item, reason=str(exc))
            continue
        yield _record(image, item, name, data, (_box(cut, whole=True),))


def _whole(image: Image, cuts: list[Cut]) -> Iterator[Record | Written]:
    item = f"image {image.pk}: {image.name}"
    whole = (0, 0, image.width, image.height)
    try:
        data = _bytes(image)
    except BadImage as exc:
        yield Written(item=item, reason=str(exc))
        return
    boxes = tuple(_box(cut, whole=cut.bounds == whole) for cut in cuts)
    yield _record(image, item, image.name, data, boxes)


def _record(
    image: Image, item: str, name: str, data: bytes, boxes: tuple[BoxRecord, ...]
) -> Record:
    return Record(
        item=item,
        name=name,
        content=data,
        mark=image.pk,
        boxes=boxes,
        camera=image.camera.name if image.camera else "",
        taken_at=image.taken_at,
        size=(image.width, image.height),
    )


def _cut(box: Box) -> Cut:
    return Cut(
        box=box.pk,
        bounds=box.bounds,
        identity=box.identity.key if box.identity else None,
        split=box.identity.split if box.identity else "",
        captions=tuple(
            CaptionRecord(text=one.text, kind=one.kind, language=one.language)
            for one in box.captions.all()
        ),
    )


def _box(cut: Cut, *, whole: bool) -> BoxRecord:
    return BoxRecord(
        bounds=None if whole else cut.bounds,
        identity=cut.identity,
        split=cut.split,
        captions=cut.captions,
    )


def _bytes(image: Image) -> bytes:
    try:
        with image.file.open("rb") as stored:
            return stored.read()
    except OSError as exc:
        raise BadImage(f"The stored file of image {image.pk} cannot be read.") from exc
