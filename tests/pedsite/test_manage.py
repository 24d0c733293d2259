"""The command line as a shell runs it."""

import os
import subprocess
import sys

from django.conf import settings


def test_a_reader_that_leaves_ends_a_command_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "manage.py", "help", "--commands"]
    ended = subprocess.run(
        command, cwd=settings.BASE_DIR, stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")
