"""One record at a time is checked, many at a time become rows.

Nothing here knows files of annotations or jobs: `check` looks at one picture and its boxes,
`store` adds what is new to a dataset, and both may run again on the same record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from django.db import transaction

from gallery import datasets, images, pictures
from gallery.errors import BadImage
from gallery.formats.records import OWN_KEY, BoxRecord, Record
from gallery.models import Box, Camera, Caption, Identity, Image

Bounds = tuple[int, int, int, int]
# Id of the image, and the bounds in it.
Place = tuple[int, int, int, int, int]
AnyPlace = TypeVar("AnyPlace", bound=tuple[Any, int, int, int, int])
# (width, height) of a picture that the dataset has already, by sha256.
Known = Callable[[str], tuple[int, int] | None]


@dataclass(slots=True)
class Checked:
    """A record whose picture is good. `data` is empty for a picture that is stored already."""

    record: Record
    sha256: str
    data: bytes
    ending: str
    width: int
    height: int
    boxes: list[tuple[Bounds, BoxRecord]] = field(default_factory=list)
    # What was left out of the record, and what was only changed.
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """New rows, and pictures that were there before."""

    images: int = 0
    known_images: int = 0
    boxes: int = 0
    captions: int = 0
    identities: int = 0
    cameras: int = 0


@dataclass(slots=True)
class Made:
    """Ids of the rows that are new, and boxes that were given a person, with the key they had."""

    images: list[int] = field(default_factory=list)
    boxes: list[int] = field(default_factory=list)
    captions: list[int] = field(default_factory=list)
    identities: list[int] = field(default_factory=list)
    cameras: list[int] = field(default_factory=list)
    named: dict[int, str] = field(default_factory=dict)
    # People who were there, or came with an earlier batch, and got a split now.
    split: list[int] = field(default_factory=list)

    def counts(self, known_images: int) -> Counts:
        return Counts(
            images=len(self.images),
            known_images=known_images,
            boxes=len(self.boxes),
            captions=len(self.captions),
            identities=len(self.identities),
            cameras=len(self.cameras),
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """What `store` did: how much, and which rows."""

    counts: Counts
    made: Made


def check(record: Record, known: Known) -> Checked:
    """Read and decode a record's picture, and clip its boxes to it.

    Raises:
        BadImage: the picture cannot be used.
    """
    data = _bytes(record.content)
    digest = images.sha256(data)
    size = known(digest)
    if size is None:
        picture, ending = pictures.decode(data)
        checked = Checked(record, digest, data, ending, picture.width, picture.height)
    else:
        checked = Checked(record, digest, b"", "", *size)
    checked.problems.extend(record.problems)
    for number, box in enumerate(record.boxes, 1):
        _clip(checked, box, number)
    return checked


def store(dataset_id: int, batch: list[Checked], caption_source: str) -> Stored:
    """Add what a dataset does not have yet, in one transaction that holds the dataset's lock.

    Adds problems and notes to the records: a person with two splits keeps the first, a picture
    that is two people stays the first.

    Raises:
        UnknownDataset: it was deleted.
    """
    with transaction.atomic():
        datasets.lock(dataset_id)
        return _Batch(dataset_id, caption_source).store(batch)


@dataclass(slots=True)
class Wish(Generic[AnyPlace]):
    """A box of a record and its place: what names the picture, and the bounds in it."""

    checked: Checked
    place: AnyPlace
    box: BoxRecord

    def row(self, identity: Identity | None) -> Box:
        image_id, left, top, right, bottom = self.place
        return Box(
            image_id=image_id,
            left=left,
            top=top,
            right=right,
            bottom=bottom,
            source=Box.Source.ANNOTATED if self.box.bounds else Box.Source.WHOLE,
            identity=identity,
        )


class _Batch:
    """The rows of one batch, while they are found or made."""

    def __init__(self, dataset_id: int, caption_source: str) -> None:
        self.dataset_id = dataset_id
        self.caption_source = caption_source
        self.made = Made()
        self.known_images = 0

    def store(self, batch: list[Checked]) -> Stored:
        stored = self._images(batch)
        wishes = [
            Wish(checked, (stored[checked.sha256].pk, *bounds), box)
            for checked in batch
            for bounds, box in checked.boxes
        ]
        rows = Box.objects.filter(image__in={image.pk for image in stored.values()})
        there = {(box.image_id, *box.bounds): box for box in rows.select_related("identity")}
        current = {place: box.identity.key if box.identity else "" for place, box in there.items()}
        granted, owners = owners_of(wishes, current)
        people = self._people(granted, owners)
        self._captions(granted, self._boxes(granted, owners, people, there))
        return Stored(self.made.counts(self.known_images), self.made)

    def _images(self, batch: list[Checked]) -> dict[str, Image]:
        hashes = {checked.sha256 for checked in batch}
        mine = Image.objects.filter(dataset_id=self.dataset_id)
        found = {image.sha256: image for image in mine.filter(sha256__in=hashes)}
        cameras = self._cameras({checked.record.camera for checked in batch} - {""})
        new: dict[str, Image] = {}
        for checked in batch:
            if checked.sha256 in found or checked.sha256 in new:
                self.known_images += 1
                continue
            if not checked.data:  # it was deleted since it was checked
                checked.data = _bytes(checked.record.content)
                checked.ending = pictures.decode(checked.data).ending
            new[checked.sha256] = Image(
                dataset_id=self.dataset_id,
                sha256=checked.sha256,
                file=images.put(self.dataset_id, checked.sha256, checked.ending, checked.data),
                name=checked.record.name,
                width=checked.width,
                height=checked.height,
                camera=cameras.get(checked.record.camera),
                taken_at=checked.record.taken_at,
            )
        Image.objects.bulk_create(new.values())
        self.made.images += [image.pk for image in new.values()]
        return found | new

    def _cameras(self, names: set[str]) -> dict[str, Camera]:
        mine = Camera.objects.filter(dataset_id=self.dataset_id, name__in=names)
        found = {camera.name: camera for camera in mine}
        new = [Camera(dataset_id=self.dataset_id, name=name) for name in sorted(names - set(found))]
        Camera.objects.bulk_create(new)
        self.made.cameras += [camera.pk for camera in new]
        return found | {camera.name: camera for camera in new}

    def _people(self, granted: list[Wish[Place]], owners: dict[Place, str]) -> dict[str, Identity]:
        keys = set(owners.values()) - {""}
        mine = Identity.objects.filter(dataset_id=self.dataset_id, key__in=keys)
        people = {identity.key: identity for identity in mine}
        for wish in granted:
            key, split = owners[wish.place], wish.box.split
            person = people.get(key)
            if not key:
                continue
            if person is None:
                people[key] = Identity(dataset_id=self.dataset_id, key=key, split=split)
            elif split and not person.split:
                person.split = split
                if person.pk is not None:
                    self.made.split.append(person.pk)
            elif split not in ("", person.split):
                wish.checked.notes.append(stays_in(key, person.split, split))
        new = [person for person in people.values() if person.pk is None]
        old = [person for person in people.values() if person.pk is not None]
        Identity.objects.bulk_update(old, ["split"])
        Identity.objects.bulk_create(new)
        self.made.identities += [person.pk for person in new]
        return people

    def _boxes(
        self,
        granted: list[Wish[Place]],
        owners: dict[Place, str],
        people: dict[str, Identity],
        there: dict[Place, Box],
    ) -> dict[Place, Box]:
        new: dict[Place, Box] = {}
        for wish in granted:
            if wish.place not in there and wish.place not in new:
                new[wish.place] = wish.row(people.get(owners[wish.place]))
        Box.objects.bulk_create(new.values())
        self.made.boxes += [box.pk for box in new.values()]
        self.made.named |= _rename(there, owners, people)
        return there | new

    def _captions(self, granted: list[Wish[Place]], boxes: dict[Place, Box]) -> None:
        # In the order of the source: some ways of measuring take the first one.
        wanted = dict.fromkeys(
            (boxes[wish.place].pk, caption.kind, caption.language, caption.text)
            for wish in granted
            for caption in wish.box.captions
        )
        rows = Caption.objects.filter(box__in={box for box, *_ in wanted})
        there = set(rows.values_list("box_id", "kind", "language", "text"))
        new = [
            Caption(box_id=box, kind=kind, language=language, text=text, source=self.caption_source)
            for box, kind, language, text in wanted
            if (box, kind, language, text) not in there
        ]
        Caption.objects.bulk_create(new)
        self.made.captions += [caption.pk for caption in new]


def _bytes(content: Path | bytes) -> bytes:
    if isinstance(content, bytes):
        return content
    try:
        if content.stat().st_size > pictures.MAX_BYTES:
            raise BadImage(f"The file has more than {pictures.MAX_BYTES // 2**20} MiB.")
        return content.read_bytes()
    except OSError as exc:
        raise BadImage(f"The file cannot be read: {exc.strerror}.") from exc


def _clip(checked: Checked, box: BoxRecord, number: int) -> None:
    whole = (0, 0, checked.width, checked.height)
    if box.bounds is None:
        checked.boxes.append((whole, box))
        return
    left, top, right, bottom = box.bounds
    inside = (
        max(left, 0), max(top, 0), min(right, checked.width), min(bottom, checked.height)
    )  # fmt: skip
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        checked.problems.append(f"box {number} {list(box.bounds)} is empty inside the picture")
        return
    if inside != box.bounds:
        checked.notes.append(f"box {number} {list(box.bounds)} was clipped to the picture")
    checked.boxes.append((inside, box))


def stays_in(key: str, split: str, other: str) -> str:
    """What is told of a person whom a source puts into another split."""
    return f"person {key} stays in {split}, not {other}: nobody is in two splits"


def owners_of(
    wishes: list[Wish[AnyPlace]], there: Mapping[AnyPlace, str]
) -> tuple[list[Wish[AnyPlace]], dict[AnyPlace, str]]:
    """Whose each box is to be, and the wishes that agree with it; the others get a problem.

    A box that is `there`, "" of nobody, keeps the person it has; one that is only its own
    picture's gets the name that a source gives. A whole picture that nobody names is a person of
    its own, another box is nobody.
    """
    owners: dict[AnyPlace, str] = {}
    granted = []
    for wish in wishes:
        named = wish.box.identity
        current = owners.get(wish.place, there.get(wish.place, ""))
        if named not in (None, current) and current and not current.startswith(OWN_KEY):
            wish.checked.problems.append(f"this box is person {current} already, not {named}")
            continue
        own = f"{OWN_KEY}{wish.checked.sha256}" if wish.box.bounds is None else ""
        owners[wish.place] = named or current or own
        granted.append(wish)
    return granted, owners


def _rename(
    there: dict[Place, Box], owners: dict[Place, str], people: dict[str, Identity]
) -> dict[int, str]:
    """Give boxes that were there the person whom a source now names.

    Returns: the key that each of them had, by the box's id.
    """
    changed, had = [], {}
    left = set()
    for place, key in owners.items():
        box = there.get(place)
        if box is None or not key or box.identity_id == people[key].pk:
            continue
        left.add(box.identity_id)
        had[box.pk] = box.identity.key if box.identity else ""
        box.identity = people[key]
        changed.append(box)
    Box.objects.bulk_update(changed, ["identity"])
    Identity.objects.filter(pk__in=left - {None}, boxes=None).delete()
    return had
