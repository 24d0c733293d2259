"""Captions of drawn people: which facts are told, in which language, in which words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from math import factorial
from random import Random
from typing import Literal

import numpy as np

from gallery.synthetic import sentences_en, sentences_zh
from gallery.synthetic.attributes import ANY, FIELDS, NAMED_ALONE, NONE, Fact, Person
from gallery.synthetic.plain_words import PlainWords

Language = Literal["en", "zh"]
Values = dict[str, str]

_WRITERS: dict[str, Callable[[Values, Random], str]] = {
    "en": sentences_en.write,
    "zh": sentences_zh.write,
}
_STATEMENTS: dict[str, Callable[[Values, Random], str]] = {
    "en": sentences_en.describe,
    "zh": sentences_zh.describe,
}
_MOVABLE: dict[str, Callable[[Values, Random], tuple[str, list[str], str, str]]] = {
    "en": sentences_en.movable,
    "zh": sentences_zh.movable,
}
# How many facts a description tells, the least and the most.
_DESCRIBED = (4, 9)
# How many facts a caption tells, and how often.
_COUNT_WEIGHTS = (8, 18, 21, 18, 13, 7, 5, 4, 3)
_EVERYTHING = 0.03
# How often a thing of which one fact is told is only named: a hat, of whatever kind and colour.
_NAMED_SHARE = 0.3
# Characters. Every set of facts has wordings that are shorter.
MAX_LENGTH = 300
# How readily people tell of each topic. The fields of a topic are told together or apart.
_TOPICS: dict[str, tuple[float, tuple[str, ...]]] = {
    "gender": (5.0, ("gender",)),
    "build": (0.9, ("build",)),
    "hair": (2.2, ("hair", "hair_colour")),
    "hat": (1.8, ("hat", "hat_colour")),
    "glasses": (1.5, ("glasses",)),
    "upper": (8.0, ("upper", "upper_colour", "upper_pattern")),
    "inner": (1.0, ("inner_colour",)),
    "lower": (5.0, ("lower", "lower_colour")),
    "shoes": (2.8, ("shoes", "shoes_colour")),
    "bag": (3.6, ("bag", "bag_colour")),
    "umbrella": (1.8, ("umbrella_colour",)),
    "pose": (1.0, ("pose",)),
    "view": (1.2, ("view",)),
}
# The absence of a thing, and what is ordinary, is told less often than its presence.
_SELDOM: dict[Fact, float] = {
    ("hat", NONE): 0.25,
    ("glasses", NONE): 0.3,
    ("bag", NONE): 0.4,
    ("umbrella_colour", NONE): 0.06,
    ("inner_colour", NONE): 0.15,
    ("build", "average"): 0.4,
}
# A colour or pattern whose "none" says no more than the "none" of its thing.
_COLOUR_OF = {
    "hair_colour": "hair",
    "hat_colour": "hat",
    "lower_colour": "lower",
    "bag_colour": "bag",
}


@dataclass(frozen=True)
class Caption:
    """A text and the facts that it states, no more and no less."""

    text: str
    facts: tuple[Fact, ...]


def _tellable(values: Values) -> Values:
    """What a person would tell of: without the colours of missing things and the like."""
    told = {
        field: value
        for field, value in values.items()
        if not (value == NONE and (field in _COLOUR_OF or field == "lower"))
    }
    if told.get("inner_colour") == NONE and values.get("upper") not in ("jacket", "coat"):
        del told["inner_colour"]
    return told


def _topic_facts(topic: str, values: Values, r: Random) -> list[str]:
    """Some of the topic's fields, those to keep first when there is room for few."""
    fields = [field for field in _TOPICS[topic][1] if field in values]
    if len(fields) < 2:
        return fields
    thing, colour = fields[0], fields[1]
    roll = r.random()
    if topic == "upper" and len(fields) == 3:
        plain = values["upper_pattern"] == "plain"
        with_pattern = r.random() < (0.12 if plain else 0.5)
        chosen = [colour, thing] if roll < 0.68 else [thing] if roll < 0.84 else [colour]
        if with_pattern:
            chosen.insert(int(r.random() * (len(chosen) + 1)), "upper_pattern")
            if r.random() < 0.12:
                chosen = ["upper_pattern"]
    else:
        chosen = [thing, colour] if roll < 0.68 else [thing] if roll < 0.86 else [colour]
    # A dress is no "top", a suitcase no "bag": there the thing is named before its colour.
    if values.get(thing) in ("dress", "suitcase") and thing not in chosen:
        chosen = [thing, *chosen]
    return chosen


