"""What an API key may do of what its user may: one rule for every operation of the API.

`ApiKeyAuthentication` asks it before any view runs, so an operation that says nothing has a scope
too: reading is `read`, everything else `write`. A view that differs names it: `key_scope`, a scope
or several of which one is enough, for all methods or as a dict by method.
"""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

READS = ("GET", "HEAD", "OPTIONS")


class Scope(models.TextChoices):
    SEARCH = "search", _("search, and see what is found")
    READ = "read", _("read everything")
    WRITE = "write", _("change and review")
    OPERATE = "operate", _("train, serve and administer")


def everything() -> list[str]:
    """What a key could do before there were scopes."""
    return list(Scope.values)


def needed(view: Any, method: str) -> tuple[str, ...]:
    """The scopes of which a key needs one to call a view with a method."""
    usual = Scope.READ if method in READS else Scope.WRITE
    named = getattr(view, "key_scope", usual)
    if isinstance(named, dict):
        named = named.get(method, usual)
    return (named,) if isinstance(named, str) else tuple(named)


def allow(scopes: Iterable[str], view: Any, method: str) -> bool:
    """Whether a key with these scopes may call a view with a method."""
    return bool(set(needed(view, method)) & set(scopes))
