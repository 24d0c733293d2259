"""An evaluation as people read it: its numbers in order, its curves as charts, its worst pairs."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from gallery.models import Box, Review
from pedsite.accounts.models import User
from training import charts
from training.charts import Axis, Chart, Line
from training.models import Evaluation

# How `verification.frr_at_far` names its levels, in the order of system 2's table.
FAR_LEVELS = ("1e-03", "1e-04", "1e-05", "1e-06", "0")
RANKING = ("r1", "r5", "r10", "map", "minp")
DIRECTIONS = ("t2i", "i2t", "i2i")
# What has a place of its own on the page, or says what was measured.
SHOWN = {
    *DIRECTIONS,
    "boxes",
    "captions",
    "dataset",
    "fingerprint",
    "language",
    "look",
    "order",
    "people",
    "protocol",
    "slices",
    "snapshot",
    "split",
    "verification",
    "version",
}


@dataclass(frozen=True, kw_only=True)
class Number:
    """A measured share from 0 to 1 with its 95 % interval, and the threshold it is measured at."""

    name: str
    label: str
    value: float
    interval: tuple[float, float] | None = None
    threshold: float | None = None
    far: float | None = None

    @property
    def bar(self) -> tuple[float, float, float]:
        """On a bar of 100: where the interval begins, how wide it is, where the value lies."""
        low, high = self.interval or (self.value, self.value)
        return (
            round(low * 100, 2),
            round(max(0.6, (high - low) * 100), 2),
            round(self.value * 99, 2),
        )


@dataclass(frozen=True, kw_only=True)
class Direction:
    name: str
    label: str
    numbers: list[Number]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A pair that a threshold gets wrong: a picture, and the words said of another or itself.

    `picture` and `of` are None where the box is gone, or hidden, or not the reader's to see.
    """

    rank: int
    score: float
    text: str
    picture: Box | None
    of: Box | None
    box: int


def labels() -> dict[str, str]:
    """Names of metrics in the reader's language."""
    return {
        "r1": "R@1",
        "r5": "R@5",
        "r10": "R@10",
        "map": "mAP",
        "minp": "mINP",
        "t2i": _("Words find pictures"),
        "i2t": _("Pictures find words"),
        "i2i": _("Pictures find pictures"),
    }


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What a list shows of an evaluation; None for what was not measured."""

    r1: Number | None
    map: Number | None
    eer: Number | None


def headline(evaluation: Evaluation) -> Headline:
    """R@1 and mAP of the first direction that was measured, and the EER."""
    ways = directions(evaluation)
    ranked = {number.name: number for number in ways[0].numbers} if ways else {}
    checked = {number.name: number for number in levels(evaluation)}
    return Headline(r1=ranked.get("r1"), map=ranked.get("map"), eer=checked.get("eer"))


def directions(evaluation: Evaluation) -> list[Direction]:
    """The ranking metrics of each direction that was measured."""
    named = labels()
    return [
        Direction(name=name, label=named[name], numbers=_ranking(evaluation.metrics[name]))
        for name in DIRECTIONS
        if name in evaluation.metrics
    ]


def _ranking(found: Mapping[str, Any]) -> list[Number]:
    named = labels()
    return [_number(name, named[name], found[name]) for name in RANKING if name in found]


def levels(evaluation: Evaluation) -> list[Number]:
    """EER, then FRR at FAR 1e-3 to 1e-6 and 0, each with its threshold: system 2's columns."""
    checked = evaluation.metrics.get("verification")
    if not checked:
        return []
    found = [_number("eer", _("EER"), checked["eer"])]
    for level in FAR_LEVELS:
        if level in checked["frr_at_far"]:
            far = charts.power(float(level)) if level != "0" else "0"
            label = _("FRR at FAR %(far)s") % {"far": far}
            found.append(_number(level, label, checked["frr_at_far"][level]))
    return found


def _number(name: str, label: str, found: Mapping[str, Any]) -> Number:
    interval = found.get("interval")
    return Number(
        name=name,
        label=label,
        value=found["value"],
        interval=(interval[0], interval[1]) if interval else None,
        threshold=found.get("threshold"),
        far=found.get("far"),
    )


@dataclass(frozen=True, kw_only=True)
class Slice:
    by: str
    name: str
    boxes: int
    numbers: list[Number | None]


