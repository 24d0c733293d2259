"""Processes that end with their parent, even when it is killed and can tell them nothing."""

import os
import signal
import threading
import time

from pedsite import embedded

EVERY_S = 1.0
# How long a process may take over an orderly end before it is killed.
PATIENCE_S = 15.0


def follow_parent(parent: int | None = None) -> None:
    """Watches the parent from a thread; when it is gone, asks this process to end, then insists.

    Args:
        parent: process id to expect, for a parent that may be gone already; by default the
            parent at hand.
    """
    parent = parent or os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(EVERY_S)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_S)
        embedded.leave()
        os._exit(1)

    threading.Thread(target=watch, name="leash", daemon=True).start()
