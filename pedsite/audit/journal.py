"""Writing the log: one INSERT, in the transaction of whatever it tells.

Where a request came from (its address, its key) is known here while the middleware handles it, so
that no domain function has to pass it on.
"""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.utils import timezone

from pedsite.audit.models import Entry

if TYPE_CHECKING:
    from pedsite.accounts.models import User

Action, Via = Entry.Action, Entry.Via
MAX_TEXT = 4000
# What tells nothing of a change that the same request makes.
ASIDE = (Action.SEARCH, Action.OPEN, Action.KEY, Action.REFUSED)
# Looked at again within so many seconds, a box or a frame is not opened anew.
LOOK_S = 60


@dataclass
class Origin:
    """Where what happens now was asked for. `recorded`: entries that tell of a change in it."""

    via: str
    address: str | None = None
    key: str = ""
    recorded: int = 0


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)


@contextmanager
def origin(via: str, address: str | None = None) -> Iterator[Origin]:
    """What is recorded until the block ends came this way."""
    here = Origin(via, address)
    token = _origin.set(here)
    try:
        yield here
    finally:
        _origin.reset(token)


def came_with(key: str) -> None:
    """An API key, by its prefix, acts in this request."""
    if here := _origin.get():
        here.key = key


def address() -> str | None:
    """Where the request comes from that is handled now."""
    here = _origin.get()
    return here.address if here else None


def record(
    action: str,
    *,
    user: "User | AnonymousUser | None",
    about: str = "",
    text: str = "",
    purpose: str = "",
    version: str = "",
    results: int | None = None,
    **detail: Any,
) -> Entry:
    """Add an entry. What cannot be recorded is not done: an error here is one of the caller.

    Args:
        user: who did it; None is a command or a worker, under its account of the machine.
        about: of what, such as "box 17". Never a name of a person in the pictures, who may have to
            be forgotten: numbers only.
        detail: JSON values.
    """
    here = _origin.get() or Origin(Via.COMMAND)
    here.recorded += action not in ASIDE
    known = user is not None and user.is_authenticated
    return Entry.objects.create(
        at=timezone.now(),
        user_id=user.pk if known else None,
        username=_name(user, here),
        key=here.key,
        via=here.via,
        address=here.address,
        action=action,
        about=_clean(about, 200),
        text=_clean(text, MAX_TEXT),
        purpose=_clean(purpose, 200),
        version=version[:100],
        results=results,
        detail=detail,
    )


def opened(user: "User", about: str) -> None:
    """A user looks at a box or a frame closely; once a minute is told."""
    if cache.add(f"opened:{user.pk}:{about.replace(' ', '-')}", 1, LOOK_S):
        record(Action.OPEN, user=user, about=about)


def _name(user: "User | AnonymousUser | None", here: Origin) -> str:
    if user is not None:
        return user.get_username()[:150]
    if here.via in (Via.PAGE, Via.API, Via.ADMIN):
        return ""
    try:
        return f"({getpass.getuser()})"[:150]
    except (KeyError, OSError):  # an account without a name, as in some containers
        return "(?)"


def _clean(text: str, most: int) -> str:
    return text.replace("\0", "")[:most]
