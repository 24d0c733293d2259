"""How much of each dataset a version's vectors cover, what is missing, and why."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import BigIntegerField, Count, F, Func, QuerySet, Value
from django.db.models.functions import Cast

from gallery.models import Box, Dataset, Review
from pedsite.accounts.models import User
from pedsite.jobs.models import Job, JobFailure
from search import enrollment
from search.errors import MayNotEnroll, NothingToEnroll, NothingWaits
from search.models import Embedding
from search.scope import Filters, Scope, resolve
from training.models import Encoder, ModelVersion

# Failed boxes whose reasons are read for one page, and pictures named of each reason.
READ_FAILURES = 2000
EXAMPLES = 3


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Of `boxes` that can be found in a dataset, `enrolled` have a vector of the image tower."""

    dataset: Dataset
    boxes: int
    enrolled: int

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all."""
        return 100 * self.enrolled // self.boxes if self.boxes else 0


def of(version: ModelVersion, user: User) -> list[Coverage]:
    """Each dataset with boxes that a user may see, by name."""
    return _of(version, Dataset.objects.visible_to(user))


def everywhere(version: ModelVersion, kind: str | None = None) -> list[Coverage]:
    """Each dataset with boxes, of one kind or all, by name."""
    return _of(version, Dataset.objects.filter(**({} if kind is None else {"kind": kind})))


def _of(version: ModelVersion, datasets: QuerySet[Dataset]) -> list[Coverage]:
    boxes = _counts(
        Box.objects.exclude(review=Review.HIDDEN).filter(image__dataset__in=datasets),
        "image__dataset",
    )
    vectors = Embedding.objects.findable().filter(
        encoder_id=version.image_encoder_id, dataset__in=datasets
    )
    enrolled = _counts(vectors, "dataset")
    return [
        Coverage(dataset=dataset, boxes=boxes[dataset.pk], enrolled=enrolled.get(dataset.pk, 0))
        for dataset in datasets.filter(pk__in=boxes).order_by("name")
    ]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One reason why boxes have no vector, and the first few of their pictures by name."""

    reason: str
    boxes: int
    examples: list[str]


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """The boxes inside a scope that a search could not compare, by what became of them."""

    waiting: int  # nobody has tried yet
    failed: int
    failures: list[Failure]  # the commonest reason first
    working: bool  # a job that enrolls some of them is queued or runs

    @property
    def missing(self) -> int:
        return self.waiting + self.failed


NO_GAPS = Gaps(waiting=0, failed=0, failures=[], working=False)


def gaps(scope: Scope, encoder: Encoder, searched: int) -> Gaps:
    """What a search inside a scope left out.

    Args:
        searched: boxes of the scope that have a vector of this encoder.
    """
    missing = scope.count_boxes() - searched
    if missing <= 0:
        return NO_GAPS
    known = _failures(scope.dataset_ids, encoder)
    boxes = scope.boxes().filter(pk__in=known.values("box_id"))
    failed = boxes.exclude(pk__in=Embedding.objects.filter(encoder_id=encoder.pk).values("box_id"))
    names = dict(failed.values_list("pk", "image__name")[:READ_FAILURES])
    return Gaps(
        waiting=max(0, missing - failed.count()),
        failed=min(missing, failed.count()),
        failures=_grouped(known, names),
        working=_jobs(scope.dataset_ids, encoder).unfinished().exists(),
    )


@dataclass(frozen=True, kw_only=True)
class Lack:
    """What a dataset lacks to be searched with the version that answers, or will."""

    version: ModelVersion
    gaps: Gaps


def lack(dataset: Dataset, user: User) -> Lack | None:
    """What of a dataset cannot be found yet; None while there is no version to find it with."""
    try:
        version = enrollment.versions_for(dataset)[0]
    except NothingToEnroll:
        return None
    covered = _of(version, Dataset.objects.filter(pk=dataset.pk))
    inside = resolve(Filters(datasets=(dataset.name,)), user)
    searched = sum(one.enrolled for one in covered)
    return Lack(version=version, gaps=gaps(inside, version.image_encoder, searched))


def retry(scope: Scope, version: ModelVersion, user: User | None) -> list[Job]:
    """Enroll what a scope's datasets lack, what failed before included.

    Args:
        user: who asks; None is the command line.

    Returns: the jobs queued, one a dataset that lacks something and that no job is enrolling.
    Raises:
        MayNotEnroll: the user is neither operator nor administrator.
        NothingWaits: nothing is missing, or all of it is being enrolled already.
    """
    if user is not None and not user.operates:
        raise MayNotEnroll
    encoder = version.image_encoder
    jobs = []
    for dataset in Dataset.objects.filter(pk__in=scope.dataset_ids).order_by("name"):
        busy = _jobs([dataset.pk], encoder).unfinished().exists()
        if not busy and enrollment.waiting(dataset, encoder).exists():
            jobs.append(enrollment.request(dataset, version, user))
    if not jobs:
        raise NothingWaits
    return jobs


def _jobs(dataset_ids: Sequence[int], encoder: Encoder) -> QuerySet[Job]:
    """Enrollments of these datasets by versions with this image encoder."""
    sharing = ModelVersion.objects.filter(image_encoder_id=encoder.pk).values_list("pk", flat=True)
    wanted = Job.objects.none()
    for pk in sharing:
        wanted |= Job.objects.filter(params__versions__contains=pk)
    return wanted.filter(kind=enrollment.KIND, params__dataset__in=list(dataset_ids))


def _failures(dataset_ids: Sequence[int], encoder: Encoder) -> QuerySet[JobFailure]:
    # A pattern, and not a cut: Postgres may look at items of other kinds of job first.
    number = Func(F("item"), Value(rf"^{enrollment.ITEM}(\d+)$"), function="substring")
    jobs = _jobs(dataset_ids, encoder).order_by().values("pk")
    return JobFailure.objects.filter(job__in=jobs).annotate(box_id=Cast(number, BigIntegerField()))


def _grouped(known: QuerySet[JobFailure], names: dict[int, str]) -> list[Failure]:
    """Each box counts by its latest reason, which begins with the name of its picture."""
    newest = dict(known.filter(box_id__in=names).order_by("pk").values_list("box_id", "reason"))
    by_reason: dict[str, list[str]] = defaultdict(list)
    for box_id, reason in newest.items():
        by_reason[reason.removeprefix(f"{names[box_id]}: ")].append(names[box_id])
    common = sorted(by_reason.items(), key=lambda each: (-len(each[1]), each[0]))
    return [
        Failure(reason=reason, boxes=len(pictures), examples=sorted(pictures)[:EXAMPLES])
        for reason, pictures in common
    ]


def _counts(rows, dataset: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(dataset).annotate(Count("pk")))
