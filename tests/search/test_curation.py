"""Vectors follow what people change of boxes and pictures."""

import datetime as dt

import numpy as np
import pytest
from django.db import transaction

from gallery import changes, history
from gallery.models import Box, Image
from search import vectors
from search.models import Embedding
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def encoder():
    return world.make_version().image_encoder


@pytest.fixture
def known(encoder):
    return rows.make_known(world.make_dataset("street"), encoder, rows.unit_vectors(3, 16))


def act(dataset, ids, **values):
    with changes.acting(dataset, None, "change") as acting:
        acting.update(Box, ids, **values)
    return acting.action


def enrolled():
    return set(Embedding.objects.values_list("box", flat=True))


def test_a_box_that_is_moved_loses_its_vector_and_the_others_keep_theirs(known):
    first, *others = known.box_ids.tolist()
    dataset = Image.objects.get().dataset
    action = act(dataset, [first], right=50)
    assert enrolled() == set(others)
    # Where it was has no vector either, until it is enrolled again.
    history.undo(action, None)
    assert enrolled() == set(others)


@pytest.mark.parametrize("values", [{"review": "hidden"}, {"identity_id": None}, {"score": 0.5}])
def test_whatever_else_is_said_of_a_box_keeps_its_vector(known, values):
    action = act(Image.objects.get().dataset, known.box_ids.tolist(), **values)
    if action is not None:
        history.undo(action, None)
    assert enrolled() == set(known.box_ids.tolist())


def test_a_vector_of_pixels_that_were_left_meanwhile_is_not_stored(known, encoder):
    dataset = Image.objects.get().dataset
    first, second, _ = Box.objects.order_by("pk")
    read = {box.pk: box.bounds for box in (first, second)}
    act(dataset, [first.pk], right=50)
    Embedding.objects.all().delete()
    found = [(pk, np.ones(16, dtype=np.float32)) for pk in read]
    with transaction.atomic():
        assert vectors.write(dataset, encoder, found, bounds=read) == 1
    assert enrolled() == {second.pk}


def test_camera_and_time_of_a_picture_reach_its_vectors(known):
    image = Image.objects.get()
    camera = world.make_camera(image.dataset)
    when = dt.datetime(2026, 5, 4, 9, tzinfo=dt.UTC)
    Image.objects.update(camera=camera, taken_at=when)
    assert set(Embedding.objects.values_list("camera", "taken_at")) == {(camera.pk, when)}
