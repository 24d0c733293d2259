"""What each import added, row by row, so that it can be taken back, and nothing else.

A row is remembered with a hash of what a person may change of it. The database makes that hash when
the row is written down and again when it is looked for, so a row that was changed, judged or
renamed since is not found.
"""

from collections.abc import Iterable

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import MD5, Cast, Coalesce, Concat

from gallery.intake import Made
from gallery.models import Addition, Box, Camera, Caption, Identity, Image
from pedsite.jobs.models import Job

BATCH = 2000
Kind = Addition.Kind


def _hash(*fields: str) -> MD5:
    texts = [Coalesce(Cast(name, CharField()), Value("")) for name in fields]
    parts = [part for text in texts for part in (text, Value("\n"))]
    return MD5(Concat(*parts, output_field=CharField()))


MODELS = {
    Kind.IMAGE: (Image, _hash("name", "camera_id", "taken_at")),
    Kind.BOX: (Box, _hash("left", "top", "right", "bottom", "source", "identity__key", "review")),
    Kind.CAPTION: (Caption, _hash("kind", "language", "text", "source", "review")),
    Kind.IDENTITY: (Identity, _hash("key", "split")),
    Kind.CAMERA: (Camera, _hash("name")),
    # A box again, of which only the person counts.
    Kind.NAMED: (Box, _hash("identity_id")),
    Kind.SPLIT: (Identity, _hash("split")),
}


def write(job: Job, made: Made) -> None:
    """Remember the rows of a chunk, in its transaction; a retry's belong to what it retries."""
    while job.retry_of is not None:
        job = job.retry_of
    for kind, rows in (
        (Kind.IMAGE, made.images),
        (Kind.BOX, made.boxes),
        (Kind.CAPTION, made.captions),
        (Kind.IDENTITY, made.identities),
        (Kind.CAMERA, made.cameras),
    ):
        _add(job, kind, rows)
    # An import may name its own boxes and split its own people later than it made them.
    mine = Addition.objects.filter(job=job)
    own = set(mine.filter(kind=Kind.BOX, row__in=made.named).values_list("row", flat=True))
    _again(job, Kind.BOX, own)
    people = mine.filter(kind=Kind.IDENTITY, row__in=made.split)
    known = set(people.values_list("row", flat=True))
    _again(job, Kind.IDENTITY, known)
    _add(job, Kind.SPLIT, [pk for pk in made.split if pk not in known])
    _add(job, Kind.NAMED, [pk for pk in made.named if pk not in own], made.named)


def unchanged(job: Job, kind: str) -> QuerySet:
    """The rows of a kind that a job added and that are as they were then."""
    model, state = MODELS[kind]
    mine = Addition.objects.filter(job=job, kind=kind, row=OuterRef("pk"), state=OuterRef("state"))
    return model.objects.annotate(state=state).filter(Exists(mine))


def _again(job: Job, kind: str, rows: Iterable[int]) -> None:
    rows = list(rows)
    Addition.objects.filter(job=job, kind=kind, row__in=rows).delete()
    _add(job, kind, rows)


def _add(job: Job, kind: str, rows: list[int], before: dict[int, str] | None = None) -> None:
    before = before or {}
    model, state = MODELS[kind]
    for start in range(0, len(rows), BATCH):
        found = model.objects.filter(pk__in=rows[start : start + BATCH]).annotate(state=state)
        Addition.objects.bulk_create(
            Addition(job=job, kind=kind, row=pk, state=state, before=before.get(pk, ""))
            for pk, state in found.values_list("pk", "state")
        )