def _choose(values: Values, count: int, r: Random) -> Values:
    """`count` of the values, or all when there are not as many."""
    if count >= len(values):
        return values
    keys: list[tuple[float, str]] = []
    for topic, (weight, fields) in _TOPICS.items():
        present = [field for field in fields if field in values]
        if present:
            seldom = _SELDOM.get((present[0], values[present[0]]), 1.0)
            keys.append((r.random() ** (1.0 / (weight * seldom)), topic))
    keys.sort(reverse=True)
    chosen: list[str] = []
    for _, topic in keys:
        chosen.extend(_topic_facts(topic, values, r))
        if len(chosen) >= count:
            break
    else:
        chosen.extend(field for field in values if field not in chosen)
    if len(chosen) > count:
        chosen = _cut(chosen, count, values)
    return {field: values[field] for field in FIELDS if field in chosen}


def _named(values: Values, tellable: Values, r: Random) -> Values:
    """The values, with some things only named: their own kinds and colours are not told."""
    told = dict(values)
    for field in NAMED_ALONE:
        parts = [part for part in _fields_beside(field) if part in values]
        alone = len(parts) == 1 and values[parts[0]] != NONE and field in tellable
        if alone and r.random() < _NAMED_SHARE:
            del told[parts[0]]
            told[field] = ANY
    return {field: told[field] for field in FIELDS if field in told}


def _fields_beside(field: str) -> tuple[str, ...]:
    return next(fields for _weight, fields in _TOPICS.values() if field in fields)


def _cut(chosen: list[str], count: int, values: Values) -> list[str]:
    kept = chosen[:count]
    for field, thing in (
        ("upper_colour", "upper"),
        ("upper_pattern", "upper"),
        ("bag_colour", "bag"),
    ):
        needs = values.get(thing) in ("dress", "suitcase")
        if needs and field in kept and thing not in kept:
            kept[kept.index(field)] = thing
    return kept


def caption(
    person: Person,
    rng: np.random.Generator,
    language: Language,
    visible: frozenset[str] | None = None,
    facts: int | None = None,
) -> Caption:
    """A caption of some facts of the person, the same for the same generator state.

    Args:
        visible: the fields that may be told, None for all of them.
        facts: how many facts to tell (all, where there are fewer); None draws a number.

    Raises: ValueError, `facts` is less than one.
    """
    if facts is not None and facts < 1:
        raise ValueError(f"a caption tells at least one fact, not {facts}")
    r = Random(int(rng.integers(1 << 62)))
    values = vars(person)
    told = _tellable(
        {field: values[field] for field in FIELDS if visible is None or field in visible}
    )
    if facts is None:
        everything = r.random() < _EVERYTHING
        facts = len(told) if everything else r.choices(range(1, 10), _COUNT_WEIGHTS)[0]
    chosen = _named(_choose(told, facts, r), told, r)
    return Caption(_written(chosen, language, r), tuple(chosen.items()))


def described(facts: Sequence[Fact], rng: np.random.Generator, language: Language) -> Caption:
    """A description of somebody of whom these facts are known, in words that claim no more.

    Up to nine of the facts are told, in some order: unlike a caption of a drawn person, who is
    made of facts, it calls red neither crimson nor a jacket a leather one, and is a statement.

    Raises: ValueError, there are no facts, one is not in the vocabulary, or two contradict.
    """
    if not facts:
        raise ValueError("nothing is known that could be told")
    r = PlainWords(int(rng.integers(1 << 62)))
    values = _values(facts)
    # What is only implied, such as the missing colour of no hat, is told by the other fact.
    told = _tellable(values) or values
    chosen = _choose(told, r.randint(*_DESCRIBED), r)
    return Caption(_written(chosen, language, r, _STATEMENTS), tuple(chosen.items()))


