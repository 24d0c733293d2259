"""Charts as plain numbers that a template writes as SVG.

The server draws them, so that curves are there without scripts, and the content policy, which
forbids inline styles and code, needs no exception. What a pointer reads off a line travels with
the line (`Line.readings`).
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

WIDTH, HEIGHT = 400, 270
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 12, 44
# More points than pixels would only make the page heavy.
MOST_POINTS = 240
# As many colours as app.css can tell apart on either ground; after them dashes begin.
COLOURS = 8

Point = tuple[float, float]
Format = Callable[[float], str]


def plain(value: float) -> str:
    """Four significant digits, without a tail of zeros: 0.3, 1,200, 1.25e-3."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 0.01:
        digits, exponent = f"{value:.3e}".split("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:.4g}"


def percent(value: float) -> str:
    """A share from 0 to 1: 0.5 -> 50%, 0.0012 -> 0.12%, 0.00000037 -> 0.000037%."""
    if value == 0:
        return "0%"
    if value >= 0.01:
        return f"{value * 100:.3g}%" if value < 0.9995 else "100%"
    return f"{float(f'{value * 100:.2g}'):.12f}".rstrip("0").rstrip(".") + "%"


def power(value: float) -> str:
    """A power of ten as it is printed, 0.001 -> 10⁻³; any other number as it is."""
    exponent = round(math.log10(value)) if value > 0 else 0
    if value <= 0 or not math.isclose(value, 10.0**exponent):
        return plain(value)
    return "1" if exponent == 0 else "10" + str(exponent).translate(_SUPERSCRIPT)


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A line across the sheet at `at` (user units of the SVG) and what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One side of a chart, from `low` to `high`; values beyond are drawn at its ends.

    `format` writes its ticks; `say`, where it differs, a value that is read off a line.

    Raises: ValueError, it is empty, or logarithmic and not above 0.
    """

    label: str
    low: float
    high: float
    log: bool = False
    format: Format = plain
    say: Format | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError(f"no axis runs from {self.low} to {self.high}")

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1 at the high one."""
        if self.log:
            value = max(value, self.low)
            found = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            found = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, found))

    def marks(self) -> list[float]:
        """Round values worth a tick: powers of ten, or about five steps of 1, 2 or 5."""
        if self.log:
            return _decades(self.low, self.high)
        step = _round_step((self.high - self.low) / 5)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(place * step, 12) for place in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = 1 if last - first < 9 else 2
    found = [10.0**place for place in range(last, first - 1, -every)]
    if len(found) < 3:
        found = [digit * 10.0**place for place in range(first - 1, last + 1) for digit in (1, 2, 5)]
    return sorted(value for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9))


def _round_step(rough: float) -> float:
    size = 10.0 ** math.floor(math.log10(rough))
    return next(step * size for step in (1, 2, 5, 10) if step * size >= rough * (1 - 1e-9))


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve of a chart, in values; a chart turns them into places."""

    name: str
    points: Sequence[Point]
    # Drawn as steps that hold until the next point, with the ground below filled.
    steps: bool = False


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A line on the sheet: an SVG path, and per point [x, y, x in words, y in words] as JSON."""

    name: str
    colour: int
    dashed: bool
    path: str
    area: str
    readings: str
    last: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Lines over two axes. `key` tells charts of one page apart."""

    key: str
    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    note: str = ""
    # Numbers of the lines' colours where they must agree with other charts; else in order.
    colours: Sequence[int] = field(default_factory=tuple)

    width, height = WIDTH, HEIGHT
    left, right = LEFT, WIDTH - RIGHT
    top, bottom = TOP, HEIGHT - BOTTOM
    # Where the names of the axes stand.
    middle, centre = (left + right) // 2, (top + bottom) // 2

    def place(self, x: float, y: float) -> Point:
        """Where a pair of values lies on the sheet, to a tenth of a unit."""
        across = self.left + self.x.share(x) * (self.right - self.left)
        down = self.bottom - self.y.share(y) * (self.bottom - self.top)
        return round(across, 1), round(down, 1)

    @property
    def x_ticks(self) -> list[Tick]:
        return [
            Tick(at=self.place(value, self.y.low)[0], label=self.x.format(value))
            for value in self.x.marks()
        ]

    @property
    def y_ticks(self) -> list[Tick]:
        return [
            Tick(at=self.place(self.x.low, value)[1], label=self.y.format(value))
            for value in self.y.marks()
        ]

    @property
    def drawn(self) -> list[Drawn]:
        numbers = self.colours or range(len(self.lines))
        return [self._draw(line, n) for line, n in zip(self.lines, numbers, strict=True)]

    def _draw(self, line: Line, number: int) -> Drawn:
        points = thin(line.points)
        places = [self.place(x, y) for x, y in points]
        across, down = (axis.say or axis.format for axis in (self.x, self.y))
        readings = [
            [*place, across(x), down(y)] for place, (x, y) in zip(places, points, strict=True)
        ]
        corners = _stairs(places) if line.steps else places
        if len(corners) == 1:
            corners = corners * 2  # a line to itself is drawn as a dot
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in corners) if corners else ""
        area = ""
        if line.steps and corners:
            area = f"{path}L{corners[-1][0]:g} {self.bottom}L{corners[0][0]:g} {self.bottom}Z"
        return Drawn(
            name=line.name,
            colour=number % COLOURS + 1,
            dashed=number >= COLOURS,
            path=path,
            area=area,
            readings=json.dumps(readings, ensure_ascii=False, separators=(",", ":")),
            last=readings[-1][3] if readings else "",
        )


def _stairs(places: Sequence[Point]) -> list[Point]:
    found: list[Point] = []
    for place, (x, y) in enumerate(places):
        if place:
            found.append((x, places[place - 1][1]))
        found.append((x, y))
    return found


def thin(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most `most` of the points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[round(place * last / (most - 1))] for place in range(most)]


def around(values: Sequence[float], *, least: float = 1e-9) -> tuple[float, float]:
    """Ends of a linear axis that shows all values with some air above and below."""
    low, high = min(values), max(values)
    air = max((high - low) * 0.06, abs(high) * 1e-3, least)
    # A curve that comes near zero is read against zero.
    floor = 0.0 if 0 <= low < (high - low) * 0.5 else low - air
    return floor, high + air
