"""What the templates of the search page say with a form and a number."""

from typing import Any

from django import template

from search.forms import SearchForm

register = template.Library()


@register.simple_tag
def query_with(form: SearchForm, **changes: Any) -> str:
    """The query string of a form, with some fields set to another value; "" leaves one out."""
    return form.query(**changes)


@register.filter
def grouped(value: int) -> str:
    """A count with commas between thousands, in either language: 48210 -> 48,210."""
    return f"{value:,}"
