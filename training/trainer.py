"""Trains in a process of its own, watched from the worker or command that holds the job."""

from pedsite.jobs.work import Work
from training import child, gains, runs
from training.errors import TrainingFailed
from training.models import TrainingRun


def step(work: Work, *, turn_s: float | None = None) -> bool:
    """Trains the job's run; True if it was interrupted and more remains.

    Args:
        turn_s: after so many seconds the training leaves its worker if another job waits, and
            goes on from its checkpoint when its turn comes again.

    Raises: TrainingFailed, with what the process said last.
    """
    run = TrainingRun.objects.with_job().filter(job=work.job).first()
    if run is None:  # a retry of items: boxes that cannot be read are no reason to train again
        raise TrainingFailed(f"{work.job} belongs to no training run: ask for the training again.")
    command = ["run_training", str(run.pk)]
    log = runs.log(run)
    ended = child.watch(work, command, log, what="The training process", turn_s=turn_s)
    if ended.stopped:
        return True
    if "version" in ended.said:
        work.advance(note="")
        work.keep(version=ended.said["version"])
        log.unlink(missing_ok=True)
        run.refresh_from_db()
        gains.request_if_any(run, work.job.created_by)
        return False
    if "error" in ended.said:
        raise TrainingFailed(ended.said["error"])
    raise TrainingFailed(f"{ended.reason} {runs.kept(run)}".strip())
