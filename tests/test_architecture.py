"""What a process loads. The imports between packages are held by import-linter, in `make lint`."""

import os
import subprocess
import sys

LOAD = """
import sys
import django
django.setup()
from pedsite.celery import app
app.autodiscover_tasks(force=True)
import pedsite.urls, pedsite.wsgi
from django.contrib import admin
assert "search.enroll" in app.tasks and "jobs.watchdog" in app.tasks, sorted(app.tasks)
print(*(name for name in ("torch", "transformers", "onnx") if name in sys.modules))
"""


def test_a_web_process_loads_neither_torch_nor_transformers():
    done = subprocess.run(
        [sys.executable, "-c", LOAD], env=os.environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
