"""What the templates of the search page say with a form and a number."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from search.forms import SearchForm
from search.language import Phrase, Role
from search.retrieval import Hit, Page

register = template.Library()


@register.simple_tag
def query_with(form: SearchForm, **changes: Any) -> str:
    """The query string of a form, with some fields set to another value; "" leaves one out."""
    return form.query(**changes)


@register.filter
def parts_for(form: SearchForm, phrase: Phrase) -> list[tuple[str, str, bool]]:
    """What one phrase may be made of: (words, query string, whether it is so already)."""
    choices = [
        (_("Counts double"), Role.WEIGH, 2.0),
        (_("Counts as the others"), Role.WEIGH, 1.0),
        (_("Counts half"), Role.WEIGH, 0.5),
        (_("Must show"), Role.REQUIRE, 1.0),
        (_("Must not show"), Role.EXCLUDE, 1.0),
    ]
    return [
        (
            words,
            form.query(q=form.typed.having(phrase.text, role, weight), cursor=None),
            (phrase.role, phrase.weight) == (role, weight),
        )
        for words, role, weight in choices
    ]


@register.filter
def denials(form: SearchForm) -> list[tuple[str, str]]:
    """What the words deny, each with the query string that leaves it out for certain."""
    return [
        (denial.what, form.query(q=form.typed.leaving_out(denial), cursor=None))
        for denial in form.typed.denials
    ]


@register.filter
def one_in(rate: float) -> str:
    """A rate as the N of "1 in N", to two digits: 0.00043 -> 2,300."""
    count = 1 / rate
    digits = max(0, len(str(round(count))) - 2)
    return f"{round(count, -digits):,.0f}"


@register.filter
def expected(page: Page, count: int) -> str:
    """False hits to expect in what was searched at 1 false accept in `count`."""
    number = page.expected(1 / count)
    return f"{number:,.0f}" if number >= 10 else f"{number:.1g}" if number < 1 else f"{number:.1f}"


@register.filter
def is_unsure(hit: Hit, count: int) -> bool:
    """Whether more than 1 in `count` of the boxes that do not fit score as much."""
    return hit.false_accepts is not None and hit.false_accepts > 1 / count * (1 + 1e-9)


@register.filter
def divided(number: float, by: float) -> float:
    return number / by


@register.filter
def grouped(value: int) -> str:
    """A count with commas between thousands, in either language: 48210 -> 48,210."""
    return f"{value:,}"
