"""What a score is worth, and that it keeps what it promises on people nobody has seen."""

import io
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import calibration, drawn_card, retrieval
from search.errors import TooFewToCalibrate
from search.evidence import LEAST_ACCEPTS, Blend, Curve, Scale, area, blended, measurements, scales
from search.models import Calibration
from tests import world
from tests.search import rows
from training.ml.runtime import Bundle

SHIPPED = Path(calibration.__file__).parents[1] / "training" / "shipped"


def normal(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


def test_a_curve_keeps_its_rates_on_a_million_pairs_that_it_never_saw():
    curve, seen = Curve.of(normal(300_000, 1)), normal(1_000_000, 2)
    for rate in (1 / 10, 1 / 100, 1 / 1000):
        observed = (seen > curve.threshold(rate)).mean()
        assert rate / 2 < observed < rate * 2
        assert curve.rate(curve.threshold(rate)) == pytest.approx(rate, rel=0.01)


def test_a_curve_promises_nothing_below_what_was_seen():
    curve = Curve.of(normal(10_000, 1))
    assert curve.least == pytest.approx(LEAST_ACCEPTS / 10_000)
    assert curve.rate(99) == pytest.approx(curve.least)
    assert curve.threshold(1e-9) == curve.threshold(curve.least)
    assert curve.rate(-99) == 1
    with pytest.raises(ValueError, match="too few"):
        Curve.of(normal(50, 1))


def test_a_scale_places_a_score_among_those_of_the_background():
    (scale,) = scales(
        np.array([[1.0, 0.0]]), np.stack([np.linspace(0, 1, 1001), np.zeros(1001)], 1)
    )
    assert (scale.share(0), scale.share(1)) == (0, 1)
    assert scale.share(scale.score(0.4)) == pytest.approx(0.4)
    slope, offset = Blend().line(scale)
    assert slope * 0.5 + offset == pytest.approx(0)
    assert Scale.of(np.full((1, 9), 0.5))[0].share(0.4) == 0
    (empty,) = scales(np.array([[1.0, 0.0]]), np.zeros((0, 2)))
    assert empty.share(0) == 0.5


def test_the_area_is_how_often_a_true_one_is_above_a_false_one():
    scores, true = np.array([0.1, 0.2, 0.2, 0.3]), np.array([False, True, False, True])
    # Of four pairs three are right and one is a tie.
    assert area(scores, true) == pytest.approx(3.5 / 4)


def test_a_blend_leans_on_what_tells_pairs_apart_and_never_falls():
    rng = np.random.default_rng(0)
    impostors, genuine = rng.normal(size=(4000, 3)), rng.normal(size=(300, 3))
    genuine[:, 2] += 3
    genuine[:, 0] -= 1  # a lower cosine speaks for a pair: not believed
    blend = Blend.fit(impostors, genuine)
    assert (blend.cosine, blend.place > 5 * blend.deviations) == (0, True)
    assert blended(blend, genuine).mean() > blended(blend, impostors).mean() + 1
    assert Blend.fit(impostors, genuine[:0]) == Blend()


def test_a_line_gives_for_a_cosine_what_the_blend_gives_for_its_measurements():
    rng = np.random.default_rng(0)
    queries, boxes, crowd = (rng.normal(size=(count, 8)) for count in (2, 5, 90))
    blend = Blend(cosine=2.0, deviations=0.5, place=3.0)
    rows = measurements(queries, boxes, crowd)
    for query, read, scale in zip(queries, rows, scales(queries, crowd), strict=True):
        slope, offset = blend.line(scale)
        assert blended(blend, read) == pytest.approx(slope * (boxes @ query) + offset, abs=1e-3)


@pytest.fixture
def crowd(db):
    """Seventy identities of two boxes each, described in words of their own."""
    dataset = world.make_dataset("crowd")
    version = world.make_version()
    rng = np.random.default_rng(0)
    for number in range(70):
        identity = world.make_identity(dataset)
        colour = rng.integers(0, 256, 3)
        for shade in (0, 3):
            pixels = np.clip(colour + shade + rng.integers(0, 9, (32, 16, 3)), 0, 255)
            image = world.make_image(dataset, pixels.astype(np.uint8))
            box = world.make_box(image, identity=identity)
        world.make_caption(box, f"person {number}")
    rows.make_serving(version)
    rows.enroll(dataset, version)
    return dataset, version


def calibrate(version, source) -> Job:
    job = calibration.request(version, source, queue=False)
    return work.run_here(job, calibration.step, io.StringIO())


def test_a_version_is_calibrated_on_a_dataset(crowd):
    dataset, version = crowd
    assert retrieval.by_text("red", user=None).confidence is None
    assert retrieval.by_text("red", user=None).hits[0].false_accepts is None
    assert calibrate(version, dataset.name).state == "done"
    found = {row.query_kind: row for row in Calibration.objects.all()}
    assert set(found) == {"text", "picture"}
    boxes = found["picture"].pairs
    assert 2000 < boxes < 140 * 140
    page = retrieval.by_text("red", user=None, limit=140)
    rates = [hit.false_accepts for hit in page.hits]
    assert rates == sorted(rates)
    assert page.confidence.rate(page.confidence.score(0.05)) == pytest.approx(0.05, rel=0.02)
    assert page.sure(0.5) == sum(rate <= 0.5 for rate in rates)
    assert page.expected(0.01) == pytest.approx(1.4)


def test_who_looks_alike_is_accepted_and_strangers_are_not(crowd):
    """A picture query: the other box of the same person is surer than nearly all strangers."""
    dataset, version = crowd
    calibrate(version, dataset.name)
    for box in rows.Box.objects.order_by("pk")[:20]:
        hits = retrieval.by_box(box.pk, user=None, limit=140).hits
        (same,) = [hit for hit in hits if hit.box.identity_id == box.identity_id]
        assert same.false_accepts < 0.3
        assert np.median([hit.false_accepts for hit in hits]) > 0.3


def test_the_newest_calibration_of_a_version_is_in_force(crowd):
    dataset, version = crowd
    calibrate(version, dataset.name)
    first = calibration.reading(version, "text")
    background, scores = np.ones((30, 16), np.float32), normal(5000, 3)
    calibration.store(version, rows.measured(scores, background), "again")
    assert calibration.reading(version, "text") != first
    assert calibration.reading(version, "picture") is not None
    other = world.make_version("other", seed=1)
    assert calibration.reading(other, "text") is None


def test_too_few_people_are_refused_in_words(crowd):
    _, version = crowd
    world.make_coloured_people(few := world.make_dataset("few"))
    rows.enroll(few, version)
    job = calibrate(version, "few")
    assert job.state == "failed"
    assert "few" in job.error
    for source in ("drawn:1:20", "drawn:x"):
        with pytest.raises(TooFewToCalibrate):
            calibration.request(version, source, queue=False)
    with pytest.raises(CommandError, match="nobody"):
        call_command("calibrate", "nobody")


def test_a_first_calibration_is_asked_for_once(crowd):
    _, version = crowd
    assert calibration.start_if_none(version) is not None
    assert calibration.start_if_none(version) is None


def test_the_command_tells_what_it_measured(crowd):
    dataset, version = crowd
    out = io.StringIO()
    call_command(
        "calibrate", version.name, "--dataset", dataset.name, stdout=out, stderr=io.StringIO()
    )
    assert "text queries calibrated on" in out.getvalue()
    assert "picture queries calibrated on" in out.getvalue()


def test_the_shipped_model_keeps_its_word_on_drawn_people(tmp_path):
    """As `measure_search`, on fewer people: bars, order of clauses, and false accepts."""
    numbers = drawn_card.measure(Bundle.read(SHIPPED), tmp_path, seed=90_011, crops=480, queries=80)
    for language in ("en", "zh"):
        found = numbers[language]
        assert found["auc"] >= 0.85
        # One query of eighty is 1.25 points.
        assert abs(found["one_order"] - found["another_order"]) <= 0.026
        assert found["first_hit_the_same"] >= 0.9
    for kind in ("text", "picture"):
        found = numbers["confidence"][kind]
        assert found["pairs"] > 10_000
        assert 0.005 < found["observed"]["0.01"] < 0.02
    assert "AUC" in drawn_card.card(numbers)