def _written(
    values: Values,
    language: Language,
    r: Random,
    writers: dict[str, Callable[[Values, Random], str]] = _WRITERS,
) -> str:
    write = writers[language]
    while len(text := write(values, r)) > MAX_LENGTH:
        pass
    return text


def _values(facts: Sequence[Fact]) -> Values:
    """Raises: ValueError, a fact is not in the vocabulary, or two of them contradict."""
    values: Values = {}
    for field, value in facts:
        if value not in FIELDS.get(field, ()) and (value != ANY or field not in NAMED_ALONE):
            raise ValueError(f"there is no fact {field}={value!r}")
        if values.setdefault(field, value) != value:
            raise ValueError(f"{field} cannot be both {values[field]!r} and {value!r}")
    for colour, thing in _COLOUR_OF.items():
        if colour not in values or thing not in values:
            continue
        absent = values[thing] in (NONE, "bald")
        if absent != (values[colour] == NONE):
            raise ValueError(f"{thing}={values[thing]!r} contradicts {colour}={values[colour]!r}")
    return values


def contradicts(facts: Sequence[Fact]) -> bool:
    """Whether two of the facts cannot be true of one person, such as no bag, which is red."""
    try:
        _values(facts)
    except ValueError:
        return True
    values = dict(facts)
    below = [values[field] == NONE for field in ("lower", "lower_colour") if field in values]
    # A dress, and nothing else, stands for trousers and skirts as well.
    return "upper" in values and any(bare != (values["upper"] == "dress") for bare in below)


def caption_of(
    person_facts: Sequence[Fact], rng: np.random.Generator, language: Language
) -> Caption:
    """A caption that states exactly these facts, in the order given.

    Raises: ValueError, a fact is not in the vocabulary, or two of them contradict.
    """
    values = _values(person_facts)
    r = Random(int(rng.integers(1 << 62)))
    return Caption(_written(values, language, r), tuple(values.items()))


def orders(
    facts: Sequence[Fact], rng: np.random.Generator, language: Language, count: int
) -> list[str]:
    """Different orders of the same clauses, which are worded once for all of them.

    Returns: `count` different texts, or as many as there are orders of the clauses.
    Raises: ValueError, as `caption_of`.
    """
    r = Random(int(rng.integers(1 << 62)))
    start, pieces, between, end = _MOVABLE[language](_values(facts), r)
    count = min(count, factorial(len(pieces)))
    if len(pieces) <= 5:
        everything = list(permutations(pieces))
        chosen = r.sample(everything, count)
    else:
        drawn: dict[tuple[str, ...], None] = {}
        while len(drawn) < count:
            drawn[tuple(r.sample(pieces, len(pieces)))] = None
        chosen = list(islice(drawn, count))
    return [start + between.join(order) + end for order in chosen]


def attribute_string(person: Person, visible: frozenset[str] | None = None) -> str:
    """The person as comma-joined attributes: "woman,long black hair,red coat,blue jeans".

    The form of `attributes[0]` in SYNTH-PEDES. Things that the person does not have are left out.
    """
    shown = {f: v for f, v in vars(person).items() if visible is None or f in visible}
    items = [shown["gender"]] if "gender" in shown else []
    if shown.get("hair") == "bald":
        items.append("bald")
    elif shown.get("hair"):
        style = shown["hair"]
        style = style if style in ("ponytail", "bun") else f"{style} hair"
        items.append(style)
    return ",".join([*items, *_things(shown)])


def _things(shown: Values) -> list[str]:
    items = []
    for thing, colour in (
        ("hat", "hat_colour"),
        ("glasses", ""),
        ("upper", "upper_colour"),
        ("lower", "lower_colour"),
        ("shoes", "shoes_colour"),
        ("bag", "bag_colour"),
    ):
        noun = shown.get(thing, NONE)
        if noun == NONE:
            continue
        noun = "denim jeans" if noun == "jeans" else noun
        pattern = shown.get("upper_pattern", "plain") if thing == "upper" else "plain"
        words = (shown.get(colour, ""), "" if pattern == "plain" else pattern, noun)
        items.append(" ".join(word for word in words if word))
    if shown.get("umbrella_colour", NONE) != NONE:
        items.append(f"{shown['umbrella_colour']} umbrella")
    return items
