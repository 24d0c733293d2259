"""How pages of snapshots write names and differences."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def of(name: str, names: Mapping[str, Any]) -> str:
    """What a reader calls a name."""
    return str(names.get(name, name))


@register.filter
def signed(value: float) -> str:
    """A difference with its sign: +0.012."""
    return f"{value:+.3f}".replace("-", "−")
