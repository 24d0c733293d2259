"""Boxes are measured by a job that may be cut anywhere; nothing is hidden by it."""

import io

import cv2
import numpy as np
import pytest

from gallery import looks, quality
from gallery.errors import MayNotCurate
from gallery.models import Box, Quality
from gallery.quality import Thresholds
from pedsite.jobs import work
from tests import world

pytestmark = pytest.mark.django_db


def street_crop(seed=0, height=256, width=128):
    """Shapes with edges, as clothes have."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height // 16, width // 16, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)


def blurred(crop, sigma):
    return cv2.GaussianBlur(crop, (0, 0), sigma)


def measure(dataset):
    job = work.run_here(quality.request(dataset, queue=False), quality.step, io.StringIO())
    assert job.state == "done", job.error
    return job


@pytest.fixture
def street():
    return world.make_dataset("street")


def test_sharpness_falls_with_blur_and_not_with_size_or_light():
    crop = street_crop()
    sharp = looks.sharpness(crop)
    values = [looks.sharpness(blurred(crop, sigma)) for sigma in (1, 3, 6, 12)]
    assert sorted([sharp, *values], reverse=True) == [sharp, *values]
    assert values[-1] < Thresholds().sharpness < sharp
    dim = (crop * 0.4 + 20).astype(np.uint8)
    assert looks.sharpness(dim) == pytest.approx(sharp, rel=0.1)
    large = cv2.resize(crop, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    assert looks.sharpness(large) == pytest.approx(sharp, rel=0.25)


@pytest.mark.parametrize("shape", [(1, 1), (2, 200), (40, 20)])
def test_crops_of_one_colour_or_a_pixel_are_measured_as_well(shape):
    plain = np.full((*shape, 3), 90, np.uint8)
    assert looks.sharpness(plain) == 0.0
    assert len(looks.differences(plain)) * 8 == looks.BITS


def test_who_stands_in_front_covers_and_who_stands_behind_does_not():
    box = (100, 100, 200, 300)
    assert looks.covered(box, [(100, 250, 200, 400)]) == pytest.approx(0.25, abs=0.01)
    assert looks.covered(box, [(100, 50, 200, 250)]) == 0
    front = [(100, 250, 150, 400), (100, 200, 150, 350)]
    assert looks.covered(box, front) == pytest.approx(0.25, abs=0.01)
    assert looks.covered(box, [(300, 0, 400, 400)]) == 0


def test_a_box_is_cut_where_it_ends_with_its_picture():
    assert looks.cut((0, 10, 50, 100), 640, 480) == "l"
    assert looks.cut((600, 400, 640, 480), 640, 480) == "rb"
    assert looks.cut((10, 10, 50, 100), 640, 480) == ""
    assert looks.cut((0, 0, 640, 480), 640, 480) == ""


def test_each_box_is_measured_as_it_stands(street):
    whole = np.zeros((300, 400, 3), np.uint8)
    whole[:256, :128] = street_crop()
    image = world.make_image(street, whole)
    first = world.make_box(image, (0, 0, 128, 256))
    front = world.make_box(image, (64, 128, 192, 299))
    small = world.make_box(image, (300, 20, 310, 50))
    job = measure(street)
    assert (job.done, job.result["boxes"]) == (1, 3)
    row = Quality.objects.get(box=first)
    assert (row.shorter, row.longer, row.cut, row.crowd) == (128, 256, "lt", 2)
    assert row.covered == pytest.approx(0.25, abs=0.01)
    assert row.sharpness > 0.05
    limits = Thresholds(covered=0.2)
    assert quality.why(row, limits) == ["hidden_by_others", "cut_off"]
    assert {r.box_id for r in quality.flagged(street, limits, "small")} == {small.pk}
    assert quality.counts(street, limits) == {
        "": 3, "small": 1, "blurred": 1, "hidden_by_others": 1, "cut_off": 2,
    }  # fmt: skip
    assert quality.why(Quality.objects.get(box=front), limits) == ["cut_off"]
    assert Box.objects.exclude(review="unreviewed").count() == 0


def test_only_what_changed_is_measured_again(street):
    image, other = (world.make_image(street, street_crop(n)) for n in (1, 2))
    box = world.make_box(image, (10, 10, 60, 90))
    world.make_box(other, (10, 10, 60, 90))
    measure(street)
    assert (quality.waiting(street), measure(street).total) == (0, 0)
    Box.objects.filter(pk=box.pk).update(left=20)
    assert quality.waiting(street) == 1
    assert measure(street).total == 1
    assert Quality.objects.get(box=box).bounds == [20, 10, 60, 90]
    # Somebody new in a picture may cover those who are there.
    world.make_box(other, (30, 30, 90, 140))
    assert quality.waiting(street) == 2
    measure(street)
    assert quality.waiting(street) == 0


def test_a_job_goes_on_where_it_was_cut_and_past_a_bad_picture(street, monkeypatch):
    monkeypatch.setattr(quality, "CHUNK_IMAGES", 1)
    images = [world.make_image(street, street_crop(n)) for n in range(4)]
    for image in images:
        world.make_box(image, (10, 10, 60, 90))
    images[1].file.storage.delete(images[1].file.name)
    job = quality.request(street, queue=False)
    work.run_here(job, lambda at: quality.step(at) and False, io.StringIO())
    assert Quality.objects.count() == 1
    job = measure(street)
    assert (Quality.objects.count(), job.failed, job.done) == (3, 1, 2)
    assert "missing" in job.failures.get().reason


def test_a_job_is_not_asked_for_twice_and_by_curators_alone(street):
    curator, viewer = (world.make_user(role=role) for role in ("curator", "viewer"))
    for user in (curator, viewer):
        world.make_grant(street, user)
    job = quality.request(street, curator)
    assert quality.request(street, curator) == job
    with pytest.raises(MayNotCurate):
        quality.request(street, viewer)


def test_hidden_boxes_are_neither_measured_nor_flagged(street):
    box = world.make_box(world.make_image(street, street_crop()), (10, 10, 20, 20))
    measure(street)
    assert quality.counts(street, Thresholds())["small"] == 1
    Box.objects.filter(pk=box.pk).update(review="hidden")
    assert quality.counts(street, Thresholds())["small"] == 0
    assert quality.waiting(street) == 0
