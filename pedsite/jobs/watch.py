"""Jobs whose worker died, or whose message was lost, are sent again."""

import logging
from datetime import timedelta

from django.utils import timezone

from pedsite.jobs import work
from pedsite.jobs.models import Job

logger = logging.getLogger(__name__)

# A job that killed its holder this often in a row, with no item done between, is given up.
MOST_LOSSES = 5
LOST_AFTER = timedelta(minutes=2)
# The oldest of each queue; the others follow when these are gone.
AT_A_TIME = 20


def revive() -> list[int]:
    """Sends orphaned and forgotten jobs again, except of paused queues.

    Returns: the ids of those sent.
    """
    sent = []
    for job in Job.objects.orphaned().order_by("created_at"):
        if job.losses >= MOST_LOSSES:
            _give_up(job)
        elif job.cancel_requested:
            Job.objects.cancel_unheld(job.pk)
        elif not work.is_paused(job.queue):
            logger.warning("%s lost its worker, sending it again", job)
            sent.append(job)
    forgotten = (
        Job.objects.of_queues_at_work()
        .unsent_since(timezone.now() - LOST_AFTER)
        .order_by("created_at")
    )
    sent += forgotten[:AT_A_TIME]
    for job in sent:
        Job.objects.filter(pk=job.pk).update(sent_at=timezone.now())
        work.send(job)
    return [job.pk for job in sent]


def _give_up(job: Job) -> None:
    text = f"Its worker died {job.losses + 1} times in a row at the same place."
    if Job.objects.give_up(job, text):
        logger.error("%s given up: %s", job, text)
