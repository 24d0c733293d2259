"""What a drawn person may look like: the vocabulary of attributes, and people drawn from it.

A `Person` is a value for every field. A *fact* is one (field, value) pair. A caption states
some facts; a picture fits a caption when its person has all of them. "A hat" states the fact
("hat", ANY): of the field's values, whichever but NONE.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

Fact = tuple[str, str]

COLOURS = (
    "black", "white", "grey", "red", "blue", "green",
    "yellow", "orange", "pink", "purple", "brown", "beige",
)  # fmt: skip
HAIR_COLOURS = ("black", "brown", "blond", "grey", "red")
NONE = "none"
ANY = "any"
# Fields of things that a text may name and say no more of.
NAMED_ALONE = ("hat", "bag", "umbrella_colour")

# Every field with all its values. "none" is a value: the person has no such thing.
FIELDS: dict[str, tuple[str, ...]] = {
    "gender": ("woman", "man"),
    "build": ("slim", "average", "stout"),
    "hair": ("short", "long", "ponytail", "bun", "bald"),
    "hair_colour": (NONE, *HAIR_COLOURS),
    "hat": (NONE, "cap", "beanie", "brimmed hat"),
    "hat_colour": (NONE, *COLOURS),
    "glasses": (NONE, "glasses", "sunglasses"),
    # The outermost garment of the upper body; a dress covers the legs as well.
    "upper": ("t-shirt", "shirt", "sweater", "hoodie", "jacket", "coat", "vest", "dress"),
    "upper_colour": COLOURS,
    "upper_pattern": ("plain", "striped", "checked", "dotted", "printed"),
    # The colour of what shows under an open jacket, coat or vest.
    "inner_colour": (NONE, *COLOURS),
    "lower": (NONE, "jeans", "trousers", "shorts", "skirt"),
    "lower_colour": (NONE, *COLOURS),
    "shoes": ("sneakers", "boots", "leather shoes", "sandals"),
    "shoes_colour": COLOURS,
    "bag": (NONE, "backpack", "handbag", "shoulder bag", "suitcase"),
    "bag_colour": (NONE, *COLOURS),
    "umbrella_colour": (NONE, *COLOURS),
    "pose": ("standing", "walking"),
    "view": ("front", "back", "side"),
}
# What stays with a person from one picture to the next; the rest belongs to the moment.
MOMENT_FIELDS = ("pose", "view")

FACTS: tuple[Fact, ...] = tuple((field, value) for field, all_ in FIELDS.items() for value in all_)


@dataclass(frozen=True, kw_only=True)
class Person:
    """One person's look, a value of FIELDS for each field.

    Raises: ValueError, a value is not in the vocabulary.
    """

    gender: str
    build: str
    hair: str
    hair_colour: str
    hat: str
    hat_colour: str
    glasses: str
    upper: str
    upper_colour: str
    upper_pattern: str
    inner_colour: str
    lower: str
    lower_colour: str
    shoes: str
    shoes_colour: str
    bag: str
    bag_colour: str
    umbrella_colour: str
    pose: str
    view: str

    def __post_init__(self) -> None:
        for field, value in self.to_dict().items():
            if value not in FIELDS[field]:
                raise ValueError(f"{field} cannot be {value!r}")

    def to_dict(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, str]) -> Self:
        return cls(**values)

    def fits(self, facts: Iterable[Fact]) -> bool:
        """True when this person has every one of the facts."""
        return all(
            getattr(self, field) != NONE if value == ANY else getattr(self, field) == value
            for field, value in facts
        )


# Streets are dark above and darker below; rare things are drawn more often than on a real
# street, so that a model sees enough of each.
_UPPER_COLOUR_WEIGHTS = (14, 12, 10, 11, 11, 8, 7, 6, 7, 6, 7, 7)
_LOWER_COLOUR_WEIGHTS = (18, 8, 12, 5, 18, 6, 3, 3, 4, 3, 10, 10)
_SHOES_COLOUR_WEIGHTS = (22, 20, 9, 8, 8, 4, 4, 4, 5, 3, 12, 5)
_BAG_COLOUR_WEIGHTS = (22, 6, 10, 10, 10, 7, 6, 6, 6, 5, 10, 6)


def _pick(rng: np.random.Generator, values: tuple[str, ...], weights: tuple[float, ...]) -> str:
    share = np.asarray(weights, dtype=np.float64)
    return values[int(rng.choice(len(values), p=share / share.sum()))]


def _head(rng: np.random.Generator, gender: str) -> dict[str, str]:
    if gender == "woman":
        hair = _pick(rng, ("short", "long", "ponytail", "bun"), (18, 44, 22, 16))
    else:
        hair = _pick(rng, ("short", "long", "ponytail", "bald"), (74, 8, 4, 14))
    hat = _pick(rng, FIELDS["hat"], (62, 15, 12, 11))
    return {
        "hair": hair,
        "hair_colour": NONE if hair == "bald" else _pick(rng, HAIR_COLOURS, (32, 28, 18, 12, 10)),
        "hat": hat,
        "hat_colour": NONE if hat == NONE else _pick(rng, COLOURS, _UPPER_COLOUR_WEIGHTS),
        "glasses": _pick(rng, FIELDS["glasses"], (64, 18, 18)),
    }


def _clothes(rng: np.random.Generator, gender: str) -> dict[str, str]:
    dress = 16 if gender == "woman" else 0
    upper = _pick(rng, FIELDS["upper"], (17, 13, 14, 13, 18, 15, 7, dress))
    colour = _pick(rng, COLOURS, _UPPER_COLOUR_WEIGHTS)
    open_front = upper == "vest" or (upper in ("jacket", "coat") and rng.random() < 0.5)
    patterned = {"t-shirt": 0.5, "shirt": 0.5, "sweater": 0.4, "hoodie": 0.25, "dress": 0.5}
    pattern = "plain"
    if rng.random() < patterned.get(upper, 0.12):
        pattern = _pick(rng, FIELDS["upper_pattern"][1:], (32, 26, 18, 24))
    inner = NONE
    if open_front:
        others = tuple(c for c in COLOURS if c != colour)
        inner = _pick(rng, others, tuple(3.0 if c == "white" else 1.0 for c in others))
    if upper == "dress":
        lower, lower_colour = NONE, NONE
    else:
        skirt = 20 if gender == "woman" else 0
        lower = _pick(rng, FIELDS["lower"][1:], (34, 32, 17, skirt))
        lower_colour = (
            _pick(rng, ("blue", "black", "grey", "white"), (56, 24, 13, 7))
            if lower == "jeans"
            else _pick(rng, COLOURS, _LOWER_COLOUR_WEIGHTS)
        )
    return {
        "upper": upper,
        "upper_colour": colour,
        "upper_pattern": pattern,
        "inner_colour": inner,
        "lower": lower,
        "lower_colour": lower_colour,
    }


def _things(rng: np.random.Generator, gender: str) -> dict[str, str]:
    handbag = 16 if gender == "woman" else 3
    bag = _pick(rng, FIELDS["bag"], (40, 20, handbag, 14, 10))
    return {
        "shoes": _pick(rng, FIELDS["shoes"], (44, 22, 22, 12)),
        "shoes_colour": _pick(rng, COLOURS, _SHOES_COLOUR_WEIGHTS),
        "bag": bag,
        "bag_colour": NONE if bag == NONE else _pick(rng, COLOURS, _BAG_COLOUR_WEIGHTS),
        "umbrella_colour": NONE if rng.random() < 0.9 else _pick(rng, COLOURS, (1.0,) * 12),
    }


def draw_person(rng: np.random.Generator) -> Person:
    """A random person; the same generator state gives the same person."""
    gender = _pick(rng, FIELDS["gender"], (50, 50))
    return Person(
        gender=gender,
        build=_pick(rng, FIELDS["build"], (28, 44, 28)),
        **_head(rng, gender),
        **_clothes(rng, gender),
        **_things(rng, gender),
        pose=_pick(rng, FIELDS["pose"], (40, 60)),
        view=_pick(rng, FIELDS["view"], (40, 28, 32)),
    )
