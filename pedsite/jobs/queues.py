"""Queues may be paused: workers leave their jobs where they are until somebody resumes them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from pedsite.jobs import work
from pedsite.jobs.errors import UnknownQueue
from pedsite.jobs.models import Job, PausedQueue

if TYPE_CHECKING:
    from pedsite.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A queue: how many of its jobs run and how many wait, and who paused it, if anybody did."""

    name: str
    running: int
    waiting: int
    pause: PausedQueue | None


def names() -> list[str]:
    """All queues that tasks are routed to."""
    routed = {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    return sorted({settings.CELERY_TASK_DEFAULT_QUEUE} | routed)


def standings() -> list[Standing]:
    """Every queue, in the order of names."""
    held = Q(state="running", lease_until__isnull=False)
    rows = Job.objects.unfinished().order_by().values("queue")
    counts = {
        row["queue"]: row
        for row in rows.annotate(running=Count("pk", held), waiting=Count("pk", ~held))
    }
    pauses = {pause.queue: pause for pause in PausedQueue.objects.select_related("by")}
    return [
        Standing(
            name=name,
            running=counts.get(name, {}).get("running", 0),
            waiting=counts.get(name, {}).get("waiting", 0),
            pause=pauses.get(name),
        )
        for name in names()
    ]


def pause(queue: str, user: "User | None" = None, reason: str = "") -> PausedQueue:
    """Begin no job of a queue, and have those at work given back after the chunk at hand.

    A second pause changes neither who did it nor why. It holds until `resume`, over restarts.

    Raises: UnknownQueue.
    """
    _known(queue)
    defaults = {"by": user, "reason": " ".join(reason.split())[:200]}
    return PausedQueue.objects.get_or_create(queue=queue, defaults=defaults)[0]


@transaction.atomic
def resume(queue: str) -> int:
    """Go on with a queue. Returns: how many jobs were sent. Raises: UnknownQueue."""
    _known(queue)
    PausedQueue.objects.filter(queue=queue).delete()
    waiting = Job.objects.unfinished().filter(queue=queue, lease_until=None, sent_at__isnull=False)
    jobs = list(waiting.order_by("created_at", "pk"))
    transaction.on_commit(lambda: [work.send(job) for job in jobs])
    return len(jobs)


def resume_all() -> int:
    """Go on with every paused queue. Returns: how many jobs were sent."""
    return sum(resume(each) for each in PausedQueue.objects.values_list("queue", flat=True))


def _known(queue: str) -> None:
    if queue not in names():
        raise UnknownQueue(queue, names())
