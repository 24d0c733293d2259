"""A real training, small: data, engine, export, parity, registration; and being interrupted."""

import errno
import json
import os
import signal
import subprocess
import sys

import numpy as np
import psutil
import pytest
from django.core.management import call_command

from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests.training.ml.test_event_files import events, points
from training import child, runs, versions
from training.errors import RunIsOver, TrainingFailed
from training.models import TrainingRun
from training.tasks import train

pytestmark = pytest.mark.usefixtures("work_folder")


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
    assert run.pace == {"precision": "fp32", "memory_format": "channels_last", "seconds": {}}
    assert not runs.folder(run).exists()

    work.cancel(run.job)
    undisturbed = runs.request("clip", "people", tiny, queue=False)
    stop_after(undisturbed, 5)
    assert undisturbed.points.curves()["loss"] == curves["loss"][:5]


def stop_after(run, steps):
    from training.ml.engine import Stopped

    reported = run.points.filter(name="loss")
    before = reported.count()
    with pytest.raises(Stopped):
        execute(run.pk, should_stop=lambda: reported.count() >= before + steps)
    assert reported.count() == before + steps


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


def test_a_run_asked_to_finish_gives_a_version_after_its_epoch(people, tiny):
    """12 boxes to train on are 2 batches of 6."""
    run = runs.request("clip", "people", tiny | {"validate_every": 6}, queue=False)
    runs.finish(run)
    version = execute(run.pk)
    assert [step for step, _ in run.points.curves()["loss"]] == [1, 2]
    assert version.metrics["validation"]["step"] == 2


def test_a_run_that_is_over_cannot_be_asked_to_finish(people, tiny):
    run = runs.request("clip", "people", tiny, queue=False)
    work.cancel(run.job)
    with pytest.raises(RunIsOver):
        runs.finish(run)


def test_curves_are_kept_for_tensorboard(people, tiny):
    run = runs.request("clip", "people", tiny, queue=False)
    stop_after(run, 5)
    found = {(name, step): value for name, step, value in points(events(runs.curves_folder(run)))}
    stored = {
        (name, step): pytest.approx(value, abs=1e-3)
        for name, curve in run.points.curves().items()
        for step, value in curve
    }
    assert found == stored
    assert ("loss", 5) in found


def test_want_of_memory_is_told_in_words_and_the_checkpoint_kept(people, tiny, monkeypatch):
    import torch

    from training.ml.learner import Learner

    def step(self, loaded, rate):
        if loaded.step == 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")
        return learn(self, loaded, rate)

    learn = Learner.step
    monkeypatch.setattr(Learner, "step", step)
    run = runs.request("clip", "people", tiny, queue=False)
    with pytest.raises(TrainingFailed, match=r"smaller batch.*last checkpoint is kept") as raised:
        execute(run.pk)
    assert "Tried to allocate 20 GiB" in str(raised.value)
    monkeypatch.setattr(Learner, "step", learn)
    work.cancel(run.job)
    again = runs.request("clip", "people", tiny, queue=False)
    stop_after(again, 1)
    assert [step for step, _ in again.points.curves()["loss"]] == [4]


def test_a_full_disk_is_told_in_words_and_the_checkpoint_kept(people, tiny, monkeypatch):
    """/dev/full is a disk without room."""
    from training import execution

    run = runs.request("clip", "people", tiny, queue=False)
    record = execution.record

    def record_and_fill(run, step, values):
        record(run, step, values)
        if step == 3 and "loss" in values:
            (runs.folder(run) / "last.partial").symlink_to("/dev/full")

    monkeypatch.setattr(execution, "record", record_and_fill)
    with pytest.raises(TrainingFailed, match=r"disk is full.*last checkpoint is kept"):
        execute(run.pk)


def test_a_disk_too_small_for_the_crops_is_told_in_words(people, tiny, monkeypatch):
    def no_room(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    run = runs.request("clip", "people", tiny, queue=False)
    with pytest.raises(TrainingFailed, match="disk is full"):
        execute(run.pk)


@pytest.mark.parametrize(
    "wanting",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_want_of_plain_memory_is_seen_too(wanting):
    from training.execution import shortage

    assert "memory is too small" in shortage(wanting)
    assert shortage(RuntimeError("shapes differ")) == ""


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
    heard = child._heard

    def hear_and_kill(work, line):
        said = heard(work, line)
        if work.job.done >= 10:
            _kill_children()
        return said

    monkeypatch.setattr(child, "_heard", hear_and_kill)
    train(run.job_id)
    job = Job.objects.get(pk=run.job_id)
    assert job.state == "failed"
    assert "SIGKILL" in job.error
    assert "Its last checkpoint is kept" in job.error
    reached = max(step for step, _ in run.points.curves()["loss"])
    assert 10 <= reached < 20_000

    again = runs.request("clip", "people", endless, queue=False)
    stop_after(again, 2)
    first = min(step for step, _ in again.points.curves()["loss"])
    # A checkpoint every two steps: no more than these are trained again.
    assert reached - 2 < first <= reached + 2


def test_processes_of_torchrun_train_one_version_together(people, tiny, child_database):
    """Each step is reported once, by the main process."""
    words = [f"{key}={json.dumps(value)}" for key, value in tiny.items()]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = ["manage.py", "train", "clip", "--dataset", "people", "--name", "shared", "--set"]
    ended = subprocess.run(
        [*torchrun, *command, *words], capture_output=True, text=True, timeout=500
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.count("Trained version shared") == 1
    run = TrainingRun.objects.get()
    assert run.job.state == "done"
    assert [step for step, _ in run.points.curves()["loss"]] == [1, 2, 3, 4, 5, 6]
    assert versions.get("shared").dim == 16


def _kill_children():
    for process in psutil.Process().children():
        if "run_training" in process.cmdline():
            os.kill(process.pid, signal.SIGKILL)


def test_a_process_whose_parent_is_gone_ends_whatever_it_is_busy_with(monkeypatch):
    from training.management.commands import run_training

    ended = []
    monkeypatch.setattr(child, "GRACE_S", 0)
    monkeypatch.setattr(os, "killpg", lambda *said: ended.append(said))
    command = run_training.Command()
    command.parent = os.getppid()
    parents = iter([command.parent, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(child.embedded, "leave", lambda: ended.append("left the services"))
    command.watch_parent()
    assert ended == ["left the services", (0, signal.SIGKILL)]


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
    assert ended.value.code == child.STOPPED
    from training.ml import checkpoint

    assert checkpoint.load(runs.folder(run) / "last.pt")["step"] == 4, "no step is lost"
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[0] == {"done": 0, "total": 6, "note": "decoding 1 of 18 boxes"}
