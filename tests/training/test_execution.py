"""A real training, small: data, engine, export, parity, registration; and being interrupted."""

import json
import os
import signal

import numpy as np
import psutil
import pytest
from django.core.management import call_command
from django.db import connection

from pedsite.jobs import work
from pedsite.jobs.models import Job
from training import runs, trainer, versions
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
    """Interrupted after step 3, it ends as if it had not been."""
    run = runs.request("clip", "people", tiny, name="small", licence="CC0-1.0", queue=False)
    stop_after(run, 3)
    before = run.points.curves()["loss"]
    seen = []
    version = execute(run.pk, progress=lambda *said: seen.append(said))
    assert seen[-1] == (6, 6, "exporting")
    curves = run.points.curves()
    assert [step for step, _ in curves["loss"]] == [1, 2, 3, 4, 5, 6]
    assert curves["loss"][:3] == before
    assert [step for step, _ in curves["valid_r1"]] == [3, 6]
    assert_serves(version)
    run.refresh_from_db()
    assert run.version == version
    assert not runs.folder(run).exists()

    work.cancel(run.job)
    undisturbed = runs.request("clip", "people", tiny, queue=False)
    stop_after(undisturbed, 5)
    assert undisturbed.points.curves()["loss"] == curves["loss"][:5]


def stop_after(run, steps):
    from training.ml.engine import Stopped

    asked = iter([False] * (steps - 1) + [True])
    with pytest.raises(Stopped):
        execute(run.pk, should_stop=lambda: next(asked))
    assert len(run.points.curves()["loss"]) == steps


def assert_serves(version):
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


def test_a_loss_that_is_no_number_ends_the_training_in_words(people, tiny):
    run = runs.request("clip", "people", tiny | {"lr": 1e30, "clip_norm": 1e30}, queue=False)
    with pytest.raises(TrainingFailed, match="a lower lr may help"):
        execute(run.pk)


def test_the_command_trains_in_a_process_of_its_own(people, tiny, child_database, capsys):
    words = [f"{key}={json.dumps(value)}" for key, value in tiny.items()]
    call_command("train", "clip", dataset="people", pairs=words, name="mine")
    run = TrainingRun.objects.get()
    assert (run.job.state, run.job.total, run.job.done) == ("done", 6, 6)
    assert run.job.result == {"version": "mine"}
    assert run.version == versions.get("mine")
    assert "Trained version mine" in capsys.readouterr().out


def test_a_killed_training_is_taken_up_at_its_checkpoint(people, tiny, child_database, monkeypatch):
    endless = tiny | {"steps": 20_000, "validate_every": 20_000}
    run = runs.request("clip", "people", endless, queue=False)
    heard = trainer._heard

    def hear_and_kill(work, line):
        said = heard(work, line)
        if work.job.done >= 10:
            _kill_children()
        return said

    monkeypatch.setattr(trainer, "_heard", hear_and_kill)
    train(run.job_id)
    job = Job.objects.get(pk=run.job_id)
    assert job.state == "failed"
    assert "SIGKILL" in job.error
    reached = max(step for step, _ in run.points.curves()["loss"])
    assert 10 <= reached < 20_000

    again = runs.request("clip", "people", endless, queue=False)
    stop_after(again, 2)
    first = min(step for step, _ in again.points.curves()["loss"])
    # A checkpoint every two steps: no more than these are trained again.
    assert reached - 2 < first <= reached + 2


def _kill_children():
    for child in psutil.Process().children():
        if "run_training" in child.cmdline():
            os.kill(child.pid, signal.SIGKILL)


def test_a_process_that_is_told_to_stop_leaves_a_checkpoint(people, tiny, monkeypatch, capsys):
    from training import execution

    run = runs.request("clip", "people", tiny, queue=False)

    def record_and_stop(run, step, values):
        if step == 4:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(execution, "record", record_and_stop)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            call_command("run_training", run.pk)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended.value.code == trainer.STOPPED
    assert (runs.folder(run) / "last.pt").exists()
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[0] == {"done": 0, "total": 6, "note": "decoding 1 of 18 boxes"}
