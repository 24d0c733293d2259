"""How pages say how long, how fast and for what."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from pedsite.jobs.queues import Standing

register = template.Library()

# Parameters in the reader's language; any other is shown by the name it has.
NAMES = {
    "created": gettext_lazy("dataset created"),
    "dataset": gettext_lazy("dataset"),
    "detector": gettext_lazy("detector"),
    "format": gettext_lazy("format"),
    "images": gettext_lazy("images"),
    "licence": gettext_lazy("licence"),
    "only": gettext_lazy("only these"),
    "options": gettext_lazy("options"),
    "path": gettext_lazy("path"),
    "recipe": gettext_lazy("recipe"),
    "threshold": gettext_lazy("threshold"),
    "version": gettext_lazy("version"),
}


@register.filter
def any_paused(standings: list[Standing]) -> bool:
    """Whether one of these queues is paused."""
    return any(each.pause for each in standings)


@register.filter
def duration(value: timedelta | None) -> str:
    """Two units at most: 45 s, 3 min 10 s, 2 h 05 min."""
    if value is None:
        return "–"
    seconds = int(value.total_seconds())
    if seconds < 60:
        return _("%(s)d s") % {"s": seconds}
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return _("%(min)d min %(s)02d s") % {"min": minutes, "s": seconds}
    hours, minutes = divmod(minutes, 60)
    return _("%(h)d h %(min)02d min") % {"h": hours, "min": minutes}


@register.filter
def rate(value: float | None) -> str:
    """Items a second, or a minute where they are slow: 12.5/s, 4/min."""
    if value is None:
        return "–"
    if value >= 1:
        return _("%(n)s/s") % {"n": f"{value:,.0f}" if value >= 100 else f"{value:.1f}"}
    return _("%(n)s/min") % {"n": f"{value * 60:.1f}"}


@register.filter
def grouped(value: int) -> str:
    """A count with commas between thousands, in either language: 48210 -> 48,210."""
    return f"{value:,}"


# Where work goes on from: of use to nobody else.
PLACES = {"anywhere", "mark", "after", "loads"}


@register.filter
def parameters(params: dict[str, Any]) -> list[tuple[str, str]]:
    """What says something to a person, as (name, value); long lists as counts.

    A key is left out where the name of what it means is there too: `dataset` for `dataset_name`,
    `versions` for `version_names`.
    """
    shown = []
    named = {name.removesuffix("_name") for name in params if name.endswith("_name")}
    named |= {f"{name.removesuffix('_names')}s" for name in params if name.endswith("_names")}
    for name, value in params.items():
        if value in (None, "", [], {}, 0) or name in named or name in PLACES:
            continue
        if isinstance(value, list) and len(value) > 5:
            value = ngettext("%(n)d item", "%(n)d items", len(value)) % {"n": len(value)}
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        elif isinstance(value, dict):
            value = ", ".join(f"{key}={inner}" for key, inner in value.items())
        name = name.removesuffix("_names").removesuffix("_name")
        shown.append((str(NAMES.get(name, name.replace("_", " "))), str(value)[:200]))
    return shown


@register.filter
def outcome(result: dict[str, Any]) -> list[tuple[str, str]]:
    """As `parameters`, of what a job left behind: there numbers are counts."""
    counts = {
        name: grouped(value) for name, value in result.items() if type(value) is int and value
    }
    return parameters(result | counts)
