"""Enrollment: every box once, whatever stops it and whoever runs beside it."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import onnx
import pytest
from django.conf import settings as site
from django.core.files.storage import default_storage
from django.db import connection, connections
from onnx import TensorProto, helper, numpy_helper

from gallery.errors import UnknownDataset
from gallery.models import Box, Review
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import encoders, enrollment, index, serving
from search.errors import NothingServes, NothingToEnroll
from search.models import Embedding, ServingVersion
from tests import world
from tests.search import rows
from training import versions
from training.ml.runtime import ImageTower

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return world.make_version()


@pytest.fixture
def dataset():
    return world.make_dataset("street")


def noise(height: int = 96, width: int = 96, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def make_crowd(dataset, pictures: int = 3, boxes: int = 7, seed: int = 0) -> list[Box]:
    """Boxes that differ, several in each real picture."""
    made = []
    for number in range(pictures):
        image = world.make_image(dataset, noise(seed=seed + number))
        made += [world.make_box(image, (n, 2 * n, n + 20, 2 * n + 40)) for n in range(boxes)]
    return made


def stored(encoder) -> dict[int, np.ndarray]:
    found = Embedding.objects.filter(encoder_id=encoder.pk)
    return {row.box_id: np.array(row.vector, dtype=np.float16) for row in found}


def test_each_box_gets_the_vector_of_its_own_pixels(version, dataset):
    boxes = make_crowd(dataset)
    job = rows.enroll(dataset, version)
    assert (job.state, job.total, job.done, job.failed) == ("done", 21, 21, 0)
    kept = stored(version.image_encoder)
    assert set(kept) == {box.pk for box in boxes}
    for box in boxes:
        with box.image.file.open() as file:
            whole = np.asarray(world.Picture.open(file).convert("RGB"))
        crop = whole[box.top : box.bottom, box.left : box.right]
        alone = encoders.encode_crops(version, [crop])[0]
        np.testing.assert_allclose(kept[box.pk], alone, atol=1e-3)


def test_a_second_run_finds_nothing_to_do(version, dataset):
    make_crowd(dataset)
    rows.enroll(dataset, version)
    before = enrollment.fingerprint(dataset, version.image_encoder)
    job = rows.enroll(dataset, version)
    assert (job.state, job.total, job.done, job.skipped) == ("done", 21, 21, 21)
    assert enrollment.fingerprint(dataset, version.image_encoder) == before
    assert before[1] == 21


def test_a_vector_does_not_depend_on_where_the_run_was_cut(version, dataset, monkeypatch):
    make_crowd(dataset, pictures=4, boxes=6)
    rows.enroll(dataset, version)
    whole = enrollment.fingerprint(dataset, version.image_encoder)
    for chunk in (5, 17):
        Embedding.objects.all().delete()
        monkeypatch.setattr(enrollment, "CHUNK", chunk)
        rows.enroll(dataset, version)
        assert enrollment.fingerprint(dataset, version.image_encoder) == whole


def test_every_run_of_the_network_has_the_same_height(version, dataset, monkeypatch):
    heights = []
    encode = ImageTower.encode

    def noted(tower, batch):
        heights.append(len(batch))
        return encode(tower, batch)

    make_crowd(dataset, pictures=3, boxes=7)
    encoders.image_tower(version.image_encoder)
    monkeypatch.setattr(ImageTower, "encode", noted)
    rows.enroll(dataset, version)
    # What comes after them is no enrollment: the version begins to serve.
    assert heights[:2] == [enrollment.BATCH] * 2


def test_the_fingerprint_tells_another_vector_box_or_picture(version, dataset):
    make_crowd(dataset)
    rows.enroll(dataset, version)
    seen = {enrollment.fingerprint(dataset, version.image_encoder)}
    row = Embedding.objects.first()
    row.vector = [-x for x in row.vector]
    row.save()
    seen.add(enrollment.fingerprint(dataset, version.image_encoder))
    # The vector went with the bounds: the same again, of the box as it is now.
    Box.objects.filter(pk=row.box_id).update(right=95)
    row.save(force_insert=True)
    seen.add(enrollment.fingerprint(dataset, version.image_encoder))
    row.box.image.sha256 = "0" * 64
    row.box.image.save()
    seen.add(enrollment.fingerprint(dataset, version.image_encoder))
    Embedding.objects.filter(pk=row.pk).delete()
    seen.add(enrollment.fingerprint(dataset, version.image_encoder))
    assert len(seen) == 5


def test_a_bad_file_fails_its_boxes_alone_and_says_why(version, dataset):
    good = make_crowd(dataset, pictures=1)
    torn = world.make_box(world.make_image(dataset, noise(seed=9), name="torn.png"))
    lost = world.make_box(world.make_image(dataset, noise(seed=10), name="lost.png"))
    with default_storage.open(torn.image.file.name) as file:
        data = file.read()
    default_storage.delete(torn.image.file.name)
    default_storage.delete(lost.image.file.name)
    with default_storage.open(torn.image.file.name, "wb") as file:
        file.write(data[:100])

    job = rows.enroll(dataset, version)
    assert (job.state, job.done, job.failed, job.total) == ("done", 7, 2, 9)
    reasons = {failure.item: failure.reason for failure in job.failures.all()}
    assert "torn.png" in reasons[f"box {torn.pk}"]
    assert "lost.png" in reasons[f"box {lost.pk}"]
    assert set(stored(version.image_encoder)) == {box.pk for box in good}

    # Mended, they are all that a retry touches.
    with default_storage.open(torn.image.file.name, "wb") as file:
        file.write(data)
    Embedding.objects.filter(box=good[0]).delete()
    again = work.run_here(work.retry_failed(job), enrollment.step, open(os.devnull, "w"))  # noqa: SIM115
    assert (again.state, again.done, again.failed, again.total) == ("done", 1, 1, 2)
    kept = stored(version.image_encoder)
    assert torn.pk in kept
    assert good[0].pk not in kept


def test_a_vector_that_is_not_finite_fails_its_box_alone(dataset, tmp_path):
    """The tower takes the root of what is below zero for a black picture, and for no other."""
    weights = {"dark": np.float32(0.5), "matrix": np.eye(3, 8, dtype=np.float32)}
    nodes = [
        helper.make_node("Cast", ["input"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Sub", ["mean", "dark"], ["above"]),
        helper.make_node("Sqrt", ["above"], ["root"]),
        helper.make_node("MatMul", ["root", "matrix"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "rooted",
        [helper.make_tensor_value_info("input", TensorProto.UINT8, ["batch", 8, 4, 3])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 8])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), tmp_path / "rooted.onnx")
    version = versions.register("rooted", image_file=tmp_path / "rooted.onnx", space="roots")
    people = world.make_coloured_people(dataset, ["red", "green", "blue"])
    black = world.make_box(world.make_image(dataset, np.zeros((8, 4, 3), np.uint8), name="ink.png"))

    job = rows.enroll(dataset, version)
    assert (job.state, job.done, job.failed) == ("done", 3, 1)
    assert job.failures.get().item == f"box {black.pk}"
    assert "ink.png" in job.failures.get().reason
    assert set(stored(version.image_encoder)) == {box.pk for box in people.values()}


def test_hidden_boxes_are_not_enrolled(version, dataset):
    boxes = make_crowd(dataset)
    Box.objects.filter(pk=boxes[3].pk).update(review=Review.HIDDEN)
    job = rows.enroll(dataset, version)
    assert job.total == 20
    assert boxes[3].pk not in stored(version.image_encoder)


def test_boxes_added_meanwhile_are_enrolled_too(version, dataset, monkeypatch):
    monkeypatch.setattr(enrollment, "CHUNK", 5)
    make_crowd(dataset)
    shown_again = Box.objects.first()
    Box.objects.filter(pk=shown_again.pk).update(review=Review.HIDDEN)
    job = enrollment.request(dataset, version, queue=False)
    chunks = []

    def step(at_hand: work.Work) -> bool:
        if len(chunks) == 2:
            # One ahead of where the job is, one behind it.
            make_crowd(dataset, pictures=1, boxes=3, seed=50)
            Box.objects.filter(pk=shown_again.pk).update(review=Review.UNREVIEWED)
        chunks.append(1)
        return enrollment.step(at_hand)

    job = work.run_here(job, step, open(os.devnull, "w"))  # noqa: SIM115
    assert (job.state, job.done, job.total) == ("done", 24, 24)
    assert len(stored(version.image_encoder)) == 24
    assert not enrollment.waiting(dataset, version.image_encoder).exists()


def test_without_a_version_all_that_serve_are_enrolled(version, dataset):
    make_crowd(dataset)
    eyes = world.make_version("eyes", image_only=True, seed=1, dim=8)
    rows.make_serving(version)
    ServingVersion.objects.create(version=eyes, query_kind="picture")
    job = rows.enroll(dataset, None)
    assert sorted(job.params["version_names"]) == ["eyes", "tiny"]
    assert (job.done, job.total) == (42, 42)
    assert len(stored(version.image_encoder)) == len(stored(eyes.image_encoder)) == 21


def test_the_first_version_enrolled_begins_to_serve_and_the_second_does_not(version, dataset):
    make_crowd(dataset)
    with pytest.raises(NothingServes):
        serving.current("text")
    rows.enroll(dataset, None)
    assert serving.current("text") == serving.current("picture") == version
    rows.enroll(dataset, world.make_version("second", seed=1, dim=8))
    assert serving.current("text") == serving.current("picture") == version


def test_an_empty_dataset_is_enrolled_at_once_and_lets_nothing_serve(version, dataset):
    job = rows.enroll(dataset, version)
    assert (job.state, job.total, job.done) == ("done", 0, 0)
    with pytest.raises(NothingServes):
        serving.current("text")


def test_without_any_version_there_is_nothing_to_enroll_with(dataset):
    with pytest.raises(NothingToEnroll):
        enrollment.request(dataset)


def test_a_dataset_deleted_meanwhile_fails_its_job_in_words(version, dataset):
    job = enrollment.request(dataset, version, queue=False)
    dataset.delete()
    job = work.run_here(job, enrollment.step, open(os.devnull, "w"))  # noqa: SIM115
    assert job.state == "failed"
    assert job.error == str(UnknownDataset("street"))


@pytest.mark.django_db(transaction=True)
def test_an_enrollment_past_the_threshold_ends_with_an_index(version, dataset, settings):
    settings.PEDSITE_EXACT_ROWS = 20
    make_crowd(dataset)
    rows.enroll(dataset, version)
    assert index.exists(version.image_encoder)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {index.name(version.image_encoder)}")


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_dataset_write_each_vector_once(version, dataset, monkeypatch):
    monkeypatch.setattr(enrollment, "CHUNK", 10)
    monkeypatch.setattr(enrollment, "WAIT_S", 0.02)
    make_crowd(dataset, pictures=4, boxes=20)
    encoded = []
    monkeypatch.setattr(
        enrollment,
        "_encode",
        lambda tower, crops, encode=enrollment._encode: (
            encoded.append(len(crops)) or encode(tower, crops)
        ),
    )
    jobs = [enrollment.request(dataset, version, queue=False) for _ in range(2)]

    def run(job: Job) -> None:
        work.execute(job.pk, enrollment.step)
        connections.close_all()

    workers = [threading.Thread(target=run, args=[job]) for job in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [Job.objects.get(pk=job.pk).state for job in jobs] == ["done", "done"]
    assert len(stored(version.image_encoder)) == 80
    assert sum(encoded) == 80


@pytest.mark.django_db(transaction=True)
def test_a_run_killed_with_signal_9_and_started_again_ends_in_the_same_rows(version, dataset):
    """Real processes on the same database; equal fingerprints, no row twice, none missing."""
    for number in range(12):
        image = world.make_image(dataset, noise(200, 300, seed=number))
        Box.objects.bulk_create(
            Box(image=image, left=n, top=n, right=n + 60, bottom=n + 100, source="annotated")
            for n in range(100)
        )
    killed = _enroll_elsewhere(dataset.name)
    deadline = time.monotonic() + 60
    while not Embedding.objects.exists():
        assert killed.poll() is None, killed.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert 0 < Embedding.objects.count() < 1200

    again = _enroll_elsewhere(dataset.name)
    assert again.wait(120) == 0, again.stderr.read()
    resumed = enrollment.fingerprint(dataset, version.image_encoder)
    assert resumed[1] == Embedding.objects.count() == 1200
    Embedding.objects.all().delete()
    rows.enroll(dataset, version)
    assert enrollment.fingerprint(dataset, version.image_encoder) == resumed


def _enroll_elsewhere(dataset: str) -> subprocess.Popen:
    database = site.DATABASES["default"]
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    return subprocess.Popen(
        [sys.executable, "manage.py", "enroll", "--dataset", dataset],
        env=os.environ | {"DATABASE_URL": url},
        cwd=site.BASE_DIR,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
