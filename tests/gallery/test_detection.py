import io

import numpy as np
import pytest

from gallery import detection
from gallery.detectors.found import Found, overlaps, settle
from gallery.errors import BadDetector, UnknownDataset
from gallery.formats import drawn
from gallery.models import Box, Image
from gallery.pictures import open_upright
from pedsite.jobs import work
from tests import world
from tests.gallery import files, red_detector

RED, BLUE, GREY = (255, 0, 0), (0, 0, 255), (114, 114, 114)


@pytest.fixture(autouse=True)
def forgotten():
    detection.detector.cache_clear()


def street(*things, size=(256, 128)):
    """A grey picture with coloured rectangles (left, top, right, bottom)."""
    picture = np.full((size[1], size[0], 3), GREY, dtype=np.uint8)
    for (left, top, right, bottom), colour in things:
        picture[top:bottom, left:right] = colour
    return picture


def detect_in(dataset, **options):
    job = detection.request(dataset.name, queue=False, **options)
    return work.run_here(job, detection.step, io.StringIO())


@pytest.mark.parametrize("layout", ["raw", "decoded", "rows6", "rows7"])
@pytest.mark.parametrize("size", [(256, 128), (64, 256), (64, 64), (96, 72)])
def test_each_onnx_layout_finds_red_where_it_is_and_nothing_blue(tmp_path, layout, size):
    finder = detection.detector(str(red_detector.write(tmp_path / "red.onnx", layout)))
    # The detector sees the picture shrunk to 64: there the red is two cells of 8 x 8.
    unit = max(size) / 8
    red = tuple(round(unit * edge) for edge in (1, 1, 2, 3))
    blue = tuple(round(unit * edge) for edge in (3, 1, 4, 3))
    found = finder.detect(street((red, RED), (blue, BLUE), size=size))
    assert found, "the red is found"
    assert found[0].score > 0.9
    for one in found:
        left, top, right, bottom = one[:4]
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]
        assert abs((left + right) / 2 - (red[0] + red[2]) / 2) <= 1.5 * unit / 2
    assert finder.detect(street((blue, BLUE), size=size)) == []


def test_a_threshold_is_kept(tmp_path):
    path = str(red_detector.write(tmp_path / "red.onnx"))
    pale = street(((32, 32, 64, 96), (200, 70, 70)))
    assert detection.detector(path, 0.9).detect(pale) == []
    assert detection.detector(path, 0.2).detect(pale) != []


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "There is no detector"),
        (lambda path: path.write_bytes(b"no model"), "does not load as ONNX"),
        (lambda path: red_detector.write(path, "odd"), "no known detector's output"),
        (lambda path: path.mkdir(), "holds no object detector"),
    ],
)
def test_a_file_that_is_no_detector_is_refused_by_name(tmp_path, make, reason):
    path = tmp_path / "thing.onnx"
    make(path)
    with pytest.raises(BadDetector, match=reason) as refusal:
        detection.detector(str(path))
    assert "thing.onnx" in str(refusal.value)


def test_the_built_in_detector_finds_people_of_a_drawn_street():
    record = next(entry for entry in drawn.read("2:6") if len(entry.boxes) >= 4)
    boxes = np.array([box.bounds for box in record.boxes], dtype=float)
    found = detection.detector("hog").detect(np.asarray(open_upright(record.content)))
    right = [one for one in found if overlaps(one[:4], boxes).max() > 0.4]
    assert len(right) >= 2
    assert len(right) >= len(found) - 1
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@pytest.mark.parametrize("size", [(1, 1), (20, 300), (300, 20), (64, 128)])
def test_the_built_in_detector_takes_pictures_of_any_size(size):
    assert detection.detector("hog").detect(street(size=size)) == []


def test_overlapping_finds_are_thinned_out_and_clipped():
    boxes = np.array([[-5, -5, 40, 90], [0, 0, 42, 90], [60, 10, 90, 300], [50, 50, 53, 53]])
    found = settle(boxes.astype(float), np.array([0.6, 0.9, 0.5, 0.8]), (100, 100), 0.45)
    assert found == [Found(0, 0, 42, 90, 0.9), Found(60, 10, 90, 100, 0.5)]


def test_people_found_become_detected_boxes_with_scores_and_a_second_run_doubles_nobody(
    db, tmp_path
):
    spec = str(red_detector.write(tmp_path / "red.onnx"))
    dataset = world.make_dataset()
    image = world.make_image(dataset, street(((32, 32, 64, 96), RED)))
    world.make_image(dataset, street(((32, 32, 64, 96), BLUE)))
    job = detect_in(dataset, spec=spec)
    assert (job.state, job.total, job.done) == ("done", 2, 2)
    boxes = list(Box.objects.all())
    assert job.result["boxes"] == len(boxes) > 0
    for box in boxes:
        assert (box.image, box.source, box.identity) == (image, Box.Source.DETECTED, None)
        assert 0.4 <= box.score <= 1
    again = detect_in(dataset, spec=spec)
    assert again.result["boxes"] == 0
    assert Box.objects.count() == len(boxes)


