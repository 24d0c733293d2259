"""An evaluation as people read it."""

import csv
import io
import itertools

import pytest

from gallery.models import Box
from tests.training.measured import make_split, measure
from tests.world import make_user, make_version
from training import reports
from training.models import Evaluation

pytestmark = pytest.mark.django_db


@pytest.fixture
def measured(db):
    return measure(make_split())


def test_levels_come_in_the_order_of_the_old_table(measured):
    names = [level.name for level in reports.levels(measured)]
    assert names == ["eer", "1e-03", "1e-04", "1e-05", "1e-06", "0"]
    assert all(level.threshold is not None for level in reports.levels(measured))


def test_every_number_of_the_command_has_a_row_in_the_csv(measured):
    rows = {(row[0], row[1]): row for row in csv.reader(io.StringIO(reports.numbers_csv(measured)))}
    for way in ("t2i", "i2t"):
        for name, found in measured.metrics[way].items():
            row = rows[way, name]
            assert float(row[2]) == found["value"]
            assert [float(row[3]), float(row[4])] == found["interval"]
    checked = measured.metrics["verification"]
    assert float(rows["verification", "eer"][5]) == checked["eer"]["threshold"]
    for name, found in checked["frr_at_far"].items():
        assert float(rows["verification", f"frr_at_far_{name}"][2]) == found["value"]
    assert rows["pairs", "impostor"][2] == str(checked["pairs"]["impostor"])


def test_a_camera_that_looks_like_a_formula_stays_a_text_in_the_csv():
    assert reports._inert("=1+1") == "'=1+1"
    assert reports._inert(-0.5) == -0.5


def test_numbers_that_have_no_place_yet_are_shown_all_the_same():
    evaluation = Evaluation(
        metrics={
            "boxes": 3,
            "later": {"gain": 0.25, "interval": [0.1, 0.3]},
            "t2i": {"r1": {"value": 1.0}},
        }
    )
    assert reports.others(evaluation) == [
        ("later gain", 0.25),
        ("later interval", "0.1000 – 0.3000"),
    ]


def test_each_level_of_the_table_is_a_point_of_the_curve(measured):
    curves = reports.Curves(measured)
    operating = curves.operating()
    thresholds = [point[0] for point in curves.points]
    assert thresholds == sorted(thresholds)
    for level in reports.levels(measured):
        chosen = operating[curves.nearest(level.threshold)]
        assert chosen.threshold == f"{level.threshold:.4f}"


def test_a_higher_threshold_accepts_less_and_rejects_more(measured):
    points = reports.Curves(measured).points
    for (_t, far, frr), (_u, next_far, next_frr) in itertools.pairwise(points):
        assert next_far <= far + 1e-9
        assert next_frr >= frr - 1e-9


def test_the_histogram_holds_every_pair_once(measured):
    chart = reports.Curves(measured).scores
    for line in chart.lines:
        assert sum(share for _score, share in line.points) == pytest.approx(1)


def test_worst_pairs_show_only_boxes_that_the_reader_may_see(measured):
    admin, stranger = make_user(role="admin"), make_user()
    accepts = reports.worst(measured, "false_accepts", admin)
    assert len(accepts) == 15
    assert all(pair.picture and pair.of and pair.text for pair in accepts)
    hidden = accepts[0].picture
    Box.objects.filter(pk=hidden.pk).update(review="hidden")
    again = reports.worst(measured, "false_accepts", admin)
    assert again[0].picture is None
    assert again[0].text == accepts[0].text
    for pair in reports.worst(measured, "false_accepts", stranger):
        assert (pair.picture, pair.of) == (None, None)


def test_an_image_only_version_has_one_direction():
    found = measure(make_split(), version=make_version("eyes", image_only=True))
    assert [way.name for way in reports.directions(found)] == ["i2i"]
    columns, rows = reports.slices(found)
    assert len(columns) == 2
    assert rows
    assert ("map_at_20 found", 1.0) in reports.others(found)


def test_the_drop_of_reordered_captions_has_a_table_of_its_own():
    found = {"before": 0.5, "after": 0.4, "drop": 0.1, "interval": [0.05, 0.15]}
    evaluation = Evaluation(metrics={"order": {"captions": 7, "r1": found}})
    (row,) = reports.reordered(evaluation)
    assert (row.label, row.before, row.after, row.drop) == ("R@1", 0.5, 0.4, 0.1)
    assert reports.others(evaluation) == []
    assert "order_drop,R@1,0.1,0.05,0.15," in reports.numbers_csv(evaluation)
    assert reports.reordered(Evaluation(metrics={})) == []