def slices(evaluation: Evaluation) -> tuple[list[str], list[Slice]]:
    """Names of the columns, and R@1 and mAP of each direction for each part of the split."""
    named = labels()
    measured = [name for name in DIRECTIONS if name in evaluation.metrics]
    columns = [(way, metric) for way in measured for metric in ("r1", "map")]
    rows = []
    for part in evaluation.metrics.get("slices", []):
        numbers = [
            _number(metric, named[metric], part[way][metric])
            if metric in part.get(way, {})
            else None
            for way, metric in columns
        ]
        by = {"camera": _("Camera"), "height": _("Height of the crop")}.get(part["by"], part["by"])
        rows.append(Slice(by=by, name=part["name"], boxes=part["boxes"], numbers=numbers))
    return [f"{named[way]}: {named[metric]}" for way, metric in columns], rows


@dataclass(frozen=True, kw_only=True)
class Reordered:
    """A metric of captions as they stand and with their clauses in another order."""

    label: str
    before: float
    after: float
    drop: float
    interval: tuple[float, float] | None


def reordered(evaluation: Evaluation) -> list[Reordered]:
    """What is lost when clauses change order; empty where it was not measured."""
    found = evaluation.metrics.get("order") or {}
    named = labels()
    return [
        Reordered(
            label=named[name],
            before=found[name]["before"],
            after=found[name]["after"],
            drop=found[name]["drop"],
            interval=found[name].get("interval"),
        )
        for name in RANKING
        if name in found
    ]


def others(evaluation: Evaluation) -> list[tuple[str, float | int | str]]:
    """Whatever else was measured, as rows of name and value."""
    rest = {name: of for name, of in evaluation.metrics.items() if name not in SHOWN}
    return list(_flat(rest))


