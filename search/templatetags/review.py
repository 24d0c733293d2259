"""What templates say of verdicts."""

from collections.abc import Mapping

from django import template
from django.db.models import QuerySet

from pedsite.accounts.models import User
from search.cases.models import Case
from search.review.models import Verdict

register = template.Library()
BADGES = {"confirmed": "badge--ok", "rejected": "badge--error", "unsure": "badge--warning"}
# Verdict, key, icon.
CHOICES = (
    (Verdict.CONFIRMED, "c", "yes"),
    (Verdict.REJECTED, "x", "close"),
    (Verdict.UNSURE, "u", "unsure"),
)


@register.filter
def of(verdicts: Mapping[int, str], box_id: int) -> str:
    """What was said of a box; "" where nothing was."""
    return verdicts.get(box_id, "")


@register.filter
def badge(verdict: str) -> str:
    """The class of a verdict's badge."""
    return BADGES.get(verdict, "badge--plain")


@register.filter
def words(verdict: str) -> str:
    """A verdict in the reader's language."""
    return str(Verdict(verdict).label)


@register.simple_tag
def verdict_choices() -> tuple[tuple[Verdict, str, str], ...]:
    """What can be decided: (verdict, key, icon)."""
    return CHOICES


@register.simple_tag
def open_cases(user: User) -> QuerySet[Case]:
    """The cases that a user may put something into, newest first."""
    return Case.objects.visible_to(user).filter(state=Case.State.OPEN)[:50]
