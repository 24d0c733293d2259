"""Typed readers of environment variables. Each failure names the variable and what it needs."""

import os
from ipaddress import ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def text(name: str, default: str | None = None, *, choices: tuple[str, ...] = ()) -> str:
    """The variable as it stands; without a default it is required.

    Raises:
        ImproperlyConfigured: not set and no default, or not one of `choices`.
    """
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set; .env.example tells what it is for")
    if choices and value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}, it must be one of {', '.join(choices)}")
    return value


def flag(name: str, default: bool) -> bool:
    """A switch: 1/true/yes/on or 0/false/no/off, any case.

    Raises:
        ImproperlyConfigured: any other word.
    """
    value = os.environ.get(name)
    if value is None:
        return default
    word = value.strip().lower()
    if word not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}, it must be 1 or 0")
    return word in TRUE


def integer(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least `least`.

    Raises:
        ImproperlyConfigured: not a whole number, or too small.
    """
    value = os.environ.get(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}, it must be a whole number") from None
    if number < least:
        raise ImproperlyConfigured(f"{name} is {number}, it must be at least {least}")
    return number


def path(name: str, default: Path) -> Path:
    """An absolute path; a relative one counts from the working directory."""
    return Path(os.environ.get(name) or default).expanduser().absolute()


def listing(name: str, default: str = "") -> list[str]:
    """Comma-separated words, blanks dropped."""
    words = os.environ.get(name, default).split(",")
    return [word.strip() for word in words if word.strip()]


def networks(name: str) -> list[str]:
    """Comma-separated networks (10.0.0.0/8, fd00::/8, one address), and the word "public".

    Raises:
        ImproperlyConfigured: any other word.
    """
    words = listing(name)
    for word in words:
        try:
            word == "public" or ip_network(word)
        except ValueError as exc:
            raise ImproperlyConfigured(
                f'{name} holds {word!r}: {exc}; it takes networks and "public"'
            ) from None
    return words


def load_file() -> None:
    """Adds the `NAME=value` lines of ENV_FILE (default ./.env) that the environment does not set.

    Raises:
        ImproperlyConfigured: a line that is neither blank, a comment nor an assignment.
    """
    file = Path(os.environ.get("ENV_FILE", ".env"))
    if not file.is_file():
        return
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ImproperlyConfigured(f"{file}, line {number}: expected NAME=value")
        os.environ.setdefault(name.strip(), value.strip().strip("\"'"))
