"""What the worker makes of a training process; here a script that behaves as each case needs."""

import sys
import time

import pytest

from pedsite.jobs import work
from pedsite.jobs.models import Job
from pedsite.jobs.work import run_here
from training import child, runs, trainer
from training.tasks import train

pytestmark = pytest.mark.django_db

WORKS = """
import json
print("a library greets")
for done in (2, 4, 6):
    print(json.dumps({"done": done, "total": 6, "note": "loss 1.0"}), flush=True)
print(json.dumps({"failures": [["box 7", "damaged"], ["box 8", "damaged"]]}))
print(json.dumps({"version": "made"}))
"""
STARTS_LATER = """
import json
print(json.dumps({"done": 1, "total": 6, "note": ""}))
print(json.dumps({"version": "made"}))
"""
COMPLAINS = """
import json, sys
print(json.dumps({"error": "There are too few people."}))
sys.exit(1)
"""
CRASHES = """
import sys
print("Traceback of something", file=sys.stderr)
print("SegmentationFault: core", file=sys.stderr)
sys.exit(3)
"""
DIES = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
FILLS = "import os, signal; os.kill(os.getpid(), signal.SIGBUS)"
STOPS_WHEN_ASKED = """
import json, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
print(json.dumps({"done": 1, "total": 6, "note": ""}), flush=True)
time.sleep(60)
"""
DEAF = """
import json, os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(json.dumps({"done": 1, "total": 6, "note": f"{os.getpid()} {child.pid}"}), flush=True)
time.sleep(60)
"""


@pytest.fixture
def run(work_folder):
    return runs.request("clip", "drawn:1:100", {"steps": 6}, queue=False)


@pytest.fixture
def behave(settings, tmp_path):
    def write(script: str) -> None:
        settings.BASE_DIR = tmp_path
        (tmp_path / "manage.py").write_text(script)

    return write


def finished(run) -> Job:
    train(run.job_id)
    return Job.objects.get(pk=run.job_id)


def test_progress_failures_and_result_reach_the_job(run, behave):
    behave(WORKS)
    job = finished(run)
    assert (job.state, job.total, job.done, job.failed) == ("done", 6, 6, 2)
    assert job.note == ""
    assert job.result == {"version": "made"}
    assert [failure.item for failure in job.failures.all()] == ["box 7", "box 8"]


def test_a_training_that_goes_on_from_a_checkpoint_counts_from_there(run, behave):
    Job.objects.filter(pk=run.job_id).update(total=6, done=5)
    behave(STARTS_LATER)
    assert finished(run).done == 1


def test_the_rate_counts_steps_and_not_the_drawing_before_them(run, behave):
    behave(WORKS.replace("(2, 4, 6)", "(0, 0, 3)"))
    Job.objects.filter(pk=run.job_id).update(busy_s=1000)
    assert finished(run).busy_s < 100


def test_a_retry_of_boxes_that_cannot_be_read_does_not_train_again(run, behave):
    behave(WORKS)
    again = work.retry_failed(finished(run))
    train(again.pk)
    again.refresh_from_db()
    assert again.state == "failed"
    assert "ask for the training again" in again.error


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (COMPLAINS, "There are too few people."),
        (CRASHES, "status 3: SegmentationFault: core"),
        (DIES, "SIGKILL"),
        ("", "status 0: it said nothing"),
        (FILLS, "SIGBUS is commonly because the disk is full"),
    ],
)
def test_each_way_to_fail_is_told_in_words(run, behave, script, message):
    behave(script)
    job = finished(run)
    assert job.state == "failed"
    assert message in job.error


def test_cancelling_lets_the_process_write_its_checkpoint(run, behave, monkeypatch):
    monkeypatch.setattr(work, "BEAT_EVERY", 0.1)
    behave(STOPS_WHEN_ASKED)
    monkeypatch.setattr(
        child,
        "_heard",
        lambda at, line: Job.objects.filter(pk=run.job_id).update(cancel_requested=True) and None,
    )
    began = time.monotonic()
    assert finished(run).state == "cancelled"
    assert time.monotonic() - began < 10


