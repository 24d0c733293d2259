"""Vectors to files of other systems and back, on real towers and a real database."""

import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from gallery.errors import BadSource, BadTarget, UnknownFormat
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import enrollment, features, tasks
from search.errors import ForeignVectors
from search.models import Embedding
from tests.world import (
    make_box,
    make_caption,
    make_coloured_people,
    make_dataset,
    make_identity,
    make_image,
    make_version,
    plain_crop,
)

pytestmark = pytest.mark.django_db
FORMATS = ("chinese_clip_features", "person_features")


@pytest.fixture
def enrolled(db):
    """Dataset "people": six colours with a caption each, and a box inside one more picture."""
    dataset = make_dataset("people")
    version = make_version("tiny")
    for colour, box in make_coloured_people(dataset).items():
        make_caption(box, colour)
        box.identity = make_identity(dataset, colour, split="test")
        box.save()
    frame = np.concatenate([plain_crop("red"), plain_crop("blue")], axis=1)
    make_box(make_image(dataset, frame, name="deep/frame.png"), (16, 0, 32, 32), score=0.5)
    job = enrollment.request(dataset, version, queue=False)
    assert work.run_here(job, enrollment.step, io.StringIO()).state == Job.State.DONE
    return dataset, version


def stored(dataset):
    return {row.box_id: np.asarray(row.vector) for row in Embedding.objects.filter(dataset=dataset)}


def export(format, path, dataset, version):
    exporter = features.Exporter()
    job = features.request_export(format, str(path), dataset, version, queue=False)
    try:
        return work.run_here(job, exporter, io.StringIO())
    finally:
        exporter.close()


@pytest.mark.parametrize("format", FORMATS)
def test_vectors_that_went_out_come_back_as_they_were(format, enrolled, tmp_path):
    dataset, version = enrolled
    job = export(format, tmp_path / "out", dataset, version)
    assert (job.state, job.done) == (Job.State.DONE, 7), job.error
    before = stored(dataset)
    Embedding.objects.all().delete()
    job = features.request_import(format, str(tmp_path / "out"), dataset, version, queue=False)
    job = work.run_here(job, features.Importer(), io.StringIO())
    assert (job.state, job.done, job.failed) == (Job.State.DONE, 7, 0), job.error
    after = stored(dataset)
    assert set(after) == set(before)
    for box, vector in before.items():
        assert after[box] == pytest.approx(vector, abs=2e-3)
    assert not list(tmp_path.glob(".out*"))


def test_chinese_clips_files_hold_pictures_texts_and_names(enrolled, tmp_path):
    export("chinese_clip_features", tmp_path / "out", *enrolled)
    out = tmp_path / "out"
    names = json.loads((out / "id2image.json").read_text())
    images = [json.loads(line) for line in (out / "test_imgs.img_feat.jsonl").open()]
    texts = [json.loads(line) for line in (out / "test_texts.txt_feat.jsonl").open()]
    said = [json.loads(line) for line in (out / "test_texts.jsonl").open()]
    assert [one["text_id"] for one in texts] == [one["text_id"] for one in said] == [*range(6)]
    assert all(np.linalg.norm(one["feature"]) == pytest.approx(1, abs=1e-5) for one in images)
    # The word of each colour is nearest to its picture.
    matrix = np.array([one["feature"] for one in images])
    for text, vector in zip(said, texts, strict=True):
        best = images[int(np.argmax(matrix @ np.array(vector["feature"])))]["image_id"]
        assert best in text["image_ids"]
        assert names[str(best)] == f"{text['text']}.png"
    # The box in the frame has nobody, and a name of its own.
    other = [json.loads(line) for line in (out / "all_imgs.img_feat.jsonl").open()]
    assert names[str(other[0]["image_id"])] == "deep/frame-16-0-32-32.jpg"


def test_an_array_and_its_metadata_are_what_system_2_enrolls(enrolled, tmp_path):
    export("person_features", tmp_path / "out", *enrolled)
    vectors = np.load(tmp_path / "out" / "person_features.npy")
    rows = json.loads((tmp_path / "out" / "person_metadata.json").read_text())
    assert (vectors.dtype, vectors.shape) == (np.float32, (7, 16))
    assert rows[-1] == {
        "image_path": "deep/frame.png",
        "bbox": [16, 0, 32, 32],
        "detection_score": 0.5,
    }