def test_a_find_inside_an_annotated_box_is_the_person_who_is_there_already(db, tmp_path):
    spec = str(red_detector.write(tmp_path / "red.onnx"))
    dataset = world.make_dataset()
    image = world.make_image(dataset, street(((32, 32, 64, 96), RED)))
    first = detection.detector(spec).detect(street(((32, 32, 64, 96), RED)))
    for one in first:
        bounds = one.left, one.top, one.right, one.bottom - 2
        world.make_box(image, bounds, source=Box.Source.ANNOTATED)
    assert detect_in(dataset, spec=spec).result["boxes"] == 0
    assert set(Box.objects.values_list("source", flat=True)) == {"annotated"}


def test_one_missing_file_is_named_and_the_rest_is_searched(db, tmp_path):
    spec = str(red_detector.write(tmp_path / "red.onnx"))
    dataset = world.make_dataset()
    lost, kept = (
        world.make_image(dataset, street(((32, 32, 64, 96), RED), size=(256, height)))
        for height in (128, 120)
    )
    lost.file.storage.delete(lost.file.name)
    job = detect_in(dataset, spec=spec)
    assert (job.state, job.done, job.failed) == ("done", 1, 1)
    failure = job.failures.get()
    assert failure.item == f"image {lost.pk}: {lost.name}"
    assert "missing" in failure.reason
    assert set(Box.objects.values_list("image", flat=True)) == {kept.pk}
    again = work.retry_failed(job)
    assert work.execute(again.pk, detection.step).total == 1


def test_detection_that_dies_is_taken_up_where_it_was(db, tmp_path, monkeypatch):
    spec = str(red_detector.write(tmp_path / "red.onnx"))
    dataset = world.make_dataset()
    for height in range(100, 106):
        world.make_image(dataset, street(((32, 32, 64, 96), RED), size=(256, height)))
    monkeypatch.setattr(detection, "CHUNK_IMAGES", 2)
    job = detection.request(dataset.name, spec, queue=False)
    stored = []

    class Killed(BaseException):
        pass

    def store(found, original=detection._store):
        stored.append(1)
        count = original(found)
        if len(stored) == 2:
            raise Killed
        return count

    monkeypatch.setattr(detection, "_store", store)
    with pytest.raises(Killed):
        work.execute(job.pk, detection.step)
    assert Box.objects.values("image").distinct().count() == 2
    type(job).objects.filter(pk=job.pk).update(lease_until="2001-01-01T00:00Z")
    job = work.execute(job.pk, detection.step)
    assert (job.state, job.done, job.result["boxes"]) == ("done", 6, Box.objects.count())
    assert Box.objects.values("image").distinct().count() == 6


def test_an_unknown_dataset_and_a_wild_threshold_are_refused(db):
    with pytest.raises(UnknownDataset, match="no dataset “nowhere”"):
        detection.request("nowhere")
    dataset = world.make_dataset()
    with pytest.raises(BadDetector, match="between 0 and 1"):
        detection.request(dataset.name, "hog", 7.0)


def test_pictures_of_a_video_are_searched_in_their_own_pixels(db, do_import, tmp_path):
    spec = str(red_detector.write(tmp_path / "red.onnx"))
    do_import("video", files.video(tmp_path / "a.avi"), "clip")
    job = detection.request("clip", spec, queue=False)
    job = work.run_here(job, detection.step, io.StringIO())
    assert job.done == Image.objects.count()


def test_a_transformers_folder_detects_with_its_class_person(tmp_path):
    transformers = pytest.importorskip("transformers")
    import torch

    torch.manual_seed(0)
    config = transformers.YolosConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=[32, 32],
        patch_size=16,
        num_detection_tokens=6,
        id2label={0: "cat", 1: "person"},
        label2id={"cat": 0, "person": 1},
    )
    model = transformers.YolosForObjectDetection(config)
    with torch.no_grad():  # every token sees a person in the middle of the picture
        model.class_labels_classifier.layers[-1].bias[:] = torch.tensor([-9.0, 9.0, -9.0])
        model.class_labels_classifier.layers[-1].weight.zero_()
        model.bbox_predictor.layers[-1].weight.zero_()
        model.bbox_predictor.layers[-1].bias.zero_()
    model.save_pretrained(tmp_path / "yolos")
    size = {"height": 32, "width": 32}
    processor = transformers.YolosImageProcessorPil(size=size, do_pad=False)
    processor.save_pretrained(tmp_path / "yolos")
    found = detection.detector(str(tmp_path / "yolos")).detect(street(size=(200, 100)))
    assert [one[:4] for one in found] == [(50, 25, 150, 75)]
    assert found[0].score > 0.9

    config.id2label = {0: "cat", 1: "dog"}
    transformers.YolosForObjectDetection(config).save_pretrained(tmp_path / "animals")
    processor.save_pretrained(tmp_path / "animals")
    with pytest.raises(BadDetector, match="detects no persons, only cat, dog"):
        detection.detector(str(tmp_path / "animals"))
