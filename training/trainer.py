"""Trains in a process of its own, watched from the worker or command that holds the job.

The process can so be stopped, killed or lost without taking the worker with it, its memory is
free again afterwards, and the job's lease is renewed whatever torch is busy with.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.conf import settings

from pedsite.jobs.models import Job
from pedsite.jobs.work import LeaseLost, Work, is_stopping
from training import runs
from training.errors import TrainingFailed
from training.models import TrainingRun

# Exit status of a process that was asked to stop and left a checkpoint (sysexits' EX_TEMPFAIL).
STOPPED = 75
# Seconds that a process has to write its checkpoint, less than a job's lease.
GRACE_S = 30
# How long one training may keep a worker to itself while other jobs wait (seconds).
TURN_S = 600


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
    began = time.monotonic()
    last: dict[str, Any] = {}
    with _process(run) as (process, lines):
        asked = False
        while True:
            work.beat()
            if not asked and (is_stopping() or _gives_way(work.job, began, turn_s)):
                process.terminate()
                asked = True
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                continue
            if line is None:
                break
            last = _heard(work, line) or last
        process.wait()
    if asked and process.returncode == -signal.SIGTERM:
        return True  # it had not come so far as to listen
    return _ended(work, run, process.returncode, last)


def _gives_way(job: Job, began: float, turn_s: float | None) -> bool:
    if turn_s is None or time.monotonic() - began < turn_s:
        return False
    return Job.objects.filter(state=Job.State.QUEUED).exclude(pk=job.pk).exists()


def _heard(work: Work, line: str) -> dict[str, Any] | None:
    """Passes a line of the process on to the job; what the process says at its end is returned."""
    try:
        said = json.loads(line)
    except ValueError:
        return None  # a library that prints
    if "failures" in said:
        work.advance(failures=[(item, reason) for item, reason in said["failures"]])
    elif "done" in said:
        _count(work, said["done"], said["total"], said["note"])
    else:
        return said
    return None


def _count(work: Work, done: int, total: int, note: str) -> None:
    if not done:
        work.plan(total, done=work.job.done, note=note)  # data are made, no step is done yet
    elif not work.job.done or done < work.job.done:
        # The first step, or one that is behind what was counted before the last checkpoint.
        work.plan(total, done=done, note=note, afresh=True)
    else:
        work.advance(done - work.job.done, note=note)


def _ended(work: Work, run: TrainingRun, status: int, last: dict[str, Any]) -> bool:
    if status == STOPPED:
        return True
    if status == 0 and "version" in last:
        work.advance(note="")
        work.keep(version=last["version"])
        runs.log(run).unlink(missing_ok=True)
        return False
    if "error" in last:
        raise TrainingFailed(last["error"])
    raise TrainingFailed(f"{_reason(run, status)} {runs.kept(run)}".strip())


def _reason(run: TrainingRun, status: int) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        often = {"SIGKILL": "for want of memory", "SIGBUS": "because the disk is full"}.get(name)
        commonly = f"; {name} is commonly {often}" if often else ""
        return f"The training process was killed ({name}){commonly}."
    return f"The training process ended with status {status}: {_last_words(run)}."


def _last_words(run: TrainingRun) -> str:
    with suppress(OSError):
        words = runs.log(run).read_text("utf-8", errors="replace").strip().splitlines()
        return words[-1] if words else "it said nothing"
    return "it left no log"


@contextmanager
def _process(run: TrainingRun) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    """The training process and the lines that it prints, None after the last; gone at the end."""
    log = runs.log(run)
    log.parent.mkdir(parents=True, exist_ok=True)
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    command = [sys.executable, manage, "run_training", str(run.pk), "--parent", str(os.getpid())]
    # Added to: a training that leaves its worker and comes back has one log.
    with log.open("a", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            # Ctrl-C reaches this process alone, which then stops that one in order; and what
            # it starts to draw people is in its group, and goes with it.
            start_new_session=True,
        )
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        yield process, lines
    except LeaseLost:
        _kill(process)  # another process trains already: this one must not write any more
        raise
    finally:
        _stop(process)
        reader.join(timeout=5)


def _read(process: subprocess.Popen[str], lines: Any) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put(None)


def _stop(process: subprocess.Popen[str]) -> None:
    """Lets a process that still runs write its checkpoint, and waits for its end."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