def test_vectors_of_another_model_are_refused(enrolled, tmp_path):
    dataset, version = enrolled
    export("person_features", tmp_path / "out", dataset, version)
    other = make_version("other", seed=5)
    with pytest.raises(ForeignVectors, match="not vectors of “other”"):
        features.request_import(
            "person_features", str(tmp_path / "out"), dataset, other, queue=False
        )
    wide = make_version("wide", dim=24, seed=6)
    with pytest.raises(ForeignVectors, match="24 dimensions"):
        features.request_import("person_features", str(tmp_path / "out"), dataset, wide)
    assert not Job.objects.filter(kind=features.IMPORT).exists()


def test_bad_lines_are_refused_by_number_and_the_rest_is_taken(enrolled, tmp_path):
    dataset, version = enrolled
    export("chinese_clip_features", tmp_path / "out", dataset, version)
    file = tmp_path / "out" / "test_imgs.img_feat.jsonl"
    lines = file.read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    bad = [
        "{broken",
        json.dumps({"image_id": "x", "feature": [1]}),
        json.dumps({"image_id": 99, "feature": [1.0] * 16}),
        json.dumps(rows[0] | {"feature": [0.0] * 16}),
        json.dumps(rows[0] | {"feature": [1.0, "2"]}),
        json.dumps(rows[0] | {"feature": [1.0] * 3}),
    ]
    file.write_text("\n".join([*lines, *bad]) + "\n")
    (tmp_path / "out" / "all_imgs.img_feat.jsonl").unlink()
    Embedding.objects.all().delete()
    report = features.dry_run("chinese_clip_features", str(tmp_path / "out"), dataset, version)
    assert (report.good, report.refused) == (6, 6)
    assert not Embedding.objects.exists()
    words = ["import_features", "chinese_clip_features", str(tmp_path / "out")]
    options = {"dataset": "people", "model": "tiny"}
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO(), **options)
    text = out.getvalue()
    assert "6 vectors taken in, 6 refused." in text
    for line, reason in (
        (7, "broken JSON"),
        (8, "no whole number"),
        (9, "no name of image 99"),
        (10, "zero"),
        (11, "no number"),
        (12, "3 dimensions"),
    ):
        assert any(f"line {line}: " in row and reason in row for row in text.splitlines()), line
    call_command(*words, "--dry-run", stdout=out, **options)
    assert "6 vectors fit a box, 6 are refused" in out.getvalue()


def test_pictures_that_the_dataset_lacks_are_refused(enrolled, tmp_path):
    dataset, version = enrolled
    export("person_features", tmp_path / "out", dataset, version)
    dataset.images.filter(name="red.png").delete()
    report = features.dry_run("person_features", str(tmp_path / "out"), dataset, version)
    assert report.good == 6
    assert "import the pictures first" in report.refusals[0][1]


def test_files_that_do_not_fit_each_other_and_unknown_formats_are_refused(enrolled, tmp_path):
    dataset, version = enrolled
    np.save(tmp_path / "a_features.npy", np.zeros((2, 16), np.float32))
    (tmp_path / "a_metadata.json").write_text("[]")
    with pytest.raises(BadSource, match="0 entries for 2 vectors"):
        features.dry_run("person_features", str(tmp_path), dataset, version)
    np.save(tmp_path / "a_features.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(BadSource, match="cannot be read"):
        features.dry_run("person_features", str(tmp_path), dataset, version)
    with pytest.raises(BadSource, match="no folder with one"):
        features.dry_run("chinese_clip_features", str(tmp_path), dataset, version)
    with pytest.raises(UnknownFormat):
        features.request_export("cuhk_pedes", str(tmp_path / "x"), dataset, version)
    with pytest.raises(BadTarget, match="not empty"):
        features.request_export("person_features", str(tmp_path), dataset, version)


def test_features_go_by_the_commands_and_by_the_queue(enrolled, tmp_path):
    options = {"dataset": "people", "model": "tiny"}
    out = io.StringIO()
    words = ["export_features", "person_features"]
    call_command(*words, str(tmp_path / "a"), stdout=out, stderr=io.StringIO(), **options)
    assert f"7 vectors written to {tmp_path / 'a'}." in out.getvalue()
    call_command(*words, str(tmp_path / "b"), "--queue", stdout=out, **options)
    tasks.export_features(Job.objects.get(task=features.EXPORT_TASK, state="queued").pk)
    assert (tmp_path / "b" / "person_features.npy").exists()
    Embedding.objects.all().delete()
    words = ["import_features", "person_features", str(tmp_path / "b"), "--queue"]
    call_command(*words, stdout=out, **options)
    tasks.import_features(Job.objects.get(task=features.IMPORT_TASK).pk)
    assert Embedding.objects.count() == 7
    with pytest.raises(CommandError, match="no dataset"):
        call_command("export_features", "person_features", "x", dataset="none", model="tiny")
