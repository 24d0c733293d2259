"""A real training, small: data, engine, export, parity, registration; and being interrupted."""

import json
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection

from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests.world import make_box, make_caption, make_image
from training import runs, versions
from training.errors import TrainingFailed
from training.models import TrainingRun
from training.tasks import train


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.PEDSITE_WORK_DIR = tmp_path / "work"


@pytest.fixture
def child_database(transactional_db, _own_folder, monkeypatch, settings):
    """A training process finds the database and the folder of this test."""
    monkeypatch.setenv("PEDSITE_WORK_DIR", str(settings.PEDSITE_WORK_DIR))
    made = connection.settings_dict
    parts = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "port": "PORT"}
    pairs = [f"{key}={made[name]}" for key, name in parts.items() if made[name]]
    monkeypatch.setenv("DATABASE_URL", " ".join([*pairs, f"host={made['HOST']}"]))


def execute(run_id, **options):
    from training import execution  # loads torch, which most of the suite does without

    return execution.run(run_id, **options)


def test_a_dozen_boxes_become_a_version_that_encodes(people, tiny):
    run = runs.request("clip", "people", tiny, name="small", licence="CC0-1.0", queue=False)
    seen = []
    version = execute(run.pk, progress=lambda *said: seen.append(said))
    assert (version.name, version.space.name, version.dim) == ("small", "small", 16)
    assert version.licence == "CC0-1.0"
    assert version.notes == "Trained with the recipe clip on people #1."
    validation = version.metrics["validation"]
    assert validation["step"] in (3, 6)
    assert 0 <= validation["recall_at_1"] <= validation["recall_at_5"] <= 1
    tower = versions.image_tower(version.image_encoder)
    assert tower.encode(np.zeros((2, 32, 16, 3), np.uint8)).shape == (2, 16)
    text = versions.text_tower(version.text_encoder)
    assert text.encode(["a person in a red coat", "红"]).shape == (2, 16)
    run.refresh_from_db()
    assert run.version == version
    curves = run.points.curves()
    assert [step for step, _ in curves["loss"]] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in curves["valid_r1"]] == [3, 6]
    assert seen[-1] == (6, 6, "exporting")
    assert not runs.folder(run).exists()


def test_an_interrupted_training_goes_on_and_ends_at_the_same_weights(people, tiny):
    from training.ml.engine import Stopped

    asked = iter([False, False, True])
    first = runs.request("clip", "people", tiny, name="interrupted", queue=False)
    with pytest.raises(Stopped):
        execute(first.pk, should_stop=lambda: next(asked))
    assert [step for step, _ in first.points.curves()["loss"]] == [1, 2, 3]
    before = first.points.curves()["loss"]
    version = execute(first.pk)
    assert [step for step, _ in first.points.curves()["loss"]] == [1, 2, 3, 4, 5, 6]
    assert first.points.curves()["loss"][:3] == before
    work.cancel(first.job)
    second = runs.request("clip", "people", tiny, name="undisturbed", queue=False)
    other = execute(second.pk)
    assert first.points.curves()["loss"] == second.points.curves()["loss"]
    crops = np.random.default_rng(0).integers(0, 256, (4, 32, 16, 3)).astype(np.uint8)
    vectors = [versions.image_tower(v.image_encoder).encode(crops) for v in (version, other)]
    np.testing.assert_allclose(*vectors, atol=1e-5)


def test_a_loss_that_is_no_number_ends_the_training_in_words(people, tiny):
    run = runs.request("clip", "people", tiny | {"lr": 1e30, "clip_norm": 1e30}, queue=False)
    with pytest.raises(TrainingFailed, match="a lower lr may help"):
        execute(run.pk)


def test_a_killed_training_is_taken_up_by_the_same_command(people, tiny, child_database, capsys):
    make_caption(make_box(make_image(people)), "somebody in grey")
    run = runs.request("clip", "people", tiny | {"steps": 200, "validate_every": 200})
    killer = threading.Thread(target=_when_training, args=(run, _kill))
    killer.start()
    train(run.job_id)
    killer.join()
    job = Job.objects.get(pk=run.job_id)
    assert job.state == "failed"
    assert "SIGKILL" in job.error
    reached = max(step for step, _ in run.points.curves()["loss"])
    assert 10 <= reached < 200
    assert (runs.folder(run) / "last.pt").exists()

    words = [f"{key}={json.dumps(value)}" for key, value in run.config.items() if key != "recipe"]
    call_command("train", "clip", dataset="people", settings=words, name="mine")
    again = TrainingRun.objects.get(version_name="mine")
    assert (again.job.state, again.job.total, again.job.done) == ("done", 200, 200)
    assert again.job.result == {"version": "mine"}
    assert again.version == versions.get("mine")
    assert "Trained version mine" in capsys.readouterr().out
    first = min(step for step, _ in again.points.curves()["loss"])
    # A checkpoint every two steps: nothing but the last of them is trained again.
    assert reached - 2 < first <= reached + 2


def test_a_cancelled_training_stops_with_a_checkpoint(people, tiny, child_database):
    run = runs.request("clip", "people", tiny | {"steps": 5000}, queue=False)
    canceller = threading.Thread(target=_when_training, args=(run, _cancel))
    canceller.start()
    began = time.monotonic()
    train(run.job_id)
    canceller.join()
    job = Job.objects.get(pk=run.job_id)
    assert job.state == "cancelled"
    assert job.done < 5000
    assert time.monotonic() - began < 60
    assert (runs.folder(run) / "last.pt").exists()
    assert not list(_trainers(run))


def _when_training(run, act):
    """Calls `act` once the run has trained a few steps; in a thread with its own connection."""
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if run.points.filter(name="loss", step__gte=10).exists():
                act(run)
                return
            time.sleep(0.1)
    finally:
        connection.close()


def _cancel(run):
    work.cancel(Job.objects.get(pk=run.job_id))


def _kill(run):
    for pid in _trainers(run):
        os.kill(pid, signal.SIGKILL)


def _trainers(run):
    """Processes that train this run."""
    import psutil

    wanted = [sys.executable, "run_training", str(run.pk)]
    for process in psutil.Process().children(recursive=True):
        if all(word in process.cmdline() for word in wanted):
            yield process.pid
