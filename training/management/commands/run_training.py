"""The process that trains: started by `train` and by the workers, and told to stop by them."""

import json
import os
import signal
import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from pedsite.api import DomainError
from training import child, execution
from training.ml.engine import Stopped

# Lines a second that only say how far it is.
TELL_EVERY_S = 0.5


class Command(BaseCommand):
    help = (
        "Trains one stored run in this process and prints its progress as lines of JSON. "
        "The train command and the workers start it; people use train. Without a number, one of "
        "the processes that torchrun started joins the run that the first of them trains."
    )

    # Whoever starts it has checked the system.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, nargs="?")
        parser.add_argument("--parent", type=int, help="stop when this process is gone")

    def handle(self, *, run: int | None, parent: int | None, **options: Any) -> None:
        self.parent = parent
        self.asked = False
        self.told = 0.0
        signal.signal(signal.SIGTERM, self.stop)
        if parent is not None:
            threading.Thread(target=self.watch_parent, daemon=True).start()
        try:
            version = execution.run(
                execution.joined(run),
                progress=self.progress,
                refuse=lambda refused: refused and self.say(failures=refused),
                should_stop=self.should_stop,
            )
        except Stopped:
            raise SystemExit(child.STOPPED) from None
        except DomainError as exc:
            self.say(error=str(exc))
            raise SystemExit(1) from None
        except Exception as exc:
            self.say(error=f"{type(exc).__name__}: {exc}")
            raise
        if version is not None:
            self.say(version=version.name)

    def watch_parent(self) -> None:
        """Ends this process when nobody is left to read what it says, whatever it is busy with."""
        while os.getppid() == self.parent:
            time.sleep(1)
        # The training sees it too, after its step, and leaves a checkpoint.
        time.sleep(child.GRACE_S)
        child.end_group()

    def stop(self, *_signal: Any) -> None:
        self.asked = True

    def should_stop(self) -> bool:
        return self.asked or (self.parent is not None and os.getppid() != self.parent)

    def progress(self, done: int, total: int, note: str) -> None:
        if time.monotonic() - self.told >= TELL_EVERY_S or done == total:
            self.told = time.monotonic()
            self.say(done=done, total=total, note=note)

    def say(self, **words: Any) -> None:
        self.stdout.write(json.dumps(words))
        self.stdout.flush()
