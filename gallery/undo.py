"""Taking an import back: exactly what it added, and nothing that others had, changed or judged.

What stays: a row that was changed since; a box that has a caption, a review or anything else of
someone; a picture with another's box; a person or a camera that is still used. Vectors are no
judgement: they go with their boxes.
"""

from dataclasses import dataclass

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import datasets, images, ledger
from gallery.errors import NotNow, NotYourDataset
from gallery.formats.records import OWN_KEY
from gallery.models import (
    Addition,
    Box,
    Caption,
    Dataset,
    Identity,
    Image,
    Import,
)
from gallery.querysets import unreferenced
from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.jobs.models import Job

KIND = gettext_noop("undo an import")
TASK = "gallery.undo_import"
BATCH = 500
Kind = Addition.Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How many of each an undo takes away, and how many it leaves because of someone else."""

    captions: int
    boxes: int
    images: int
    identities: int
    cameras: int
    named: int
    kept_captions: int
    kept_boxes: int
    kept_images: int
    kept_identities: int

    @property
    def total(self) -> int:
        return self.captions + self.boxes + self.images + self.identities + self.cameras


def foretell(job: Job) -> Told:
    """What undoing an import would do now."""
    parts = _Parts(job)
    added = dict(
        Addition.objects.filter(job=job).order_by().values_list("kind").annotate(models.Count("pk"))
    )
    going = {
        "captions": parts.captions().count(),
        "boxes": parts.boxes().count(),
        "images": parts.images().count(),
        "identities": parts.identities().count(),
        "cameras": parts.cameras().count(),
        "named": ledger.unchanged(job, Kind.NAMED).count(),
    }
    kept = {
        f"kept_{name}": max(0, added.get(kind, 0) - going[name])
        for name, kind in (
            ("captions", Kind.CAPTION),
            ("boxes", Kind.BOX),
            ("images", Kind.IMAGE),
            ("identities", Kind.IDENTITY),
        )
    }
    return Told(**going, **kept)


@transaction.atomic
def request(pk: int, user: User) -> Job:
    """Queue the undo of an import.

    Raises:
        NotNow: it is not imported, or nothing of it is left.
        NotYourDataset: the dataset is not shared with the user any more.
    """
    found = Import.objects.select_for_update().get(pk=pk)
    if found.stage != "imported" or found.job is None:
        raise NotNow(_("Only what was imported can be undone, once."))
    told = foretell(found.job)
    if not told.total and not told.named:
        raise NotNow(_("Nothing that this import added is left as it was."))
    if not Dataset.objects.visible_to(user).filter(pk=found.job.params["dataset"]).exists():
        raise NotYourDataset(found.dataset_name)
    params = {
        "import_job": found.job.pk,
        "dataset": found.job.params["dataset"],
        "dataset_name": found.dataset_name,
    }
    found.undo_job = work.request(KIND, task=TASK, params=params, user=user, total=told.total)
    found.save(update_fields=["undo_job"])
    return found.undo_job


def step(at: work.Work) -> bool:
    """Take one batch away, the smallest things first; True while more remains."""
    job = Job.objects.get(pk=at.params["import_job"])
    parts = _Parts(job)
    with transaction.atomic():
        dataset = datasets.lock(at.params["dataset"])
        # First: people who go would leave nobody to their boxes.
        if _restore(job):
            return True
        for name in ("captions", "boxes", "images", "identities", "cameras"):
            rows = list(getattr(parts, name)().values_list("pk", flat=True)[:BATCH])
            if rows:
                _take(name, rows)
                sums = {name: at.job.result.get(name, 0) + len(rows)}
                at.keep(**sums)
                at.advance(len(rows))
                return True
        at.plan(at.job.done, done=at.job.done)
        if job.params["created"] and datasets.remove_bare(dataset, at.job):
            at.keep(dataset=1)
    return False


class _Parts:
    """The rows of an import that go, as queries; each leans on the one before it."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def captions(self) -> QuerySet:
        """Unchanged ones, of boxes that go or that others had: a box that stays keeps its words."""
        mine = Addition.objects.filter(job=self._job, kind=Kind.BOX).values("row")
        going = Q(box__in=self.boxes().values("pk")) | ~Q(box__in=mine)
        return ledger.unchanged(self._job, Kind.CAPTION).filter(going)

    def boxes(self) -> QuerySet:
        same = ledger.unchanged(self._job, Kind.CAPTION)
        others = Caption.objects.filter(box=OuterRef("pk")).exclude(pk__in=same.values("pk"))
        found = ledger.unchanged(self._job, Kind.BOX).filter(~Exists(others))
        return found.filter(unreferenced(Box, {Caption}))

    def images(self) -> QuerySet:
        others = Box.objects.filter(image=OuterRef("pk")).exclude(pk__in=self.boxes().values("pk"))
        found = ledger.unchanged(self._job, Kind.IMAGE).filter(~Exists(others))
        return found.filter(unreferenced(Image, {Box}))

    def identities(self) -> QuerySet:
        others = Box.objects.filter(identity=OuterRef("pk")).exclude(
            pk__in=self.boxes().values("pk")
        )
        named = ledger.unchanged(self._job, Kind.NAMED).values("pk")
        found = ledger.unchanged(self._job, Kind.IDENTITY)
        return found.filter(~Exists(others.exclude(pk__in=named)), unreferenced(Identity, {Box}))

    def cameras(self) -> QuerySet:
        others = Image.objects.filter(camera=OuterRef("pk"))
        others = others.exclude(pk__in=self.images().values("pk"))
        return ledger.unchanged(self._job, Kind.CAMERA).filter(~Exists(others))


def _take(name: str, rows: list[int]) -> None:
    model = {"captions": Caption, "identities": Identity}.get(name)
    if name == "boxes":
        left = list(Box.objects.filter(pk__in=rows).values_list("identity", flat=True))
        Box.objects.filter(pk__in=rows).delete()
        # A person who was only one picture's is made again where a name is taken back.
        own = Identity.objects.filter(pk__in={*left} - {None}, key__startswith=OWN_KEY)
        own.filter(boxes=None).delete()
    elif name == "images":
        images.delete(list(Image.objects.filter(pk__in=rows)))
    elif model is not None:
        model.objects.filter(pk__in=rows).delete()
    else:
        ledger.MODELS[Kind.CAMERA][0].objects.filter(pk__in=rows).delete()


def _restore(job: Job) -> bool:
    """Give others' boxes the person they had, and their people no split; whether any were left."""
    named = ledger.unchanged(job, Kind.NAMED).select_related("image", "identity")
    boxes = list(named[:BATCH])
    mine = Addition.objects.filter(job=job, kind=Kind.NAMED, row__in=[box.pk for box in boxes])
    before = dict(mine.values_list("row", "before"))
    for box in boxes:
        key = before[box.pk]
        dataset_id = box.image.dataset_id
        box.identity = (
            Identity.objects.get_or_create(dataset_id=dataset_id, key=key)[0] if key else None
        )
    Box.objects.bulk_update(boxes, ["identity"])
    split = ledger.unchanged(job, Kind.SPLIT).values_list("pk", flat=True)
    people = Identity.objects.filter(pk__in=list(split[:BATCH])).exclude(split="")
    return bool(boxes) | bool(people.update(split=""))
