"""Generations: the vectors of several versions side by side, of which one answers.

A new version enrolls in the background while another serves. What `gate` finds decides whether it
may take over without a word, and the switch is one transaction. Going back is another row of the
same kind. The vectors of a version that no longer serves are deleted when somebody says so.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db import connection, models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from gallery.models import Dataset
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from search import compact, counts, engines, enrollment, gates, serving
from search.counts import Counts
from search.errors import (
    BeingDeleted,
    MayNotSwitch,
    NothingBefore,
    NothingWaits,
    StillServes,
    Unconfirmed,
)
from search.models import Embedding, IndexTuning, QueryKind, ServingVersion
from search.scope import DEFAULT_KIND, Scope
from training import versions
from training.models import ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KIND = gettext_noop("delete_generation")
TASK = "search.delete_generation"
# A search that began before the switch must find its rows.
GRACE_S = 60.0
WAIT_S = 1.0
CHUNK = 5000


class State(models.TextChoices):
    """Derived from what is there, never stored."""

    NEW = "new", gettext_lazy("not enrolled")
    ENROLLING = "enrolling", gettext_lazy("enrolling")
    PARTIAL = "partial", gettext_lazy("partly enrolled")
    READY = "ready", gettext_lazy("ready")
    SERVING = "serving", gettext_lazy("serves")
    RETIRED = "retired", gettext_lazy("retired")
    DELETING = "deleting", gettext_lazy("being deleted")


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A version with what it covers of one kind of dataset."""

    version: ModelVersion
    kind: str
    counts: Counts
    serves: list[str]  # kinds of query that it answers now
    served: bool  # it answered once
    work: list[Job] = field(default_factory=list)  # unfinished enrollments and deletions

    @property
    def boxes(self) -> int:
        return self.counts.searched + self.counts.gaps.missing

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 means all."""
        return 100 * self.counts.searched // self.boxes if self.boxes else 0

    @property
    def is_complete(self) -> bool:
        return self.counts.searched > 0 and not self.counts.gaps.missing

    @property
    def state(self) -> State:
        if self.serves:
            return State.SERVING
        if any(job.kind == KIND for job in self.work):
            return State.DELETING
        if self.work:
            return State.ENROLLING
        if not self.counts.searched:
            return State.NEW
        if self.served:
            return State.RETIRED
        return State.READY if self.is_complete else State.PARTIAL


def check_user(user: "User | None") -> None:
    """None is the command line. Raises: MayNotSwitch, neither operator nor administrator."""
    if user is not None and not user.operates:
        raise MayNotSwitch


def of(version: ModelVersion, kind: str = DEFAULT_KIND) -> Generation:
    rows = ServingVersion.objects.filter(version=version, dataset_kind=kind)
    now = ServingVersion.objects.in_force().filter(version=version, dataset_kind=kind)
    return Generation(
        version=version,
        kind=kind,
        counts=counts.of(_everywhere(kind), version.image_encoder),
        serves=list(now.values_list("query_kind", flat=True)),
        served=rows.exists(),
        work=_work(version),
    )


def each(kind: str = DEFAULT_KIND) -> list[Generation]:
    """All versions, those that serve first, then the newest."""
    found = [of(version, kind) for version in ModelVersion.objects.with_towers()]
    return sorted(found, key=lambda one: not one.serves)


def enroll(
    version: ModelVersion, user: "User | None" = None, kind: str = DEFAULT_KIND
) -> list[Job]:
    """Let a version embed, beside the one that serves, every box of a kind of dataset.

    Returns: the jobs queued, one a dataset that lacks vectors and is not at it already.
    Raises:
        MayNotSwitch: the user is neither operator nor administrator; None is the command line.
        NothingWaits: nothing is missing, or jobs are at all of it.
        BeingDeleted: its vectors are being deleted.
    """
    check_user(user)
    _refuse_deleting(version)
    at_work = {job.params["dataset"] for job in _work(version)}
    lacking = [
        dataset
        for dataset in Dataset.objects.filter(kind=kind).exclude(pk__in=at_work).order_by("name")
        if enrollment.waiting(dataset, version.image_encoder).exists()
    ]
    if not lacking:
        raise NothingWaits
    return [enrollment.request(dataset, version, user) for dataset in lacking]


def gate(version: ModelVersion, kind: str = DEFAULT_KIND) -> list[gates.Check]:
    """What has to hold before a version takes over: each condition, and whether it does."""
    found = of(version, kind).counts
    return gates.checks(version, kind, enrolled=found.searched, missing=found.gaps.missing)


def switch(
    version: ModelVersion,
    user: "User | None" = None,
    kind: str = DEFAULT_KIND,
    *,
    query_kinds: Iterable[str] = (),
    confirmed: bool = False,
) -> list[ServingVersion]:
    """Let a version answer all it can, from one moment on.

    Args:
        query_kinds: some of what it can answer instead of all.
        confirmed: somebody saw what did not pass, and wants it nevertheless.

    Returns: the rows in force.
    Raises:
        Unconfirmed: a condition of the gate does not hold and was not confirmed, or cannot be.
        MayNotSwitch, BeingDeleted; and as `serving.switch_to`.
    """
    check_user(user)
    _refuse_deleting(version)
    wanted = list(query_kinds) or serving.kinds_of(version)
    serving.check(version, wanted, kind)
    short = [check for check in gate(version, kind) if not check.passed]
    if short and not (confirmed and all(check.may_be_confirmed for check in short)):
        raise Unconfirmed([f"{check.title}: {check.detail}" for check in short])
    with _alone():
        _refuse_deleting(version)
        return [serving.switch_to(version, each, user, kind) for each in wanted]


def roll_back(
    version: ModelVersion, user: "User | None" = None, kind: str = DEFAULT_KIND
) -> list[ServingVersion]:
    """Let what answered before a version answer again, at once, for all that it answers now.

    Returns: the new rows in force.
    Raises:
        NothingBefore: it does not serve, or nothing served before it.
        MayNotSwitch; BeingDeleted, what served before; and as `serving.switch_to`.
    """
    check_user(user)
    with _alone():
        made = []
        for query_kind in QueryKind.values:
            before = before_it(version, query_kind, kind)
            if before is not None:
                _refuse_deleting(before)
                made.append(serving.switch_to(before, query_kind, user, kind))
        if not made:
            raise NothingBefore(version.name)
        return made


def before_it(version: ModelVersion, query_kind: str, kind: str) -> ModelVersion | None:
    """What answered before a version that answers now; None if it does not, or nothing did."""
    newest = ServingVersion.objects.newest(kind, query_kind)
    if newest is None or newest.version_id != version.pk:
        return None
    rows = ServingVersion.objects.filter(dataset_kind=kind, query_kind=query_kind)
    older = rows.exclude(version=version).order_by("-pk").first()
    return None if older is None else versions.get(older.version.name)


def request_deletion(
    version: ModelVersion, user: "User | None" = None, *, queue: bool = True
) -> Job:
    """Ask for the vectors of a version to be deleted, with its indexes. The version stays.

    Raises:
        StillServes: it answers, or another version with its image tower does, or enrolls.
        BeingDeleted, MayNotSwitch.
    """
    check_user(user)
    with _alone():
        _refuse_deleting(version)
        _refuse_serving(version)
        if _work(version):
            raise StillServes(version.name)
        params = {"version": version.pk, "version_name": version.name}
        return jobs.request(KIND, task=TASK, params=params, user=user, queue=queue)


def step(work: jobs.Work) -> bool:
    """Delete the next vectors, after the indexes. True: more is left.

    Raises: StillServes, it began to answer meanwhile; EngineSilent.
    """
    version = ModelVersion.objects.with_towers().filter(pk=work.params["version"]).first()
    if version is None:
        return False  # its vectors went with it
    rows = Embedding.objects.filter(encoder_id=version.image_encoder_id)
    if work.job.total is None:
        work.plan(rows.count())
    if _wait_for_searches(work, version):
        return True
    for engine in engines.ENGINES.values():
        engine.drop(version.image_encoder, work.beat)
    compact.drop(version.image_encoder)
    with _alone():
        _refuse_serving(version)
        some = list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])
        deleted, _each = Embedding.objects.filter(pk__in=some).delete()
        work.advance(deleted, note="")
    if deleted:
        return True
    IndexTuning.objects.filter(encoder_id=version.image_encoder_id).delete()
    return False


def _everywhere(kind: str) -> Scope:
    ids = Dataset.objects.filter(kind=kind).order_by("pk").values_list("pk", flat=True)
    return Scope(kind=kind, dataset_ids=tuple(ids))


def _work(version: ModelVersion) -> list[Job]:
    """Unfinished jobs on the vectors of a version, or of one that shares its image tower."""
    sharing = ModelVersion.objects.filter(image_encoder_id=version.image_encoder_id)
    mine = Q(pk__in=[])
    for pk in sharing.values_list("pk", flat=True):
        mine |= Q(kind=enrollment.KIND, params__versions__contains=pk)
        mine |= Q(kind=KIND, params__version=pk)
    return list(Job.objects.unfinished().filter(mine).order_by("pk"))


@contextmanager
def _alone() -> Iterator[None]:
    """A transaction beside which nobody else switches, rolls back or deletes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('search.generations'))")
        yield


def _refuse_deleting(version: ModelVersion) -> None:
    if any(job.kind == KIND for job in _work(version)):
        raise BeingDeleted(version.name)


def _refuse_serving(version: ModelVersion) -> None:
    encoder = version.image_encoder_id
    if ServingVersion.objects.in_force().filter(version__image_encoder=encoder).exists():
        raise StillServes(version.name)


def _wait_for_searches(work: jobs.Work, version: ModelVersion) -> bool:
    """Whether the switch away from a version is too new, after a moment's wait."""
    last = ServingVersion.objects.order_by("-pk").values_list("set_at", flat=True).first()
    if last is None or (timezone.now() - last).total_seconds() >= GRACE_S:
        return False
    if not ServingVersion.objects.filter(version__image_encoder=version.image_encoder_id).exists():
        return False
    work.beat(_("Waiting until the last searches have ended."))
    time.sleep(WAIT_S)
    return True
