"""Teachers: a foreign model's vectors of a dataset, computed in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from django.conf import settings as site
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, Storage, default_storage
from django.core.management import CommandError, call_command
from PIL import Image as Picture

from gallery import datasets, snapshots
from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests.training import foreign_models
from tests.world import make_box, make_caption, make_dataset, make_identity, make_image
from training import child, lessons, teachers
from training.errors import (
    BadTeacher,
    BadTrainingData,
    CorruptArtifact,
    NameTaken,
    TeacherNotReady,
    UnknownTeacher,
)
from training.ml import foreign
from training.ml.config import TrainConfig
from training.ml.teacher import Store, StoreError, write
from training.models import Teacher

pytestmark = pytest.mark.usefixtures("work_folder")


@pytest.fixture(scope="module")
def chinese_clip(tmp_path_factory):
    return foreign_models.chinese_clip(tmp_path_factory.mktemp("models") / "cn-clip")


@pytest.fixture
def street(db):
    """Dataset "street": 3 pictures, each of a split, of two boxes with captions, en and zh."""
    dataset = make_dataset("street")
    rng = np.random.default_rng(4)
    for number, split in enumerate(("train", "validation", "test")):
        pixels = rng.integers(0, 256, (60, 80, 3)).astype(np.uint8)
        image = make_image(dataset, pixels)
        for left in (0, 40):
            person = make_identity(dataset, f"person {number} {left}", split=split)
            box = make_box(image, (left, 0, left + 30, 60), identity=person)
            make_caption(box, f"a man in a red coat {number} {left}")
            make_caption(box, f"穿红色外套的男人 {number}", language="zh")
    return dataset


def made_by_hand(dataset, name="by hand", dim=4) -> Teacher:
    """A ready teacher with one-hot vectors: no model ran."""
    boxes = list(dataset.images.values_list("boxes", flat=True))
    texts = sorted({c["text"] for e in entries(dataset) for c in e["captions"]})
    images = np.eye(dim, dtype=np.float32)[np.arange(len(boxes)) % dim]
    vectors = np.eye(dim, dtype=np.float32)[np.arange(len(texts)) % dim]
    teacher = Teacher.objects.create(
        name=name, snapshot=snapshots.freeze(dataset), model="elsewhere"
    )
    place = site.PEDSITE_WORK_DIR / f"hand-{teacher.pk}"
    store = write(place, {"dim": dim}, boxes=boxes, images=images, texts=texts, vectors=vectors)
    teachers.keep(teacher, store)
    return teacher


def entries(dataset):
    return list(snapshots.read(snapshots.freeze(dataset)))


class Heard:
    """Whoever is told of an extraction, in this process; stops it after so many words."""

    def __init__(self, last: int | None = None) -> None:
        self.said, self.failed, self.last = [], [], last

    def progress(self, *said) -> None:
        self.said.append(said)
        if self.last is not None and len(self.said) > self.last:
            raise child.Stopped

    def failures(self, found) -> None:
        self.failed += found


def compute(teacher, heard=None) -> Teacher:
    from training import extraction  # loads torch, which most of the suite does without

    return extraction.run(teacher, heard or Heard())


def asked(model, **wanted) -> Teacher:
    return teachers.request(str(model), datasets.get("street"), queue=False, **wanted)


def picture(entry) -> np.ndarray:
    left, top, right, bottom = entry["bbox"]
    with default_storage.open(entry["file"], "rb") as stored:
        return np.asarray(Picture.open(stored).convert("RGB"))[top:bottom, left:right]


def test_the_stored_vectors_are_those_of_the_model(street, chinese_clip):
    teacher = compute(asked(chinese_clip))
    assert (teacher.name, teacher.dim) == ("cn-clip-street", 24)
    assert (teacher.image_count, teacher.text_count, teacher.licence) == (6, 9, "apache-2.0")
    assert teacher.revision.startswith("sha256:")
    assert teacher.preprocessing["image"]["size"] == {"height": 32, "width": 32}
    assert teacher.preprocessing["text"]["max_length"] == 52
    store, model = teachers.store(teacher), foreign.load(str(chinese_clip))
    for entry in entries(street):
        (row,) = store.image_rows([entry["box"]])
        expected = model.encode_pictures([model.prepare(picture(entry))])[0]
        assert store.images[row] @ expected == pytest.approx(1, abs=1e-5)
        texts = [caption["text"] for caption in entry["captions"]]
        expected = model.encode_texts(texts)
        found = store.texts[store.text_rows(texts)]
        assert (found * expected).sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert list(store.text_rows(["nobody said this"])) == [-1]
    assert not teachers.folder(teacher).exists()


def test_a_split_has_its_own_boxes_and_captions_alone(street, chinese_clip):
    teacher = compute(asked(chinese_clip, split="test"))
    assert (teacher.image_count, teacher.text_count) == (2, 3)
    wanted = {entry["box"] for entry in entries(street) if entry["split"] == "test"}
    assert set(teachers.store(teacher).boxes.tolist()) == wanted


def test_an_extraction_that_was_stopped_goes_on_from_its_shards(street, chinese_clip, monkeypatch):
    from training import extraction

    monkeypatch.setattr(extraction, "SHARD", 2)
    with pytest.raises(child.Stopped):
        compute(asked(chinese_clip), Heard(last=4))
    teacher = asked(chinese_clip)
    shards = list(teachers.folder(teacher).glob("*/image-*.npz"))
    assert len(shards) == 2
    again = Heard()
    compute(teacher, again)
    assert [done for done, _, note in again.said if note == "pictures"] == [2, 4, 6, 6]


def test_a_model_that_changed_meanwhile_begins_anew(street, chinese_clip, tmp_path, monkeypatch):
    from training import extraction

    monkeypatch.setattr(extraction, "SHARD", 2)
    folder = shutil.copytree(chinese_clip, tmp_path / "changing")
    with pytest.raises(child.Stopped):
        compute(asked(folder), Heard(last=4))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"logit_scale_init_value": 1.0}))
    again = Heard()
    teacher = compute(asked(folder), again)
    # Twice: when it was computed, and when it was stored.
    assert [done for done, _, note in again.said if note == "pictures"][:2] == [2, 2]
    assert teacher.image_count == 6


def test_a_picture_that_cannot_be_read_has_no_vector_and_a_reason(street, chinese_clip):
    first = entries(street)[0]
    default_storage.delete(first["file"])
    default_storage.save(first["file"], ContentFile(b"no picture"))
    heard = Heard()
    teacher = compute(asked(chinese_clip), heard)
    assert teacher.image_count == 4
    assert list(teachers.store(teacher).image_rows([first["box"]])) == [-1]
    assert [item for item, _ in heard.failed] == [f"box {first['box'] + n}" for n in (0, 1)]


def test_a_dataset_that_cannot_be_read_gives_no_teacher(street, chinese_clip):
    for entry in entries(street):
        default_storage.delete(entry["file"])
    with pytest.raises(BadTeacher, match="No picture of"):
        compute(asked(chinese_clip))
    assert not teachers.get("cn-clip-street").is_ready


class TestAsking:
    def test_for_the_same_again_gives_the_same(self, street, chinese_clip):
        first = asked(chinese_clip)
        assert asked(chinese_clip).job_id == first.job_id
        compute(first)
        assert asked(chinese_clip).is_ready
        assert Teacher.objects.count() == 1

    def test_after_it_was_cancelled_gives_it_a_new_job(self, street, chinese_clip):
        first = asked(chinese_clip)
        work.cancel(first.job)
        second = asked(chinese_clip)
        assert (second.pk, second.job_id > first.job_id) == (first.pk, True)

    def test_for_another_model_under_a_name_that_is_taken_is_refused(
        self, street, chinese_clip, tmp_path
    ):
        asked(chinese_clip, name="best")
        (tmp_path / "config.json").write_text("{}")
        with pytest.raises(NameTaken, match="choose another name"):
            asked(tmp_path, name="best")

    def test_when_the_dataset_has_grown_asks_for_another_name(self, street, chinese_clip):
        made_by_hand(street, name="grown")
        Teacher.objects.update(model=str(chinese_clip.resolve()))
        make_box(make_image(street))
        with pytest.raises(NameTaken, match="has changed since"):
            asked(chinese_clip, name="grown")
        teachers.remove(teachers.get("grown"))
        assert asked(chinese_clip, name="grown").job is not None

    @pytest.mark.parametrize(
        ("model", "words"),
        [
            ("/no/such/folder", "There is no folder"),
            ("a b", "neither a folder nor an id"),
            ("{tmp}", "holds no config.json"),
        ],
    )
    def test_for_what_is_no_model_is_refused_at_once(self, street, tmp_path, model, words):
        with pytest.raises(CommandError, match=words):
            call_command(
                "extract_teacher", model.format(tmp=tmp_path), "--dataset", "street", "--queue"
            )
        assert not Job.objects.exists()

    def test_with_queue_leaves_it_to_the_workers(self, street, chinese_clip, capsys):
        call_command("extract_teacher", str(chinese_clip), "--dataset", "street", "--queue")
        job = Job.objects.get()
        assert (job.task, job.queue, job.state) == ("training.extract", "training", "queued")
        assert f"Job {job.pk} queued" in capsys.readouterr().out


class TestStores:
    def test_one_that_is_not_there_is_refused(self, street, chinese_clip):
        with pytest.raises(UnknownTeacher):
            teachers.get("nobody")
        with pytest.raises(TeacherNotReady):
            teachers.store(asked(chinese_clip))

    def test_a_file_that_was_cut_is_noticed(self, street):
        teacher = made_by_hand(street)
        path = default_storage.path(teacher.files["image.npy"]["name"])
        os.truncate(path, 100)
        with pytest.raises(CorruptArtifact, match=r"image\.npy of a teacher is gone or cut"):
            teachers.store(teacher)

    def test_storage_elsewhere_is_copied_once_and_checked(self, street, settings):
        elsewhere = {"BACKEND": f"{__name__}.Elsewhere"}
        settings.STORAGES = {**settings.STORAGES, "default": elsewhere}
        teacher = made_by_hand(make_dataset_elsewhere())
        assert teachers.store(teacher).images.shape == (1, 4)
        assert (site.PEDSITE_WORK_DIR / "teachers").is_dir()

    def test_vectors_of_a_deleted_dataset_go_when_a_teacher_is_asked_for(
        self, street, tmp_path, django_capture_on_commit_callbacks
    ):
        name = made_by_hand(street).files["image.npy"]["name"]
        kept = made_by_hand(make_dataset_elsewhere(), name="kept").files["image.npy"]["name"]
        datasets.delete(street)
        assert not Teacher.objects.filter(name="by hand").exists()
        (tmp_path / "config.json").write_text("{}")
        with django_capture_on_commit_callbacks(execute=True):
            teachers.request(str(tmp_path), datasets.get("elsewhere"), name="new", queue=False)
        assert default_storage.exists(kept)
        assert not default_storage.exists(name)

    def test_a_folder_that_is_not_whole_is_no_store(self, tmp_path):
        one = np.ones((1, 4), np.float32)
        write(tmp_path, {"dim": 4}, boxes=[1], images=one, texts=["a"], vectors=one)
        (tmp_path / "text.npy").unlink()
        with pytest.raises(StoreError, match="not a whole store"):
            Store.open(tmp_path)

    def test_boxes_are_found_in_any_order(self, tmp_path):
        images = np.eye(4, dtype=np.float32)
        store = write(
            tmp_path, {"dim": 4}, boxes=[9, 2, 7, 4], images=images, texts=[], vectors=images[:0]
        )
        rows = store.image_rows([2, 9, 5, 4, 99])
        assert rows.tolist() == [0, 3, -1, 1, -1]
        assert store.images[rows[0]].tolist() == images[1].tolist()


class Elsewhere(Storage):
    """A storage that is no folder of this machine."""

    def __init__(self) -> None:
        self._inside = InMemoryStorage()

    def _open(self, name, mode="rb"):
        return self._inside.open(name, mode)

    def _save(self, name, content):
        return self._inside.save(name, content)

    def delete(self, name):
        self._inside.delete(name)

    def exists(self, name):
        return self._inside.exists(name)


def make_dataset_elsewhere():
    dataset = make_dataset("elsewhere")
    make_caption(make_box(make_image(dataset)), "a man")
    return dataset


def test_a_teacher_is_measured_by_its_stored_vectors(street, tmp_path, capsys):
    boxes = [entry["box"] for entry in entries(street)]
    teacher = Teacher.objects.create(name="sure", snapshot=snapshots.freeze(street), model="x")
    texts = {c["text"]: n for n, e in enumerate(entries(street)) for c in e["captions"][:1]}
    eye = np.eye(8, dtype=np.float32)
    store = write(
        tmp_path / "store",
        {"dim": 8},
        boxes=boxes,
        images=eye[: len(boxes)],
        texts=list(texts),
        vectors=eye[list(texts.values())],
    )
    teachers.keep(teacher, store)
    words = ["--teacher", "sure", "--dataset", "street", "--split", "test"]
    call_command("evaluate", *words, "--json", str(tmp_path / "found.json"))
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["teacher"], found["look"], found["boxes"]) == ("sure", 1, 2)
    assert found["captions"] == 2, "those that it has no vector of do not ask"
    assert found["t2i"]["r1"]["value"] == found["i2t"]["r1"]["value"] == 1
    assert "t2i\tr1\t1.0000" in capsys.readouterr().out
    evaluation = teacher.evaluations.get()
    assert (evaluation.version, evaluation.subject) == (None, teacher)


def test_a_version_or_a_teacher_is_measured_and_not_both(street):
    for words in ([], ["tiny", "--teacher", "sure"]):
        with pytest.raises(CommandError, match="Name a version, or a teacher"):
            call_command("evaluate", *words, "--dataset", "street", "--split", "test")


SMALL = """
import sys, time
import django
django.setup()
from django.core.management import call_command
from training import extraction
extraction.SHARD = 2
keep = extraction.Shards.keep
def slowly(self, *words):
    keep(self, *words)
    time.sleep({pause})
