"""Where axes, ticks and lines of charts lie, and how numbers are said."""

import json

import pytest

from training import charts
from training.charts import Axis, Chart, Line
from training.templatetags import training as training_tags


def chart(*lines: Line, x: Axis | None = None, y: Axis | None = None) -> Chart:
    return Chart(
        key="one",
        title="A chart",
        x=x or Axis(label="x", low=0, high=10),
        y=y or Axis(label="y", low=0, high=1),
        lines=lines,
    )


def test_a_logarithmic_axis_gives_every_decade_the_same_room():
    axis = Axis(label="FAR", low=1e-6, high=1, log=True)
    assert [axis.share(10.0**place) for place in (-6, -3, 0)] == pytest.approx([0, 0.5, 1])
    assert axis.marks() == pytest.approx([10.0**place for place in range(-6, 1)])


def test_what_lies_beyond_an_axis_is_drawn_at_its_end():
    axis = Axis(label="FAR", low=1e-3, high=1, log=True)
    assert (axis.share(0), axis.share(1e-9), axis.share(5)) == (0, 0, 1)


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 6000, [0, 2000, 4000, 6000]),
        (-0.21, 0.33, [-0.2, 0, 0.2]),
        (3.1, 3.2, [3.1, 3.12, 3.14, 3.16, 3.18, 3.2]),
    ],
)
def test_ticks_of_a_linear_axis_are_round_numbers(low, high, marks):
    assert Axis(label="x", low=low, high=high).marks() == pytest.approx(marks)


def test_a_short_logarithmic_axis_still_has_ticks():
    assert Axis(label="rate", low=0.02, high=0.3, log=True).marks() == pytest.approx(
        [0.02, 0.05, 0.1, 0.2]
    )


@pytest.mark.parametrize("ends", [(1, 1), (2, 1)])
def test_an_axis_that_runs_nowhere_is_refused(ends):
    with pytest.raises(ValueError, match="no axis"):
        Axis(label="x", low=ends[0], high=ends[1])


def test_a_logarithmic_axis_cannot_begin_at_zero():
    with pytest.raises(ValueError, match="no axis"):
        Axis(label="x", low=0, high=1, log=True)


def test_a_line_is_drawn_where_its_values_lie_and_carries_them_in_words():
    shown = chart(Line(name="loss", points=[(0, 0), (10, 1)]))
    (line,) = shown.drawn
    assert line.path == f"M{shown.left} {shown.bottom}L{shown.right} {shown.top}"
    assert json.loads(line.readings) == [
        [shown.left, shown.bottom, "0", "0"],
        [shown.right, shown.top, "10", "1"],
    ]


def test_steps_hold_until_the_next_point_and_close_on_the_ground():
    shown = chart(Line(name="scores", points=[(0, 1), (5, 0)], steps=True))
    (line,) = shown.drawn
    half = (shown.left + shown.right) / 2
    assert line.path == f"M{shown.left} {shown.top}L{half:g} {shown.top}L{half:g} {shown.bottom}"
    assert line.area.endswith(f"L{shown.left} {shown.bottom}Z")


def test_a_line_without_points_is_empty():
    (line,) = chart(Line(name="loss", points=[])).drawn
    assert (line.path, line.readings) == ("", "[]")


def test_a_line_of_one_point_is_a_dot():
    (line,) = chart(Line(name="loss", points=[(5, 1)])).drawn
    start, end = line.path.removeprefix("M").split("L")
    assert start == end


def test_more_lines_than_colours_are_dashed():
    drawn = chart(*(Line(name=str(n), points=[(0, 0)]) for n in range(10))).drawn
    assert [(line.colour, line.dashed) for line in drawn[7:]] == [(8, False), (1, True), (2, True)]


def test_thinning_keeps_the_ends():
    points = [(float(n), float(n)) for n in range(10_000)]
    kept = charts.thin(points)
    assert len(kept) == charts.MOST_POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert kept == sorted(kept)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.5, "50%"), (0.0012, "0.12%"), (3.7e-7, "0.000037%"), (0, "0%"), (1, "100%")],
)
def test_a_share_is_said_in_percent(value, said):
    assert charts.percent(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.3, "0.3"), (1234.5, "1,234"), (0.00125, "1.25e-3"), (-0.002, "-2e-3"), (0, "0")],
)
def test_a_plain_number_is_short(value, said):
    assert charts.plain(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(1e-3, "10⁻³"), (1, "1"), (100, "10²"), (0.5, "0.5"), (0, "0")]
)
def test_a_power_of_ten_is_printed_as_one(value, said):
    assert charts.power(value) == said


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-1.0, 1.0], [0.1, 4.0]])
def test_the_room_around_values_holds_them_all(values):
    low, high = charts.around(values)
    assert low < high
    assert low <= min(values) <= max(values) < high


def test_an_interval_has_no_negative_zero():
    assert training_tags.spread((-0.0001, 0.1234)) == "0.0 – 12.3"
    assert training_tags.change(-0.00001) == "0.0%"
    assert training_tags.change(-0.25) == "-25.0%"
