"""The one way in which vectors are written."""

import datetime as dt

import numpy as np
import pytest
from django.db import DataError, connection, transaction

from search import vectors
from search.models import Embedding
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db

DIM = 16


@pytest.fixture
def encoder():
    return world.make_version(dim=DIM).image_encoder


@pytest.fixture
def dataset():
    return world.make_dataset()


def test_what_is_written_is_read_back_at_half_precision(encoder, dataset):
    image = rows.make_image_row(dataset)
    boxes = rows.make_boxes(image, 300)
    wanted = rows.unit_vectors(300, DIM)
    assert (
        vectors.write(dataset, encoder, [(b.pk, v) for b, v in zip(boxes, wanted, strict=True)])
        == 300
    )
    stored = Embedding.objects.order_by("box_id")
    assert [row.box_id for row in stored] == [box.pk for box in boxes]
    np.testing.assert_array_equal(
        np.array([row.vector for row in stored], dtype=np.float16), wanted.astype(np.float16)
    )


def test_a_row_repeats_what_its_image_says(encoder, dataset):
    taken = dt.datetime(2026, 3, 1, 8, 30, tzinfo=dt.UTC)
    camera = world.make_camera(dataset)
    [box] = rows.make_boxes(rows.make_image_row(dataset, camera, taken_at=taken), 1)
    vectors.write(dataset, encoder, [(box.pk, rows.unit_vectors(1, DIM)[0])])
    row = Embedding.objects.get()
    assert (row.dataset, row.camera, row.taken_at) == (dataset, camera, taken)


def test_the_planner_knows_how_few_rows_come_in(encoder, dataset):
    """Of a table that nobody counted it expects thousands, and reads all boxes there are."""
    boxes = rows.make_boxes(rows.make_image_row(dataset), 40)
    some = list(zip((box.pk for box in boxes), rows.unit_vectors(40, DIM), strict=True))
    vectors.write(dataset, encoder, some)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = 'search_incoming'::regclass")
        assert cursor.fetchone() == (40,)


def test_a_box_keeps_the_vector_that_it_has(encoder, dataset):
    boxes = rows.make_boxes(rows.make_image_row(dataset), 3)
    first, second = rows.unit_vectors(2, DIM)
    assert vectors.write(dataset, encoder, [(boxes[0].pk, first)]) == 1
    assert vectors.write(dataset, encoder, [(box.pk, second) for box in boxes]) == 2
    kept = Embedding.objects.get(box=boxes[0]).vector
    np.testing.assert_array_equal(np.float16(kept), first.astype(np.float16))


def test_boxes_that_are_gone_or_elsewhere_are_left_out(encoder, dataset):
    [mine] = rows.make_boxes(rows.make_image_row(dataset), 1)
    [other] = rows.make_boxes(rows.make_image_row(world.make_dataset()), 1)
    vector = rows.unit_vectors(1, DIM)[0]
    pairs = [(mine.pk, vector), (other.pk, vector), (10**12, vector)]
    assert vectors.write(dataset, encoder, pairs) == 1
    assert Embedding.objects.get().box == mine


@pytest.mark.parametrize(
    ("vector", "error"),
    [
        (np.full(DIM, np.nan, dtype=np.float32), DataError),
        (np.full(DIM, np.inf, dtype=np.float32), DataError),
        (np.ones(DIM - 1, dtype=np.float32), ValueError),
        (np.ones((1, DIM), dtype=np.float32), ValueError),
    ],
)
def test_an_unusable_vector_is_refused_and_nothing_of_its_chunk_stays(
    encoder, dataset, vector, error
):
    good, bad = rows.make_boxes(rows.make_image_row(dataset), 2)
    pairs = [(good.pk, rows.unit_vectors(1, DIM)[0]), (bad.pk, vector)]
    with pytest.raises(error), transaction.atomic():
        vectors.write(dataset, encoder, pairs)
    assert not Embedding.objects.exists()


def test_encoders_of_any_width_share_the_table(dataset):
    boxes = rows.make_boxes(rows.make_image_row(dataset), 4)
    for number, dim in enumerate((8, 512, 2048)):
        encoder = world.make_version(f"v{dim}", dim=dim, seed=number).image_encoder
        wanted = rows.unit_vectors(4, dim)
        assert (
            vectors.write(dataset, encoder, [(b.pk, v) for b, v in zip(boxes, wanted, strict=True)])
            == 4
        )
    assert Embedding.objects.count() == 12


def test_nothing_to_write_is_nothing_written(encoder, dataset):
    assert vectors.write(dataset, encoder, []) == 0
