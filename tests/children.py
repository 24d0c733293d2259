"""Code in a process of its own, with the services and the database of the test that starts it."""

import os
import subprocess
import sys

from django.conf import settings
from django.db import connection


def run(code: str, *arguments: str, ends_with: int = 0, **environment: str) -> str:
    """What it prints; needs a test with `transaction=True`, whose rows others can see.

    Args:
        ends_with: the exit status that is expected, below 0 a signal.
    """
    made = connection.settings_dict
    parts = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "port": "PORT"}
    pairs = [f"{key}={made[name]}" for key, name in parts.items() if made[name]]
    url = " ".join([*pairs, f"host={made['HOST']}"])
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"DATABASE_URL": url} | environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == ends_with, done.stderr
    return done.stdout
