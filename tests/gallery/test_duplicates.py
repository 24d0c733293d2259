"""What looks the same is grouped around the box that shows most, and found in any gallery size."""

import io
import time

import cv2
import numpy as np
import pytest

from gallery import duplicates, looks, quality
from gallery.duplicates import NEAR, around_the_best
from gallery.models import Box
from pedsite.jobs import work
from tests import world
from tests.gallery.test_quality import blurred, street_crop


def naive(codes):
    """Every pair within NEAR, by comparing all."""
    bits = np.unpackbits(codes, axis=1).astype(int)
    found = {}
    for first in range(len(bits)):
        for second in range(first + 1, len(bits)):
            apart = int((bits[first] != bits[second]).sum())
            if apart <= NEAR:
                found[first, second] = apart
    return found


def make_codes(rng, originals, copies):
    """Random codes, and for each some copies with a few bits turned; others a little too far."""
    codes = rng.integers(0, 256, (originals, looks.BITS // 8), dtype=np.uint8)
    rows = [codes]
    for _ in range(copies):
        bits = np.unpackbits(codes, axis=1)
        for row in bits:
            turned = rng.choice(looks.BITS, int(rng.integers(0, 2 * NEAR)), replace=False)
            row[turned] ^= 1
        rows.append(np.packbits(bits, axis=1))
    return np.concatenate(rows)


def test_every_near_pair_is_found_and_no_other():
    codes = make_codes(np.random.default_rng(0), 60, 2)
    digests = np.arange(len(codes))
    found = {(a, b): bits for a, b, bits in duplicates._near(codes, digests, lambda: None)}
    assert found == naive(codes)
    assert len(found) > 40


def test_the_best_is_kept_and_everybody_in_a_group_is_near_it():
    codes = make_codes(np.random.default_rng(1), 40, 3)
    worth = np.random.default_rng(2).random(len(codes))
    keepers, apart = around_the_best(codes, np.arange(len(codes)), worth)
    near = naive(codes)
    twins = np.flatnonzero(keepers >= 0)
    assert len(twins) > 20
    for place in twins:
        keeper = int(keepers[place])
        assert keepers[keeper] == -1
        assert worth[keeper] >= worth[place]
        assert near[min(place, keeper), max(place, keeper)] == apart[place]


def test_a_crowd_of_equal_codes_is_grouped_without_comparing_all(monkeypatch):
    monkeypatch.setattr(duplicates, "CROWDED", 50)
    codes = np.zeros((600, looks.BITS // 8), np.uint8)
    pairs = sum(1 for _ in duplicates._near(codes, np.arange(600), lambda: None))
    assert pairs <= 600 * duplicates.NEIGHBOURS


def test_many_thousands_take_seconds():
    codes = np.random.default_rng(3).integers(0, 256, (20_000, looks.BITS // 8), dtype=np.uint8)
    began = time.process_time()
    keepers, _ = around_the_best(codes, np.arange(len(codes)), np.ones(len(codes)))
    assert time.process_time() - began < 8
    assert (keepers >= 0).sum() < 5


def test_no_crops_at_all_are_no_groups():
    keepers, apart = around_the_best(
        np.zeros((0, 16), np.uint8), np.zeros(0, np.int64), np.zeros(0)
    )
    assert (len(keepers), len(apart)) == (0, 0)


def measured(dataset):
    job = quality.request(dataset, queue=False)
    return work.run_here(job, quality.step, io.StringIO())


@pytest.mark.django_db
def test_equal_and_similar_boxes_come_in_groups_with_one_to_keep():
    street = world.make_dataset("street")
    crop = street_crop(1)
    frame = np.zeros((300, 300, 3), np.uint8)
    frame[10:266, 10:138] = crop
    clear = world.make_box(world.make_image(street, crop))
    soft = world.make_box(world.make_image(street, blurred(crop, 2)))
    half = world.make_box(world.make_image(street, cv2.resize(crop, (64, 128))))
    same = world.make_box(world.make_image(street, frame), (10, 10, 138, 266))
    other = world.make_box(world.make_image(street, street_crop(9)))
    job = measured(street)
    assert (job.result["twins"], job.result["kept"]) == (3, 1)
    (group,) = [duplicates.told(box) for box in duplicates.groups(street)]
    assert group.keep == clear
    assert {row.box_id for row in group.twins} == {soft.pk, half.pk, same.pk}
    assert group.twins[0].twin_bits == 0
    assert not group.is_exact
    (exact,) = [duplicates.told(box) for box in duplicates.groups(street, "exact")]
    assert ([row.box_id for row in exact.twins], exact.is_exact) == ([same.pk], True)
    (near,) = [duplicates.told(box) for box in duplicates.groups(street, "near")]
    assert {row.box_id for row in near.twins} == {soft.pk, half.pk}
    assert other.pk not in {row.box_id for row in group.twins}

    Box.objects.filter(pk__in=[soft.pk, same.pk, half.pk]).update(review="hidden")
    assert not duplicates.groups(street).exists()
    measured(street)
    assert not duplicates.groups(street).exists()


@pytest.mark.django_db
def test_a_box_that_was_kept_and_went_leaves_no_group_behind():
    street = world.make_dataset("street")
    crop = street_crop(1)
    clear = world.make_box(world.make_image(street, crop))
    world.make_box(world.make_image(street, blurred(crop, 2)))
    measured(street)
    assert duplicates.groups(street).exists()
    clear.delete()
    assert not duplicates.groups(street).exists()
    measured(street)
    assert not duplicates.groups(street).exists()