def test_a_process_that_will_not_stop_is_killed_with_all_that_it_started(run, behave, monkeypatch):
    import psutil

    monkeypatch.setattr(work, "BEAT_EVERY", 0.1)
    monkeypatch.setattr(child, "GRACE_S", 0.5)
    heard = child._heard

    def hear_and_cancel(at, line):
        said = heard(at, line)
        Job.objects.filter(pk=run.job_id).update(cancel_requested=True)
        return said

    monkeypatch.setattr(child, "_heard", hear_and_cancel)
    behave(DEAF)
    job = finished(run)
    assert job.state == "cancelled"
    started = [int(pid) for pid in job.note.split() if psutil.pid_exists(int(pid))]
    # Killed is killed, but the kernel may take a moment to say so.
    _, left = psutil.wait_procs([psutil.Process(pid) for pid in started], timeout=10)
    assert [process for process in left if process.status() != "zombie"] == []


def test_a_worker_that_is_told_to_stop_gives_the_training_back(run, behave, monkeypatch):
    sent = []
    monkeypatch.setattr(work, "send", sent.append)
    monkeypatch.setattr(work, "_stopping", bytearray(1))
    behave(STOPS_WHEN_ASKED)
    monkeypatch.setattr(child, "_heard", lambda at, line: work.stop_soon())
    job = finished(run)
    assert (job.state, job.lease_key) == ("running", "")
    assert [one.pk for one in sent] == [job.pk]


def test_a_process_that_is_told_to_stop_before_it_listens_has_not_failed(run, behave, monkeypatch):
    monkeypatch.setattr(work, "send", lambda job: None)
    monkeypatch.setattr(work, "_stopping", bytearray(1))
    behave("import time; print(flush=True); time.sleep(60)")
    monkeypatch.setattr(child, "_heard", lambda at, line: work.stop_soon())
    assert finished(run).state == "running"


def test_a_long_training_leaves_its_worker_to_a_job_that_waits(run, behave, monkeypatch):
    monkeypatch.setattr(child, "TURN_S", 0.1)
    behave(STOPS_WHEN_ASKED)
    other = work.request("import", task="gallery.import", params={}, queue=False)
    began = time.monotonic()
    turns = []

    def step(at):
        turns.append(trainer.step(at, turn_s=0.1))
        Job.objects.filter(pk=other.pk).delete()
        behave(WORKS)
        return turns[-1]

    job = run_here(run.job, step, sys.stderr)
    assert turns == [True, False]
    assert job.state == "done"
    assert time.monotonic() - began < 20


FINISHES_SLOWLY = """
import json, time
print(json.dumps({"done": 6, "total": 6, "note": "exporting"}), flush=True)
time.sleep(3)
print(json.dumps({"version": "made"}), flush=True)
time.sleep(3)
"""


def test_a_training_that_has_its_last_step_does_not_give_way(run, behave):
    behave(FINISHES_SLOWLY)
    work.request("import", task="gallery.import", params={}, queue=False)
    turns = []

    def step(at):
        turns.append(trainer.step(at, turn_s=0.1))
        return turns[-1]

    assert run_here(run.job, step, sys.stderr).state == "done"
    assert turns == [False]


ENDS_WITH_ITS_VERSION = """
import json, os, signal, time
print(json.dumps({"version": "made"}), flush=True)
time.sleep(60)
"""


def test_a_process_stopped_after_its_version_is_made_has_done_its_work(run, behave, monkeypatch):
    monkeypatch.setattr(work, "_stopping", bytearray(1))
    heard = child._heard

    def hear_and_stop(at, line):
        work.stop_soon()
        return heard(at, line)

    monkeypatch.setattr(child, "_heard", hear_and_stop)
    behave(ENDS_WITH_ITS_VERSION)
    assert finished(run).state == "done"


ENDS_EARLY = """
import json
for done in (2, 4):
    print(json.dumps({"done": done, "total": 6, "note": "loss 1.0"}), flush=True)
print(json.dumps({"done": 4, "total": 4, "note": "exporting"}))
print(json.dumps({"version": "made"}))
"""


def test_a_training_that_ends_after_its_epoch_counts_the_steps_that_it_made(run, behave):
    behave(ENDS_EARLY)
    job = finished(run)
    assert (job.state, job.done, job.total) == ("done", 4, 4)


def test_a_process_whose_job_was_taken_over_is_killed_at_once(run, behave, monkeypatch):
    monkeypatch.setattr(work, "BEAT_EVERY", 0.1)
    behave(DEAF)
    monkeypatch.setattr(
        child,
        "_heard",
        lambda at, line: Job.objects.filter(pk=run.job_id).update(lease_key="another") and None,
    )
    began = time.monotonic()
    train(run.job_id)
    assert time.monotonic() - began < child.GRACE_S / 2
    assert Job.objects.get(pk=run.job_id).lease_key == "another"
