"""Weighted word lists: how wordings are written down, and how one is taken from them.

A list is one line, `"coat*4|overcoat|trench coat"`; `*4` makes a wording four times as frequent.
"""

from collections.abc import Mapping
from random import Random
from typing import ClassVar

Words = tuple[str, ...]


class Choosy(Random):
    """A generator for which `pick` takes from a list only what is allowed, where anything is."""

    allowed: ClassVar[frozenset[str]]


def words(line: str) -> Words:
    """The wordings of a line, each as often as its weight says.

    Raises: ValueError, a weight is not a whole number.
    """
    spread: list[str] = []
    for item in line.split("|"):
        word, _, weight = item.partition("*")
        spread.extend([word] * int(weight or 1))
    return tuple(spread)


def table(lines: Mapping[str, str]) -> dict[str, Words]:
    """A list for each key."""
    return {key: words(line) for key, line in lines.items()}


def pick(r: Random, options: Words) -> str:
    if isinstance(r, Choosy):
        options = tuple(word for word in options if word in r.allowed) or options
    return options[int(r.random() * len(options))]
