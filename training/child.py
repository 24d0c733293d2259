"""A command that loads torch, in a process of its own: both ends of it.

The process can be stopped, killed or lost without taking the worker with it, its memory is free
again afterwards, and the job's lease is renewed whatever torch is busy with. It says how far it is
in lines of JSON: `done`, `total` and `note`; `failures` as (item, reason); at its end `error`, or
whatever else its step waits for.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings

from pedsite import embedded
from pedsite.jobs.models import Job
from pedsite.jobs.work import LeaseLost, Work

# Exit status of a process that was asked to stop and can go on later (sysexits' EX_TEMPFAIL).
STOPPED = 75
# Seconds that a process has to store what it has, less than a job's lease.
GRACE_S = 30
# How long one process may keep a worker to itself while other jobs wait (seconds).
TURN_S = 600
# Seconds between two lines that only say how far it is.
TELL_EVERY_S = 0.5

Process = subprocess.Popen[str]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended.

    stopped: it was asked to, and can go on. said: its last line that was neither progress nor
    failures. reason: why it ended without a word for its step; empty if it had one.
    """

    stopped: bool
    said: dict[str, Any]
    reason: str


def watch(
    work: Work, command: list[str], log: Path, *, what: str, turn_s: float | None = None
) -> Ended:
    """Run a management command to its end, its progress counted on the job.

    Args:
        log: its standard error goes there, after what is there already.
        what: it is, to begin a sentence with.
        turn_s: after so many seconds it is stopped if another job waits, to go on when its turn
            comes again.

    Raises: Cancelled, LeaseLost, and the process is gone.
    """
    began = time.monotonic()
    last: dict[str, Any] = {}
    with _running(command, log) as (process, lines):
        asked = False
        while True:
            work.beat()
            if not asked and (work.is_called_back() or _gives_way(work.job, began, turn_s, last)):
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
    status = process.returncode
    # Without a word it may have been stopped before it had come so far as to listen; with one it
    # had done all, and was leaving.
    stopped = status == STOPPED or (asked and status == -signal.SIGTERM and not last)
    reason = "" if stopped or last else _reason(what, status, log)
    return Ended(stopped=stopped, said=last, reason=reason)


def _gives_way(job: Job, began: float, turn_s: float | None, last: dict[str, Any]) -> bool:
    if turn_s is None or time.monotonic() - began < turn_s:
        return False
    # What is left after the last item is short, and would have to be done anew.
    if last or (job.total is not None and job.done >= job.total):
        return False
    return Job.objects.filter(state=Job.State.QUEUED).exclude(pk=job.pk).exists()


def _heard(work: Work, line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None  # a library that prints
    if not isinstance(said, dict):
        return None
    if "failures" in said:
        work.advance(failures=[(item, reason) for item, reason in said["failures"]])
    elif "done" in said:
        _count(work, said["done"], said["total"], said["note"])
    else:
        return said
    return None


def _count(work: Work, done: int, total: int, note: str) -> None:
    if not done:
        work.plan(total, done=work.job.done, note=note)  # it prepares, no item is done yet
    elif work.job.done and total != work.job.total:
        work.plan(total, done=done, note=note)  # it was asked to end with fewer
    elif not work.job.done or done < work.job.done:
        # The first item, or one that is behind what was counted before it was interrupted.
        work.plan(total, done=done, note=note, afresh=True)
    else:
        work.advance(done - work.job.done, note=note)


def _reason(what: str, status: int, log: Path) -> str:
    if status < 0:
        name = signal.Signals(-status).name
        often = {"SIGKILL": "for want of memory", "SIGBUS": "because the disk is full"}.get(name)
        commonly = f"; {name} is commonly {often}" if often else ""
        return f"{what} was killed ({name}){commonly}."
    return f"{what} ended with status {status}: {_last_words(log)}."


def _last_words(log: Path) -> str:
    with suppress(OSError):
        words = log.read_text("utf-8", errors="replace").strip().splitlines()
        return words[-1] if words else "it said nothing"
    return "it left no log"


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[tuple[Process, Any]]:
    """The process and the lines that it prints, None after the last; gone at the end."""
    log.parent.mkdir(parents=True, exist_ok=True)
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    with log.open("a", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [sys.executable, manage, *command, "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            encoding="utf-8",
            # Ctrl-C reaches this process alone, which then stops that one in order; and whatever
            # that one starts is in its group, and goes with it.
            start_new_session=True,
        )
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
    reader.start()
    try:
        yield process, lines
    except LeaseLost:
        _kill(process)  # another process works already: this one must not write any more
        raise
    finally:
        _stop(process)
        reader.join(timeout=5)


def _read(process: Process, lines: Any) -> None:
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            lines.put(line)
    lines.put(None)


def _stop(process: Process) -> None:
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_S)
    _kill(process)


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def end_group() -> None:
    """End this process and all that it started, at once."""
    # No exit handler will: whoever is the last to use the embedded services stops them.
    embedded.leave()
    os.killpg(0, signal.SIGKILL)


class Stopped(Exception):
    """The process was asked to stop, or nobody is left to hear it; what is stored stays."""


class Voice:
    """How the process tells whoever started it, and hears that it is to stop."""

    def __init__(self, stream: TextIO, parent: int | None) -> None:
        self._stream = stream
        self._parent = parent
        self._asked = False
        self._told = 0.0
        signal.signal(signal.SIGTERM, self._stop)
        if parent is not None:
            threading.Thread(target=self._watch_parent, daemon=True).start()

    def say(self, **words: Any) -> None:
        self._stream.write(json.dumps(words) + "\n")
        self._stream.flush()

    def progress(self, done: int, total: int, note: str) -> None:
        """Raises: Stopped, before the last item is done."""
        gone = self._parent is not None and os.getppid() != self._parent
        if (self._asked or gone) and done < total:
            raise Stopped
        if time.monotonic() - self._told >= TELL_EVERY_S or done == total:
            self._told = time.monotonic()
            self.say(done=done, total=total, note=note)

    def failures(self, found: list[tuple[str, str]]) -> None:
        if found:
            self.say(failures=found)

    def _stop(self, *_signal: Any) -> None:
        self._asked = True

    def _watch_parent(self) -> None:
        """Ends this process when nobody is left to read what it says, whatever it is busy with."""
        while os.getppid() == self._parent:
            time.sleep(1)
        time.sleep(GRACE_S)
        end_group()