extraction.Shards.keep = slowly
call_command("run_extraction", sys.argv[1])
"""


def process_of(teacher, pause: float) -> subprocess.Popen:
    code = SMALL.format(pause=pause)
    words = [sys.executable, "-c", code, str(teacher.pk)]
    return subprocess.Popen(words, cwd=site.BASE_DIR, stdout=subprocess.DEVNULL)


def test_a_killed_extraction_goes_on_and_ends_with_the_same_bits(
    child_database, street, chinese_clip, monkeypatch
):
    from training import extraction

    monkeypatch.setattr(extraction, "SHARD", 2)
    undisturbed = compute(asked(chinese_clip, name="undisturbed"))
    teacher = asked(chinese_clip, name="killed")
    process = process_of(teacher, pause=30)
    first = until(lambda: list(teachers.folder(teacher).glob("*/image-000000.npz")))[0]
    process.send_signal(signal.SIGKILL)
    process.wait()
    os.utime(first, ns=(1, 1))
    heard = Heard()
    compute(teacher, heard)
    assert heard.said[1][0] == 2  # the first shard was there
    for name in ("image.npy", "boxes.npy", "text.npy", "text_keys.npy"):
        assert teacher.files[name]["sha256"] == undisturbed.files[name]["sha256"], name


def until(found, seconds: float = 240):
    end = time.monotonic() + seconds
    while not (got := found()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return got


def test_the_command_computes_in_a_process_of_its_own(child_database, street, chinese_clip, capsys):
    call_command("extract_teacher", str(chinese_clip), "--dataset", "street")
    teacher = teachers.get("cn-clip-street")
    assert (teacher.is_ready, teacher.job.state, teacher.job.done) == (True, "done", 15)
    assert capsys.readouterr().out.startswith("cn-clip-street\t")


def test_what_the_process_complains_of_is_the_job_s_error(
    child_database, street, chinese_clip, tmp_path
):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(CommandError, match="cannot be loaded"):
        call_command("extract_teacher", str(tmp_path), "--dataset", "street", "--name", "x")
    assert Job.objects.get().state == "failed"


def test_the_admin_lists_teachers_by_dataset(street, admin_client):
    made_by_hand(street)
    page = admin_client.get("/admin/training/teacher/").content.decode()
    assert "by hand" in page
    assert "street" in page


def test_a_text_tower_taught_by_stored_vectors_needs_an_image_tower_to_go_with(street):
    made_by_hand(street)
    config = TrainConfig.of_recipe("distill_text", {"teacher": "by hand", "dim": 4})
    with pytest.raises(BadTrainingData, match=r"“by hand” holds vectors.*in pair_with"):
        lessons.check(config)
