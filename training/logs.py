"""What a training process said besides its progress, as far as a page shows it."""

import os

from training import runs
from training.models import TrainingRun

LINES = 40
BYTES = 16_000


def tail(run: TrainingRun) -> str:
    """The last lines of a run's log; empty if it is on another machine, or gone with its end."""
    try:
        with runs.log(run).open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - BYTES))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    # Bars of progress rewrite their line: what they said last is enough.
    lines = [line.rsplit("\r", 1)[-1].rstrip() for line in text.split("\n")]
    return "\n".join([line for line in lines if line][-LINES:])
