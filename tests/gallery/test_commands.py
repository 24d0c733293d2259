import io

import pytest
from django.core.management import CommandError, call_command

from gallery import tasks
from gallery.models import Box, Dataset, Image
from pedsite.jobs.models import Job
from tests.gallery import files, red_detector
from tests.gallery.files import annotations, folder_of

pytestmark = pytest.mark.django_db


def run(*words, **options):
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_import_dataset_says_what_it_made_and_what_it_refused(tmp_path):
    folder_of(tmp_path, 2)
    rows = [
        {"id": 1, "file_path": "000.jpg", "captions": ["a man"], "split": "train"},
        {"id": 1, "file_path": "../x.jpg", "captions": [], "split": "train"},
    ]
    path = str(annotations(tmp_path / "a.json", rows))
    text = run("import_dataset", "cuhk_pedes", path, dataset="new")
    assert "Made the dataset new." in text
    assert "1 new pictures, 0 known ones, 1 boxes, 1 captions, 1 people" in text
    assert "line 3, record 2: ../x.jpg: the path has `..` in it" in text
    again = run("import_dataset", "cuhk_pedes", path, dataset="new")
    assert "Made" not in again
    assert "0 new pictures, 1 known ones, 0 boxes" in again


def test_an_import_of_nothing_but_refusals_fails(tmp_path):
    rows = [{"id": 1, "file_path": "../x.jpg", "captions": [], "split": "train"}]
    path = str(annotations(tmp_path / "a.json", rows))
    with pytest.raises(CommandError, match="Nothing was imported"):
        run("import_dataset", "cuhk_pedes", path, dataset="new")


def test_the_pictures_of_annotations_may_lie_elsewhere(tmp_path):
    folder_of(tmp_path / "imgs", 1)
    row = {"id": 1, "file_path": "000.jpg", "captions": ["a"], "split": "test"}
    path = str(annotations(tmp_path / "a.json", [row]))
    run("import_dataset", "cuhk_pedes", path, "--images", str(tmp_path / "imgs"), dataset="new")
    assert Image.objects.count() == 1


def test_a_dry_run_writes_nothing(tmp_path):
    folder_of(tmp_path, 2)
    (tmp_path / "bad.jpg").write_bytes(b"x")
    text = run("import_dataset", "folder", str(tmp_path), "--dry-run", dataset="new")
    assert "Nothing was written. The dataset new is new." in text
    assert "3 records: 2 new pictures" in text
    assert "bad.jpg: Not a picture" in text
    assert not Dataset.objects.exists()
    assert not Job.objects.exists()


def test_queueing_hands_the_job_to_the_workers(tmp_path):
    folder_of(tmp_path, 1)
    text = run("import_dataset", "folder", str(tmp_path), "--queue", dataset="new")
    job = Job.objects.get()
    assert f"Job {job.pk} is queued." in text
    assert (job.state, job.task, job.queue) == ("queued", "gallery.import_dataset", "default")
    assert not Image.objects.exists()


def test_a_video_takes_rate_and_start(tmp_path):
    path = str(files.video(tmp_path / "door.avi", frames=20, fps=10))
    run("import_dataset", "video", path, "--fps", "1", "--start", "2024-01-01", dataset="v")
    assert Image.objects.count() == 2
    assert Image.objects.order_by("pk")[1].taken_at.isoformat() == "2024-01-01T00:00:01+00:00"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["voc", "x"], "no format “voc”"),
        (["folder", "/no/such/folder"], "not a folder"),
        (["drawn", "seven"], "is not SEED:IDENTITIES"),
        (["folder", ".", "--fps", "2"], "takes no fps"),
    ],
)
@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["wet", "dry"])
def test_import_dataset_refuses_in_words(words, reason, dry):
    with pytest.raises(CommandError, match=reason):
        run("import_dataset", *words, *dry, dataset="new")
    assert not Dataset.objects.exists()


def test_detect_people_finds_says_and_queues(tmp_path):
    folder_of(tmp_path / "in", 1)
    run("import_dataset", "folder", str(tmp_path / "in"), dataset="new")
    spec = str(red_detector.write(tmp_path / "red.onnx"))
    text = run("detect_people", dataset="new", detector=spec, threshold=0.001)
    found = Box.objects.filter(source="detected").count()
    assert f"{found} people found in 1 pictures; 0 pictures could not be read." in text
    assert "is queued" in run("detect_people", "--queue", dataset="new")
    assert Job.objects.order_by("-pk")[0].task == "gallery.detect_people"


def test_detect_people_refuses_in_words(tmp_path):
    with pytest.raises(CommandError, match="no dataset “nowhere”"):
        run("detect_people", dataset="nowhere")
    Dataset.objects.create(name="new")
    with pytest.raises(CommandError, match="There is no detector"):
        run("detect_people", dataset="new", detector=str(tmp_path / "missing.onnx"))


def test_the_tasks_do_the_jobs_of_the_commands(tmp_path):
    folder_of(tmp_path / "in", 2)
    run("import_dataset", "folder", str(tmp_path / "in"), "--queue", dataset="new")
    tasks.import_dataset(Job.objects.get().pk)
    assert Image.objects.count() == 2
    run("detect_people", "--queue", dataset="new")
    tasks.detect_people(Job.objects.order_by("-pk")[0].pk)
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
