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
print(*(name for name in NAMES if name in sys.modules))
"""


def loaded(*names: str) -> str:
    """Which of these modules a fresh process has after it imported all that a site imports."""
    code = f"NAMES = {names!r}\n{LOAD}"
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_web_process_loads_neither_torch_nor_transformers():
    assert loaded("torch", "transformers", "onnx") == ""


def test_onnxruntime_waits_for_the_first_model():
    """It starts threads when imported; the web server and the worker fork after all imports."""
    assert loaded("onnxruntime") == ""


def test_faiss_waits_for_the_first_codes():
    """Few processes ever need it, and it brings an OpenMP of its own."""
    assert loaded("faiss", "search.neighbours") == ""


def test_numpy_of_a_web_process_computes_in_the_thread_that_asks():
    """Threads of OpenBLAS that spin between small products made searches half as slow again."""
    code = (
        "import pedsite.wsgi, threadpoolctl\n"
        "print(*{pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["1"], done.stderr
