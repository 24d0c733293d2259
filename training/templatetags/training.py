"""How the pages of models say a share, its interval and a number of any size."""

from typing import Any

from django import template
from django.utils.translation import ngettext

from training import charts

register = template.Library()


@register.filter
def share(value: float | None) -> str:
    """A share from 0 to 1 with one decimal of a percent; small ones with two digits."""
    if value is None:
        return "–"
    return f"{value * 100:.1f}%" if value >= 0.001 or value == 0 else charts.percent(value)


@register.filter
def change(value: float) -> str:
    """A difference of two shares with one decimal of a percent."""
    return f"{round(value * 100, 1) + 0.0:.1f}%"


@register.filter
def spread(interval: tuple[float, float] | None) -> str:
    """The ends of an interval of a share: 48.2 – 53.3."""
    if interval is None:
        return ""
    # Adding zero turns -0.0 into 0.0.
    low, high = (f"{round(end * 100, 1) + 0.0:.1f}" for end in interval)
    return f"{low} – {high}"


@register.filter
def measured(value: Any) -> Any:
    """A number with four digits that mean something; a list by its length; text as it is."""
    if isinstance(value, list):
        return ngettext("%(n)d item", "%(n)d items", len(value)) % {"n": len(value)}
    return charts.plain(value) if isinstance(value, float) else value


@register.filter
def score(value: float | None) -> str:
    """A cosine with four decimals."""
    return "–" if value is None else f"{value:.4f}"