def _flat(found: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(found, Mapping):
        for key in sorted(found):
            yield from _flat(found[key], f"{name} {key}".strip())
    elif isinstance(found, list) and len(found) == 2 and name.endswith("interval"):
        yield name, f"{found[0]:.4f} – {found[1]:.4f}"
    elif isinstance(found, int | float | str):
        yield name, found


@dataclass(frozen=True, kw_only=True)
class Operating:
    """One threshold of the curve in words, and where it lies on the three charts."""

    threshold: str
    far: str
    frr: str
    one_in: str
    roc: charts.Point
    det: charts.Point
    score: float

    def row(self) -> list[Any]:
        """What the page's script needs of it."""
        spots = [*self.roc, *self.det, self.score]
        return [self.threshold, self.far, self.frr, self.one_in, *spots]


class Curves:
    """ROC, DET and the scores of an evaluation, and the operating points along them."""

    def __init__(self, evaluation: Evaluation) -> None:
        # The levels of the table lie on the curve too, so that its links lead to them exactly.
        named = [
            (n.threshold, n.value if n.far is None else n.far, n.value)
            for n in levels(evaluation)
            if n.threshold is not None
        ]
        self.points = sorted({*map(tuple, evaluation.details["curve"]), *named})
        pairs = evaluation.metrics["verification"]["pairs"]
        # Rates below one pair in all are drawn at the ends of the axes.
        far_floor = 10.0 ** math.floor(math.log10(1 / max(10, pairs["impostor"])))
        frr_floor = 10.0 ** math.floor(math.log10(1 / max(10, pairs["genuine"])))
        far = Axis(
            label=_("False accept rate (FAR)"),
            low=far_floor,
            high=1,
            log=True,
            format=charts.power,
            say=charts.percent,
        )
        rate = [(point[1], 1 - point[2]) for point in self.points]
        self.roc = Chart(
            key="roc",
            title=_("ROC curve"),
            x=far,
            y=Axis(label=_("True accept rate"), low=0, high=1, format=charts.percent),
            lines=[Line(name=_("True accept rate"), points=rate)],
        )
        self.det = Chart(
            key="det",
            title=_("DET curve"),
            x=far,
            y=Axis(
                label=_("False reject rate (FRR)"),
                low=frr_floor,
                high=1,
                log=True,
                format=charts.percent,
            ),
            lines=[
                Line(
                    name=_("False reject rate (FRR)"),
                    points=[(point[1], point[2]) for point in self.points],
                )
            ],
        )
        self.scores = _histogram(evaluation.details)

    def operating(self) -> list[Operating]:
        """One for each point of the curve, by rising threshold."""
        return [self._operating(*point) for point in self.points]

    def nearest(self, threshold: float) -> int:
        """The place of the point whose threshold is closest."""
        return min(
            range(len(self.points)), key=lambda place: abs(self.points[place][0] - threshold)
        )

    def _operating(self, threshold: float, far: float, frr: float) -> Operating:
        return Operating(
            threshold=f"{threshold:.4f}",
            far=charts.percent(far),
            frr=charts.percent(frr),
            one_in=f"{round(1 / far):,}" if far else "∞",
            roc=self.roc.place(far, 1 - frr),
            det=self.det.place(far, frr),
            score=self.scores.place(threshold, 0)[0],
        )


def _histogram(details: Mapping[str, Any]) -> Chart:
    """Shares of the scores of pairs that fit and pairs that do not, over what scores there are."""
    counts = {"genuine": details["genuine"], "impostor": details["impostor"]}
    bins = len(counts["genuine"])
    used = [place for place in range(bins) if any(of[place] for of in counts.values())]
    first, last = max(0, used[0] - 1), min(bins, used[-1] + 2)
    width = 2 / bins
    shares = {name: [n / max(1, sum(of)) for n in of] for name, of in counts.items()}
    highest = max(max(of) for of in shares.values())

    def line(name: str, label: str) -> Line:
        held = [(place * width - 1, shares[name][place]) for place in range(first, last)]
        return Line(name=label, points=[*held, (last * width - 1, 0.0)], steps=True)

    return Chart(
        key="scores",
        title=_("Scores"),
        x=Axis(label=_("Score"), low=first * width - 1, high=last * width - 1),
        y=Axis(label=_("Share of the pairs"), low=0, high=highest * 1.08, format=charts.percent),
        lines=[
            line("genuine", _("Pairs that fit")),
            line("impostor", _("Pairs that do not")),
        ],
    )


def worst(evaluation: Evaluation, kind: str, user: User) -> list[Pair]:
    """The 15 worst `false_accepts` or `false_rejects`, with the boxes that a user may see."""
    found = evaluation.details.get(kind, [])
    numbers = {pair[side] for pair in found for side in ("picture", "of")}
    rows = Box.objects.visible_to(user).exclude(review=Review.HIDDEN).filter(pk__in=numbers)
    boxes = {box.pk: box for box in rows.select_related("identity", "image__camera")}
    return [
        Pair(
            rank=rank,
            score=pair["score"],
            text=pair["text"],
            picture=boxes.get(pair["picture"]),
            of=boxes.get(pair["of"]) if pair["of"] != pair["picture"] else None,
            box=pair["picture"],
        )
        for rank, pair in enumerate(found, start=1)
    ]


def numbers_csv(evaluation: Evaluation) -> str:
    """All numbers, one a row: group, metric, value, ends of the interval, threshold."""
    rows: list[Sequence[Any]] = [("group", "metric", "value", "low", "high", "threshold")]
    for way in directions(evaluation):
        rows += [(way.name, n.name, n.value, *_ends(n), "") for n in way.numbers]
    for n in levels(evaluation):
        name = n.name if n.name == "eer" else f"frr_at_far_{n.name}"
        rows.append(("verification", name, n.value, *_ends(n), n.threshold))
    for name, count in evaluation.metrics.get("verification", {}).get("pairs", {}).items():
        rows.append(("pairs", name, count, "", "", ""))
    for part in evaluation.metrics.get("slices", []):
        for way in DIRECTIONS:
            for n in _ranking(part.get(way, {})):
                group = f"{part['by']} {part['name']} {way}"
                rows.append((group, n.name, n.value, *_ends(n), ""))
    for n in reordered(evaluation):
        rows.append(("order_drop", n.label, n.drop, *(n.interval or ("", "")), ""))
    rows += [("other", name, value, "", "", "") for name, value in others(evaluation)]
    return _csv(rows)


def curve_csv(evaluation: Evaluation) -> str:
    """The error curve, one threshold a row."""
    return _csv([("threshold", "far", "frr"), *evaluation.details["curve"]])


def _ends(number: Number) -> tuple[float, float] | tuple[str, str]:
    return number.interval or ("", "")


def _csv(rows: Sequence[Sequence[Any]]) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows([_inert(cell) for cell in row] for row in rows)
    return stream.getvalue()


def _inert(cell: Any) -> Any:
    """A text that a spreadsheet would compute, such as a camera's name `=1+1`, as a text."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{cell}"
    return cell
