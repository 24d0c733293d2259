"""Processes of ours that one command starts and stops: `manage.py` again, in sessions of their own.

A session of its own keeps Ctrl-C in the terminal from reaching them: whoever started them ends
them in order. If it is killed, the leash does.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"


class Process:
    """One running `manage.py` command, its output in a log file."""

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.arguments = tuple(arguments)
        self.name = arguments[0]
        self.log = log
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, str(MANAGE), *arguments, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process; to it and all its children, if it is SIGKILL."""
        with suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            elif self.is_alive:
                self._process.send_signal(number)


def stop(processes: Sequence[Process], patience_s: float) -> None:
    """Ends processes: politely, after `patience_s` seconds urgently, then by force.

    Celery finishes the chunk at hand on SIGTERM and drops it on SIGQUIT; the job's lease lets the
    next worker go on with it.
    """
    for number, seconds in ((signal.SIGTERM, patience_s), (signal.SIGQUIT, 3.0)):
        for process in processes:
            process.signal(number)
        until = time.monotonic() + seconds
        while any(process.is_alive for process in processes) and time.monotonic() < until:
            time.sleep(0.05)
        if not any(process.is_alive for process in processes):
            break
    for process in processes:
        # Also children that outlived their parent.
        process.signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process._process.wait(2)
