"""Curves of trainings as charts: of one while it learns, and of several over each other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from training import charts, lineage
from training.charts import Axis, Chart, Line, Point
from training.models import MetricPoint, TrainingRun

# Points of a curve on a page that is fetched every two seconds.
LIVE_POINTS = 120
VALIDATION = "valid_"
RATE = "lr"
# Neither losses nor measured on the validation split.
BESIDE = ("scale", "ema_decay", "grad_norm")


def of(run: TrainingRun) -> list[Chart]:
    """Losses, validation and learning rate of one run, then whatever else it wrote down."""
    found = run.points.thinned(LIVE_POINTS).curves()
    losses = [name for name in found if not _is_beside(name)]
    # The sum leads, so that it has the first colour.
    losses.sort(key=lambda name: (name != "loss", name))
    valid = sorted((name for name in found if name.startswith(VALIDATION)), key=_natural)
    groups = [
        ("loss", _("Losses"), _lines(found, losses)),
        ("valid", _("Validation"), _lines(found, valid)),
        ("lr", _("Learning rate"), _lines(found, [RATE])),
        *((name, name, _lines(found, [name])) for name in sorted(found) if name in BESIDE),
    ]
    return [_chart(key, title, lines) for key, title, lines in groups if lines]


def _is_beside(name: str) -> bool:
    return name == RATE or name in BESIDE or name.startswith(VALIDATION)


def _natural(name: str) -> tuple[str, int]:
    letters = name.rstrip("0123456789")
    return letters, int(name[len(letters) :] or 0)


def _lines(found: dict[str, list[Point]], names: Iterable[str]) -> list[Line]:
    return [Line(name=_said(name), points=found[name]) for name in names if name in found]


def _said(name: str) -> str:
    """valid_r10 -> R@10; other names as the engine gives them."""
    if name.startswith("valid_r") and name[7:].isdigit():
        return f"R@{name[7:]}"
    return name.removeprefix(VALIDATION)


def _chart(key: str, title: str, lines: Sequence[Line], colours: Sequence[int] = ()) -> Chart:
    steps = [x for line in lines for x, _y in line.points]
    values = [y for line in lines for _x, y in line.points]
    is_share = key == "valid" or key.startswith("valid_r")
    low, high = (0.0, max(values) * 1.08 or 1.0) if is_share else charts.around(values)
    return Chart(
        key=key,
        title=title,
        x=Axis(label=_("Step"), low=0, high=max(1, *steps)),
        y=Axis(
            label=_("Share found") if is_share else title,
            low=low,
            high=min(high, 1.0) if is_share else high,
            format=charts.percent if is_share else charts.plain,
        ),
        lines=lines,
        colours=colours,
    )


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One line of the comparison: a setting or fact, and what each run has there."""

    name: str
    values: list[str]
    differs: bool


def compared(runs: Sequence[TrainingRun]) -> list[Chart]:
    """One chart for each curve that a run has, with a line for each run that has it."""
    points = MetricPoint.objects.filter(run__in=runs).thinned(LIVE_POINTS)
    found: dict[str, dict[int, list[Point]]] = {}
    rows = points.order_by("step").values_list("run_id", "name", "step", "value")
    for run_id, name, step, value in rows:
        found.setdefault(name, {}).setdefault(run_id, []).append((step, value))
    made = []
    for name in sorted(found, key=_importance):
        having = [(place, run) for place, run in enumerate(runs) if run.pk in found[name]]
        lines = [
            Line(name=f"{run.version_name} #{run.pk}", points=found[name][run.pk])
            for _place, run in having
        ]
        title = _said(name) if name != RATE else _("Learning rate")
        made.append(_chart(name, title, lines, [place for place, _run in having]))
    return made


def _importance(name: str) -> tuple[int, str, int]:
    rank = 0 if name == "loss" else 1 if name.startswith(VALIDATION) else 2
    rank = 4 if name in BESIDE else 3 if name == RATE else rank
    return (rank, *_natural(name))


def settings(runs: Sequence[TrainingRun]) -> list[Setting]:
    """All settings of all runs, those that differ first."""
    names = lineage.in_order({name for run in runs for name in run.config})
    rows = [
        _setting(_("learns from"), [run.source for run in runs]),
        *(_setting(name, [run.config.get(name) for run in runs]) for name in names),
    ]
    return sorted(rows, key=lambda row: not row.differs)


def _setting(name: str, values: Sequence[Any]) -> Setting:
    said = ["–" if value is None else str(value) for value in values]
    return Setting(name=name, values=said, differs=len(set(said)) > 1)
