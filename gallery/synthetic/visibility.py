"""Which of a person's attributes can really be seen, told from the pixels that are left."""

import numpy as np
from numpy.typing import NDArray

from gallery.synthetic.attributes import NONE, Person
from gallery.synthetic.canvas import Floats
from gallery.synthetic.figure import Figure
from gallery.synthetic.parts import Part

# Pixels are counted as if the figure were this tall, so the rules hold at any size.
_TALL = 145.0


def fields(figure: Figure, left: NDArray[np.int64], sharp: float = 1.0) -> frozenset[str]:
    """The names of the fields that can be seen.

    left: (parts,) pixels of each part that are still seen, on the figure's own scale.
    sharp: below 1, the share of the resolution that a coarse camera leaves.
    """
    person = figure.person
    seen = left * (_TALL / figure.scale) ** 2
    share = left / np.maximum(figure.counts(), 1)
    found: set[str] = set()
    head = seen[Part.FACE] + seen[Part.HAIR] + seen[Part.HAIR_SHAPE] + seen[Part.HAT]
    if head > 60:
        found |= {"gender", "umbrella_colour", "hat"}
        if person.hat != NONE and seen[Part.HAT] > 20:
            found.add("hat_colour")
    _hair(person, seen, found)
    if person.glasses == NONE:
        if figure.head_turn > 0.1 and seen[Part.FACE] > 35:
            found.add("glasses")
    elif seen[Part.GLASSES] > (6 if person.glasses == "sunglasses" else 9) and sharp > 0.7:
        found.add("glasses")
    upper = seen[Part.UPPER] + seen[Part.SLEEVE] + seen[Part.MOTIF]
    _trunk(figure, seen, share, upper, found)
    _legs(person, seen, share, found)
    _bag(figure, seen, share, found)
    if person.umbrella_colour != NONE and seen[Part.UMBRELLA] < 120:
        found.discard("umbrella_colour")
    if upper > 150 and (seen[Part.LOWER] + seen[Part.LEG] > 100 or person.lower == NONE):
        found |= {"build", "pose", "view"}
    return frozenset(found)


def _hair(person: Person, seen: Floats, found: set[str]) -> None:
    hair = seen[Part.HAIR] + seen[Part.HAIR_SHAPE]
    if person.hair == "bald":
        if person.hat == NONE and seen[Part.FACE] > 60:
            found |= {"hair", "hair_colour"}
        return
    if hair > 26:
        found.add("hair_colour")
    if person.hair == "short":
        if hair > 26 and person.hat != "beanie":
            found.add("hair")
    elif seen[Part.HAIR_SHAPE] > (22 if person.hair != "long" else 40):
        found.add("hair")


def _trunk(
    figure: Figure,
    seen: Floats,
    share: Floats,
    upper: float,
    found: set[str],
) -> None:
    person = figure.person
    if upper > 120:
        found.add("upper_colour")
        if share[Part.UPPER] > 0.6:
            found.add("upper")
        if share[Part.UPPER] > 0.45 and (
            person.upper_pattern != "printed" or seen[Part.MOTIF] > 18
        ):
            found.add("upper_pattern")
    if person.inner_colour == NONE:
        if figure.front > 0.3 and share[Part.UPPER] > 0.6:
            found.add("inner_colour")
    elif seen[Part.INNER] > 45:
        found.add("inner_colour")


def _legs(person: Person, seen: Floats, share: Floats, found: set[str]) -> None:
    if person.lower == NONE:
        if share[Part.UPPER] > 0.75 and share[Part.LEG] > 0.3:
            found |= {"lower", "lower_colour"}
    elif seen[Part.LOWER] > 90:
        found.add("lower_colour")
        if share[Part.LOWER] > 0.55:
            found.add("lower")
    least = 14 if person.shoes == "sandals" else 28
    if seen[Part.SHOES] > least and share[Part.SHOES] > 0.45:
        found |= {"shoes", "shoes_colour"}


def _bag(figure: Figure, seen: Floats, share: Floats, found: set[str]) -> None:
    if figure.person.bag == NONE:
        if share[Part.UPPER] > 0.8:
            found |= {"bag", "bag_colour"}
        return
    straps = seen[Part.STRAP] if not figure.plain_strap else 0.0
    if seen[Part.BAG] > 70 or seen[Part.BAG] * 0.5 + straps > 48:
        found |= {"bag", "bag_colour"}
