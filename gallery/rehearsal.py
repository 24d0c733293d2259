"""What an import would do: everything is read and checked, nothing is written."""

import base64
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from gallery import datasets, ingest, intake, pictures
from gallery.errors import BadImage
from gallery.intake import Wish
from gallery.models import Box, Dataset, Identity

# How many records are shown, and how high their pictures are.
ROWS = 20
THUMBNAIL = 96
SHOWN_CAPTIONS = 3

# The picture's SHA-256, and the bounds in it.
Place = tuple[str, int, int, int, int]


@dataclass(slots=True)
class Report:
    """Counts, and the first of what was refused or changed."""

    dataset: str
    new_dataset: bool
    records: int = 0
    images: int = 0
    known_images: int = 0
    boxes: int = 0
    captions: int = 0
    people: int = 0
    cameras: int = 0
    refused: int = 0
    noted: int = 0
    refusals: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


class Rehearsal:
    """A reading of a source, chunk by chunk; `report` and `rows` grow with each.

    Raises:
        UnknownFormat, BadSource, BadDatasetName: as `ingest.request`.
    """

    def __init__(
        self,
        format: str,
        path: str,
        dataset: str,
        images: str | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        options = options or {}
        kind = ingest.format_of(format, options)
        path = ingest.absolute(format, path)
        datasets.check_name(dataset)
        found = Dataset.objects.filter(name=dataset).first()
        self._dataset_id = found.pk if found else None
        self.report = Report(dataset=dataset, new_dataset=found is None)
        self.rows: list[dict[str, Any]] = []
        self.total = ingest.count_of(kind, path, images, options)
        self._entries = kind.read(path, images, **options)
        self._pictures: set[str] = set()
        self._cameras: set[str] = set()
        # Whose each box is and would be, what is said of it, and the split of each person.
        self._owners: dict[Place, str] = {}
        self._said: set[int] = set()
        self._splits: dict[str, str] = {}
        self._people: set[str] = set()

    def chunk(self, beat: Callable[[], None] = lambda: None) -> ingest.Chunk:
        """The next records, counted."""
        chunk = ingest.gather(self._entries, self._dataset_id, frozenset(), beat)
        self._add(chunk)
        return chunk

    def _add(self, chunk: ingest.Chunk) -> None:
        report = self.report
        report.records += chunk.read
        for checked in chunk.good:
            if checked.data and checked.sha256 not in self._pictures:
                report.images += 1
            else:
                report.known_images += 1
            self._pictures.add(checked.sha256)
            self._cameras |= {checked.record.camera} - {""}
            if len(self.rows) < ROWS:
                self.rows.append(_row(checked))
        self._add_boxes(chunk.good)
        report.people, report.cameras = len(self._people), len(self._cameras)
        notes = ingest.told(chunk, "notes")
        refusals = refusals_of(chunk)
        report.refused += len(refusals)
        report.noted += len(notes)
        report.refusals = (report.refusals + refusals)[: ingest.TOLD]
        report.notes = (report.notes + notes)[: ingest.TOLD]

    def _add_boxes(self, good: list[intake.Checked]) -> None:
        """Count what is new of the boxes, by the rules that the import goes by."""
        wishes = [
            Wish(checked, (checked.sha256, *bounds), box)
            for checked in good
            for bounds, box in checked.boxes
        ]
        self._look_up(wishes)
        granted, owners = intake.owners_of(wishes, self._owners)
        self.report.boxes += len(owners.keys() - self._owners.keys())
        self._owners |= owners
        self._people |= {key for key in owners.values() if key}
        for wish in granted:
            self._take_split(wish, owners[wish.place])
            for caption in wish.box.captions:
                said = hash((wish.place, caption.kind, caption.language, caption.text))
                self.report.captions += said not in self._said
                self._said.add(said)

    def _look_up(self, wishes: list[Wish[Place]]) -> None:
        """What the dataset has already of these."""
        if self._dataset_id is None:
            return
        known = {wish.checked.sha256 for wish in wishes if not wish.checked.data}
        boxes = Box.objects.filter(image__dataset=self._dataset_id, image__sha256__in=known)
        for box in boxes.with_context().prefetch_related("captions"):
            place = (box.image.sha256, *box.bounds)
            self._owners.setdefault(place, box.identity.key if box.identity else "")
            self._said |= {
                hash((place, caption.kind, caption.language, caption.text))
                for caption in box.captions.all()
            }
        keys = {wish.box.identity for wish in wishes} - self._splits.keys() - {None}
        people = Identity.objects.filter(dataset=self._dataset_id, key__in=keys)
        self._splits |= dict(people.values_list("key", "split"))

    def _take_split(self, wish: Wish[Place], key: str) -> None:
        kept, split = self._splits.get(key, ""), wish.box.split
        if key and not kept:
            self._splits[key] = split
        elif key and split not in ("", kept):
            wish.checked.notes.append(intake.stays_in(key, kept, split))


def dry_run(
    format: str,
    path: str,
    dataset: str,
    images: str | None = None,
    *,
    options: dict[str, Any] | None = None,
    watch: Callable[[int, int | None], None] = lambda done, total: None,
) -> Report:
    """Read and check everything that an import would, and write nothing.

    Args:
        watch: called with how many records were read, of how many (None: unknown).

    Raises:
        UnknownFormat, BadSource, BadDatasetName: as `ingest.request`.
    """
    rehearsal = Rehearsal(format, path, dataset, images, options)
    is_last = False
    while not is_last:
        is_last = rehearsal.chunk().is_last
        watch(rehearsal.report.records, rehearsal.total)
    return rehearsal.report


def refusals_of(chunk: ingest.Chunk) -> list[tuple[str, str]]:
    """(item, reason) of each record that is refused, wholly or in part."""
    return chunk.refusals + ingest.told(chunk, "problems")


def as_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """The report with its rows, without the refusals, which a job keeps one by one."""
    told = asdict(rehearsal.report)
    del told["refusals"]
    return told | {"rows": rehearsal.rows}


def _row(checked: intake.Checked) -> dict[str, Any]:
    boxes = [box for _bounds, box in checked.boxes]
    people = {box.identity for box in boxes if box.identity is not None}
    captions = [caption.text[:200] for box in boxes for caption in box.captions]
    taken = checked.record.taken_at
    return {
        "item": checked.record.item,
        "size": [checked.width, checked.height],
        "boxes": len(boxes),
        "people": sorted(people)[:SHOWN_CAPTIONS],
        "splits": sorted({box.split for box in boxes} - {""}),
        "captions": captions[:SHOWN_CAPTIONS],
        "more_captions": max(0, len(captions) - SHOWN_CAPTIONS),
        "camera": checked.record.camera,
        "taken_at": taken.isoformat() if taken else None,
        "thumbnail": _thumbnail(checked),
    }


def _thumbnail(checked: intake.Checked) -> str:
    """A small JPEG in base64; "" of a picture that the dataset has already."""
    if not checked.data:
        return ""
    try:
        picture = pictures.open_upright(checked.data)
    except BadImage:
        return ""
    picture.thumbnail((2 * THUMBNAIL, THUMBNAIL))
    return base64.b64encode(pictures.encode_jpeg(picture, 70)).decode()
