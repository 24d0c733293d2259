"""What confidence is worth among people without names: pairs that are impostors for certain."""

import io

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from search import background, calibration, strangers
from search.evidence import Scale
from search.models import Embedding
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    """Calibrated for pictures and texts on impostors of whom 1 in 100 lies 1.2 deviations above."""
    version = world.make_version(dim=16)
    scores = np.random.default_rng(0).normal(size=50_000) * 1.2 / 2.326
    crowd = rows.unit_vectors(400, 16, seed=5)
    measured = rows.measured(scores, crowd)
    measured.impostors["picture"] = measured.impostors["text"]
    calibration.store(version, measured, "another camera")
    calibration._known.clear()
    return version


@pytest.fixture
def street(version):
    """Two pictures of three people each, the last of whom is marked twice in the second."""
    dataset = world.make_dataset("street")
    # Of two kinds, so that some pass for others.
    vectors = rows.unit_vectors(7, 16, seed=3, clusters=2)
    for start in (0, 3):
        image = rows.make_image_row(dataset)
        rows.make_known(dataset, version.image_encoder, vectors[start : start + 3], image)
    last = image.boxes.order_by("pk").last()
    twice = world.make_box(image, (last.left, last.top, last.right, last.bottom + 1))
    Embedding.objects.create(
        encoder=version.image_encoder, box=twice, vector=vectors[5].tolist(), dataset=dataset
    )
    return dataset


def test_two_people_of_one_picture_are_counted_as_the_naive_loop_counts(version, street):
    (pictures, texts) = strangers.measure(version, street, queries=10)
    assert (pictures.kind, texts.kind) == ("picture", "text")
    # Six ordered pairs of the first picture; of the second, twelve without those of one person.
    assert pictures.pairs == 6 + 10
    assert texts.pairs == 10 * 7
    curve = calibration.reading(version, "picture")[1]
    crowd = background.of(version.image_encoder)
    passed = 0
    stored = list(Embedding.objects.select_related("box").order_by("box_id"))
    for one in stored:
        read = np.float32(one.vector)
        (scale,) = Scale.of(read[None] @ crowd.T)
        for other in stored:
            apart = one.box.left != other.box.left
            if one.box.image_id == other.box.image_id and apart:
                above = (float(read @ np.float32(other.vector)) - scale.mean) / scale.spread
                passed += above > curve.threshold(0.01)
    assert 0 < passed < 16
    assert pictures.accepted[0.01] == passed
    assert pictures.ratio(0.01) == pytest.approx(passed / 16 / 0.01)


def test_the_command_says_what_was_promised_and_what_was_seen(version, street):
    out = io.StringIO()
    call_command("measure_search", version.name, dataset="street", queries=10, stdout=out)
    told = out.getvalue()
    assert "picture: 16 pairs of boxes of one picture" in told
    assert "text: 70 pairs of a box and a description" in told
    assert "1 in 100 was promised (on another camera), 1 in" in told


def test_where_nobody_stands_beside_another_pictures_tell_nothing(version):
    alone = world.make_dataset("alone")
    rows.make_known(alone, version.image_encoder, rows.unit_vectors(1, 16))
    (pictures, _texts) = found = strangers.measure(version, alone, queries=2)
    assert pictures.pairs == 0
    assert "nothing to measure on" in strangers.card(found)


def test_without_a_promise_or_a_vector_there_is_nothing_to_hold_to_account(version, street):
    world.make_dataset("empty")
    with pytest.raises(CommandError, match="has not enrolled"):
        call_command("measure_search", version.name, dataset="empty")
    other = world.make_version("other", seed=1, dim=16)
    rows.make_known(street, other.image_encoder, rows.unit_vectors(2, 16))
    with pytest.raises(CommandError, match="never calibrated"):
        call_command("measure_search", "other", dataset="street")
