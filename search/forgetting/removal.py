"""A removal from request to report: phases that a job goes through, each safe to begin again.

Where a phase has got to is in the row, written in the transaction that does the work, so that a
removal that is killed goes on at the same place, and a file whose row is gone is still in the plan.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery.formats.records import OWN_KEY
from gallery.models import Box, Dataset, Identity, Image
from pedsite.audit.journal import Action, record
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from search.forgetting import checks, copies, held, people
from search.forgetting.errors import (
    MayNotRemove,
    NotAllGone,
    NotConfirmed,
    NotForgettable,
    UnknownRemoval,
)
from search.forgetting.models import Removal

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KIND = gettext_noop("remove for good")
TASK = "search.remove"
# One plan is one row.
MOST = 20_000

Phase = Callable[[Removal, jobs.Work], bool]
PHASES: tuple[Phase, ...] = (
    held.look,
    people.frames,
    people.rows,
    people.snapshots_,
    copies.files,
    copies.codes,
    copies.caches,
    copies.database,
    copies.mirrors,
)


@dataclass(frozen=True, kw_only=True)
class Foretold:
    """Whom a removal is about. `word` is what has to be typed to confirm it."""

    dataset: Dataset
    boxes: list[Box]
    identity: Identity | None

    @property
    def word(self) -> str:
        if self.identity is None or self.identity.key.startswith(OWN_KEY):
            return str(self.boxes[0].pk)
        return str(self.identity.key)


def foretell(box_id: int) -> Foretold:
    """The person whom a box shows: all boxes of the same identity, or it alone if that is unknown.

    Raises: NotForgettable, there is no such box, or there are too many of that identity.
    """
    box = Box.objects.with_context().filter(pk=box_id).first()
    if box is None:
        raise NotForgettable(_("There is no box %(pk)d.") % {"pk": box_id})
    boxes = [box]
    if box.identity is not None:
        boxes = list(box.identity.boxes.with_context().order_by("pk")[: MOST + 1])
    if len(boxes) > MOST:
        raise NotForgettable(_("More than %(most)d boxes show this person.") % {"most": MOST})
    return Foretold(dataset=box.image.dataset, boxes=boxes, identity=box.identity)


def forget(
    box_id: int, user: "User | None", *, typed: str, purpose: str = "", queue: bool = True
) -> Removal:
    """Have the person whom a box shows removed.

    Args:
        typed: `Foretold.word`; None of it is done by mistake.

    Raises: MayNotRemove, NotForgettable, NotConfirmed.
    """
    require_remover(user)
    told = foretell(box_id)
    if typed.strip() != told.word:
        raise NotConfirmed(told.word)
    return request(
        told.dataset,
        Removal.Why.PERSON,
        user,
        boxes=[box.pk for box in told.boxes],
        purpose=purpose,
        queue=queue,
    )


@transaction.atomic
def request(
    dataset: Dataset,
    why: str,
    user: "User | None",
    *,
    boxes: Sequence[int],
    images: Sequence[int] = (),
    purpose: str = "",
    queue: bool = True,
) -> Removal:
    """Queue the removal of boxes with all that shows them, and of whole images if any are named."""
    of_boxes = Image.objects.filter(boxes__in=boxes).values_list("pk", flat=True)
    plan = {"boxes": sorted(boxes), "images": sorted({*images, *of_boxes})}
    removal = Removal.objects.create(
        why=why,
        dataset=dataset,
        dataset_name=dataset.name,
        purpose=purpose[:200],
        plan=plan,
        requested_by=user,
    )
    record(
        Action.FORGET,
        user=user,
        about=f"removal {removal.pk} requested",
        purpose=purpose,
        results=len(boxes),
        why=why,
        dataset=dataset.pk,
    )
    removal.job = _job(removal, user, queue)
    removal.save(update_fields=["job"])
    return removal


@transaction.atomic
def again(removal: Removal, user: "User | None", queue: bool = True) -> Removal:
    """Go on with a removal whose job ended before everything was gone.

    Raises: MayNotRemove; NotForgettable, it is proven, or on its way.
    """
    require_remover(user)
    held_row = Removal.objects.select_for_update(of=("self",)).get(pk=removal.pk)
    if held_row.finished_at or (held_row.job and not held_row.job.is_over):
        raise NotForgettable(_("It is done, or on its way."))
    held_row.job = _job(held_row, user, queue)
    held_row.save(update_fields=["job"])
    return held_row


def find(pk: int) -> Removal:
    """Raises: UnknownRemoval."""
    found = Removal.objects.select_related("job", "requested_by").filter(pk=pk).first()
    if found is None:
        raise UnknownRemoval(pk)
    return found


def step(work: jobs.Work) -> bool:
    """One piece of a phase. Raises: NotAllGone; what a phase raises, such as EngineSilent."""
    removal = Removal.objects.select_related("dataset").get(pk=work.params["removal"])
    if removal.phase < len(PHASES):
        if not PHASES[removal.phase](removal, work):
            Removal.objects.filter(pk=removal.pk).update(phase=removal.phase + 1)
            work.advance(1)
        return True
    found = checks.all_of(removal)
    left = ", ".join(each["what"] for each in found if each["left"])
    with transaction.atomic():
        removal.report["checks"] = found
        if left:
            removal.phase, removal.plan["after"] = 1, 0
        else:
            removal.plan, removal.finished_at = {}, timezone.now()
        removal.save()
        _tell(removal, left)
    if left:
        raise NotAllGone(left)
    return False


def require_remover(user: "User | None") -> None:
    """Raises: MayNotRemove. None is a command or a worker."""
    if user is not None and not user.sees_everything:
        raise MayNotRemove


def _job(removal: Removal, user: "User | None", queue: bool) -> Job:
    left = len(PHASES) - removal.phase
    params = {"removal": removal.pk, "dataset_name": removal.dataset_name}
    return jobs.request(KIND, task=TASK, params=params, user=user, total=left, queue=queue)


def _tell(removal: Removal, left: str) -> None:
    record(
        Action.FORGET,
        user=removal.requested_by,
        about=f"removal {removal.pk} {'left traces' if left else 'done'}",
        purpose=removal.purpose,
        results=removal.report.get("removed", {}).get("boxes", 0),
        removed=removal.report.get("removed", {}),
    )
