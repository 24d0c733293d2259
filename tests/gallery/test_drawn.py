import signal
import subprocess
import sys
import time
from collections import Counter

import psutil
import pytest
from django.conf import settings

from gallery import pictures
from gallery.errors import BadSource
from gallery.formats import drawn
from gallery.formats.records import Record
from gallery.models import Box, Caption, Identity, Image


def test_a_drawn_day_becomes_people_seen_by_several_cameras_with_words_in_two_languages(
    do_import,
):
    job = do_import("drawn", "3:8")
    assert (job.state, job.failed) == ("done", 0)
    assert Identity.objects.count() == 8
    assert set(Identity.objects.values_list("split", flat=True)) == {"test"}
    assert Image.objects.filter(camera=None).count() == 0
    days = {taken.date() for taken in Image.objects.values_list("taken_at", flat=True)}
    assert days == {drawn.DAY.date()}
    for identity in Identity.objects.all():
        seen = Box.objects.filter(identity=identity)
        assert seen.count() >= 2
        assert seen.values("image__camera").distinct().count() >= 2
    for box in Box.objects.all():
        assert box.source == Box.Source.ANNOTATED
        kinds = Counter(box.captions.values_list("kind", "language"))
        assert kinds == {("caption", "en"): 1, ("caption", "zh"): 1, ("attributes", "en"): 1}
    assert set(Caption.objects.values_list("source", flat=True)) == {"drawn"}


def test_drawing_again_adds_nothing(do_import):
    do_import("drawn", "3:2")
    before = Image.objects.count(), Box.objects.count(), Caption.objects.count()
    do_import("drawn", "3:2")
    assert (Image.objects.count(), Box.objects.count(), Caption.objects.count()) == before


def test_two_days_in_one_dataset_have_different_people(do_import):
    do_import("drawn", "3:2")
    do_import("drawn", "4:2")
    assert Identity.objects.count() == 4


def test_250_people_are_planned_into_more_than_1000_boxes_on_four_cameras_over_the_day():
    shots = drawn.plan(7, 250)
    seen = Counter(person for shot in shots for person in shot.people)
    assert len(seen) == 250
    assert min(seen.values()) >= 4
    # Some are hidden behind others, and get no box.
    assert sum(seen.values()) > 1100
    assert {shot.camera for shot in shots} == {0, 1, 2, 3}
    hours = [shot.hour for shot in shots]
    assert hours == sorted(hours)
    assert hours[0] < 9 < 18 < hours[-1] < 21.6
    assert all(len(set(shot.people)) == len(shot.people) for shot in shots)


def test_reading_goes_on_behind_a_mark_with_the_same_frames():
    whole = list(drawn.read("5:3"))
    rest = list(drawn.read("5:3", after=whole[1].mark))
    assert rest == whole[2:]


def test_two_processes_draw_the_same_bytes_as_one(monkeypatch):
    alone = list(drawn.read("9:12"))
    assert len(alone) >= 9
    monkeypatch.setattr(drawn, "WORTH_PROCESSES", 1)
    together = list(drawn.read("9:12"))
    assert [record.content for record in together] == [record.content for record in alone]
    assert [record.boxes for record in together] == [record.boxes for record in alone]


def test_boxes_lie_inside_their_frame():
    for record in drawn.read("6:6"):
        assert isinstance(record, Record)
        width, height = pictures.open_upright(record.content).size
        for box in record.boxes:
            left, top, right, bottom = box.bounds
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


@pytest.mark.parametrize("path", ["", "x", "7:", "7:0", "-1:5", "7:5:3", "7:1000000"])
def test_a_path_that_is_no_seed_and_count_is_refused(do_import, path):
    with pytest.raises(BadSource, match="is not SEED:IDENTITIES"):
        do_import("drawn", path)


def test_drawing_processes_end_with_a_parent_that_is_killed():
    code = (
        "from gallery.formats import drawn\n"
        "if __name__ == '__main__':\n"
        "    for record in drawn.read('1:200'): print(record.mark, flush=True)\n"
    )
    script = settings.MEDIA_ROOT.parent / "draw.py"
    script.write_text(code)
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(settings.BASE_DIR)},
        cwd=settings.BASE_DIR,
    )
    assert parent.stdout.readline() == b"0\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    drawing = [child for child in children if "spawn_main" in " ".join(child.cmdline())]
    assert len(drawing) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 20
    while any(child.is_running() and child.status() != "zombie" for child in drawing):
        assert time.monotonic() < until
        time.sleep(0.1)
