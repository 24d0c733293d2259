"""Imports and detections that die, whenever, and are taken up again."""

import io
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pkgutil import resolve_name

import pytest
from django.conf import settings as site
from django.db import connection
from django.utils import timezone

from gallery import images, ingest
from gallery.formats import json_stream
from gallery.models import Box, Caption, Identity, Image
from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests.gallery.files import annotations, coded, folder_of, pixels

COUNT = 40


class Killed(BaseException):
    """Nothing catches it, as nothing catches signal 9."""


@pytest.fixture
def source(tmp_path):
    """Forty people with captions, of whom three records are refused."""
    folder_of(tmp_path / "imgs", COUNT)
    rows = [
        {"id": n // 2, "file_path": f"{n:03d}.jpg", "captions": [f"caption {n}"], "split": "train"}
        for n in range(COUNT)
    ]
    rows[10]["file_path"] = "missing.jpg"
    rows[20] = '{"id": broken}'
    rows[30]["captions"] = ["fine", ""]
    return annotations(tmp_path / "reid_raw.json", rows)


def asked(source, **options) -> Job:
    images = str(source.parent / "imgs")
    return ingest.request("cuhk_pedes", str(source), "set", images, queue=False, options=options)


def assert_complete(job, stored):
    assert (job.state, job.done, job.failed, job.total) == ("done", 37, 3, COUNT)
    assert Image.objects.count() == Box.objects.count() == len(stored()) == 38
    assert Identity.objects.count() == 20
    assert Caption.objects.count() == 38
    assert job.result["images"] + job.result["known_images"] == 38
    for image in Image.objects.all():
        with image.file.open("rb") as file:
            assert images.sha256(file.read()) == image.sha256


def free(job: Job) -> None:
    """As if the holder's lease had run out."""
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(hours=1))


@pytest.mark.parametrize(
    "moment",
    [
        ("gallery.images.default_storage", "save"),
        ("gallery.intake.Box.objects", "bulk_create"),
        ("gallery.intake.Caption.objects", "bulk_create"),
        ("pedsite.jobs.work.Work", "keep"),
        ("pedsite.jobs.work.Work", "advance"),
    ],
    ids=lambda moment: moment[1] + " of " + moment[0].rpartition(".")[2],
)
@pytest.mark.parametrize("turn", [1, 3])
def test_dying_at_any_write_loses_and_doubles_nothing(
    db, source, stored, monkeypatch, moment, turn
):
    monkeypatch.setattr(ingest, "CHUNK_RECORDS", 7)
    job = asked(source)
    calls = []
    owner = resolve_name(moment[0])
    original = getattr(owner, moment[1])
    with monkeypatch.context() as patch:

        def dies(*args, **kwargs):
            calls.append(1)
            if len(calls) == turn:
                raise Killed
            return original(*args, **kwargs)

        patch.setattr(owner, moment[1], dies)
        with pytest.raises(Killed):
            work.execute(job.pk, ingest.Importer())
    free(job)
    assert_complete(work.execute(job.pk, ingest.Importer()), stored)


def test_a_file_that_was_only_half_written_is_written_again(tmp_path, do_import, stored):
    root = folder_of(tmp_path / "in", 1)
    do_import("folder", root)
    image = Image.objects.get()
    (path,) = stored()
    path.write_bytes(path.read_bytes()[:100])
    Image.objects.all().delete()
    do_import("folder", root)
    assert stored() == [path]
    assert images.sha256(path.read_bytes()) == image.sha256


def test_turns_of_one_chunk_each_end_in_the_same_rows(db, source, stored, monkeypatch):
    """Every chunk in a turn of its own, with an importer that has to find its place again."""
    monkeypatch.setattr(ingest, "CHUNK_RECORDS", 3)
    monkeypatch.setattr(work, "send", lambda job: None)
    monkeypatch.setattr(json_stream, "PIECE", 50)
    job = asked(source)
    turns = 0

    def slow_step(importer):
        def step(at):
            more = importer(at)
            time.sleep(0.06)
            return more

        return step

    while not job.is_over:
        job = work.execute(job.pk, slow_step(ingest.Importer()), budget_s=0.05)
        turns += 1
    assert turns > 5
    assert_complete(job, stored)


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_with_signal_9_again_and_again_loses_and_doubles_nothing(source, stored):
    job = asked(source)
    for seen in (5, 14, 25):
        holder = _import_elsewhere(job)
        until = time.monotonic() + 60
        while Image.objects.count() < seen:
            assert holder.poll() is None, holder.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.002)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        free(job)
    assert Image.objects.count() < 38
    assert_complete(work.execute(job.pk, ingest.Importer()), stored)


def test_a_cancelled_import_keeps_what_it_did_and_a_new_one_adds_the_rest(
    tmp_path, do_import, monkeypatch
):
    monkeypatch.setattr(ingest, "CHUNK_RECORDS", 2)
    root = folder_of(tmp_path / "in", 6)
    job = ingest.request("folder", str(root), "set", queue=False)
    importer = ingest.Importer()

    def step(at):
        more = importer(at)
        Job.objects.filter(pk=job.pk).update(cancel_requested=True)
        return more

    assert work.run_here(job, step, io.StringIO()).state == "cancelled"
    assert Image.objects.count() == 2
    job = do_import("folder", root)
    assert (job.result["images"], job.result["known_images"]) == (4, 2)


def test_a_picture_deleted_between_check_and_store_is_stored_anew(tmp_path, db, monkeypatch):
    root = folder_of(tmp_path / "in", 0)
    (root / "a.jpg").write_bytes(coded(pixels(seed=1)))
    for _ in range(2):
        job = ingest.request("folder", str(root), "set", queue=False)
        store = ingest.intake.store

        def late(*args, store=store):
            images.delete(list(Image.objects.all()))
            return store(*args)

        monkeypatch.setattr(ingest.intake, "store", late)
        job = work.run_here(job, ingest.Importer(), io.StringIO())
        monkeypatch.setattr(ingest.intake, "store", store)
    assert (job.state, job.failed) == ("done", 0)
    assert Image.objects.get().width == 40


def _import_elsewhere(job: Job) -> subprocess.Popen:
    code = (
        "import sys, time, django; django.setup()\n"
        "from gallery import ingest, intake\n"
        "from pedsite.jobs import work\n"
        "ingest.CHUNK_RECORDS = 2\n"
        "check = intake.check\n"
        "intake.check = lambda *args: (time.sleep(0.01), check(*args))[1]\n"
        "work.execute(int(sys.argv[1]), ingest.Importer())\n"
    )
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    return subprocess.Popen(
        [sys.executable, "-c", code, str(job.pk)],
        env=os.environ | {"DATABASE_URL": url, "MEDIA_ROOT": str(site.MEDIA_ROOT)},
        cwd=site.BASE_DIR,
        stderr=subprocess.PIPE,
        text=True,
    )
