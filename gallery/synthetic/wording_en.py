"""English clauses: what is said of one topic, in words that follow a noun or a verb.

A clause says something about one topic (hair, hat, upper ...). Its wording states exactly the
facts that it was made from.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from gallery.synthetic.attributes import ANY, NONE
from gallery.synthetic.vocabulary_en import (
    BAG,
    BAGLESS,
    BALD,
    BALD_HAVE,
    BAREHEADED,
    BLOUSE,
    BUILD,
    BUILD_HAVE,
    CLOSED,
    CLOTHES,
    COLOUR,
    GLASSES,
    HAIR,
    HAIR_ADJECTIVE,
    HAIR_COLOUR,
    HAIR_OWN,
    HAT,
    HATLESS,
    INNER,
    LOWER,
    LOWER_COLOUR,
    NO_BAG,
    NO_GLASSES,
    NO_UMBRELLA,
    PATTERN,
    PATTERN_ALONE,
    PATTERN_WITH,
    POSE,
    POSE_ADJECTIVE,
    POSE_AND_VIEW,
    SHOES,
    SHOES_COLOUR,
    SOME_UMBRELLA,
    TOP,
    UMBRELLA,
    UPPER,
    VIEW,
    VIEW_TAG,
    WITHOUT_GLASSES,
    WITHOUT_UMBRELLA,
)
from gallery.synthetic.wordlists import pick

Values = Mapping[str, str]


class Clause(NamedTuple):
    """One topic in words.

    `verb` is a key of frames_en.LEADS ("wear", "carry" ...), or "adjective" (stands before
    the noun), "is" (stands after it, or after "is"), "tag" (stands only between commas).
    `own` says the same as a predicate of a belonging: "coat is red"; empty when there is none.
    """

    topic: str
    verb: str
    phrase: str
    own: str = ""


def article(phrase: str) -> str:
    """The phrase with "a" before it, "an" before a vowel."""
    return f"{'an' if phrase[0] in 'aeiou' and not phrase.startswith('one') else 'a'} {phrase}"


def coloured(template: str, colour: str) -> str:
    """The template with its {c} replaced, and the article in front of it made to fit."""
    if not colour:
        return template.replace("{c} ", "")
    if template.startswith("a {c}"):
        return article(colour + template[5:])
    text = template.replace("{c}", colour)
    return text.replace(" a " + colour, " " + article(colour)) if colour[0] in "aeiou" else text


def _with_colour(thing: str, colour: str, r: Random) -> str:
    """A thing that may bring its article ("a skirt", "a pair of jeans", "boots") in a colour."""
    roll = r.random()
    if thing.endswith("luggage") and " of " not in thing:
        thing = thing.removeprefix("a ")
    if roll < 0.04 and " " not in thing:
        return f"{thing} in {colour}"
    if roll < 0.06 and " " not in thing:
        return f"{thing} that {'are' if thing.endswith('s') else 'is'} {colour}"
    if thing.startswith("a pair of "):
        return f"a pair of {colour} {thing[10:]}"
    if thing.startswith("a "):
        return article(f"{colour} {thing[2:]}")
    return f"{colour} {thing}"


def _build(v: Values, r: Random, brief: bool) -> Clause:
    build = v["build"]
    if r.random() < (0.75 if brief else 0.6):
        return Clause("build", "adjective", pick(r, BUILD[build]))
    phrase = pick(r, BUILD_HAVE[build])
    if r.random() < 0.35 and phrase.endswith(("build", "figure")):
        return Clause("build", "is", "of " + (phrase if build != "average" else phrase[3:]))
    return Clause("build", "have", phrase)


def _hair(v: Values, r: Random, brief: bool) -> Clause:
    style, shade = v.get("hair", ""), v.get("hair_colour", "")
    if "bald" in (style, "bald" if shade == NONE else ""):
        if r.random() < 0.65:
            return Clause("hair", "adjective", pick(r, BALD))
        return Clause("hair", "have", pick(r, BALD_HAVE))
    colour = pick(r, HAIR_COLOUR[shade]) if shade else ""
    if not style:
        if r.random() < 0.35 and "-" not in colour:
            loose = colour in ("ginger", "brunette", "blonde", "blond") and r.random() < 0.5
            joint = "" if loose else pick(r, ("-haired", "-haired", " haired"))
            return Clause("hair", "adjective", colour + joint)
        return Clause("hair", "have", f"{colour} hair", f"hair is {colour}")
    if not shade and style in HAIR_ADJECTIVE and r.random() < 0.25:
        return Clause("hair", "adjective", pick(r, HAIR_ADJECTIVE[style]))
    own = pick(r, HAIR_OWN[style]) + (f" and {colour}" if colour else "")
    return Clause("hair", "have", coloured(pick(r, HAIR[style]), colour), own)


def _hat(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("hat", ""), v.get("hat_colour", "")
    if NONE in (kind, shade):
        if r.random() < 0.55:
            return Clause("hat", "is", pick(r, BAREHEADED))
        return Clause("hat", "have", pick(r, HATLESS))
    noun = pick(r, HAT[kind]) if kind and kind != ANY else "hat"
    if not shade:
        return Clause("hat", "don", article(noun))
    colour = pick(r, COLOUR[shade])
    place = "" if kind or brief or r.random() < 0.8 else " on the head"
    phrase = _with_colour("a " + noun, colour, r) + place
    return Clause("hat", "don", phrase, f"{noun} is {colour}" if " with " not in noun else "")


def _glasses(v: Values, r: Random, brief: bool) -> Clause:
    kind = v["glasses"]
    if kind == NONE:
        if r.random() < 0.5:
            return Clause("glasses", "is", pick(r, WITHOUT_GLASSES))
        return Clause("glasses", "have", pick(r, NO_GLASSES))
    if kind == "glasses" and r.random() < 0.07:
        return Clause("glasses", "adjective", "bespectacled")
    return Clause("glasses", "don", pick(r, GLASSES[kind]))


def _upper(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade, pattern = v.get("upper"), v.get("upper_colour"), v.get("upper_pattern")
    colour = pick(r, COLOUR[shade]) if shade else ""
    if kind:
        female_shirt = kind == "shirt" and v.get("gender") == "woman"
        noun = pick(r, BLOUSE if female_shirt and r.random() < 0.4 else UPPER[kind])
        mass = False
    else:
        if not pattern and r.random() < (0.12 if brief else 0.3):
            return _all_colour(colour, r)
        if pattern and not shade and r.random() < 0.25:
            return Clause("upper", "wear", pick(r, PATTERN_ALONE[pattern]))
        mass = r.random() < 0.2
        noun = pick(r, CLOTHES if mass else TOP)
    before, after = colour, ""
    if pattern:
        if r.random() < 0.7:
            word = pick(r, PATTERN[pattern])
            before = f"{word} {colour}" if r.random() < 0.5 else f"{colour} {word}"
        else:
            after = " " + pick(r, PATTERN_WITH[pattern])
    phrase = f"{before} {noun}{after}".strip()
    if shade and not pattern and r.random() < 0.06:
        phrase = f"{noun} {'in' if r.random() < 0.5 else 'coloured'} {colour}"
    phrase = phrase.replace("  ", " ")
    own = ""
    if shade and not pattern and not mass:
        own = f"{noun} is {colour}"
    return Clause("upper", "wear", phrase if mass else article(phrase), own)


def _all_colour(colour: str, r: Random) -> Clause:
    roll = r.random()
    if roll < 0.4:
        return Clause("upper", "is", f"wearing {colour}")
    if roll < 0.7:
        return Clause("upper", "is", f"dressed in {colour}")
    if roll < 0.85:
        return Clause("upper", "is", f"in {colour}")
    return Clause("upper", "is", f"wearing {colour} on top")


def _inner(v: Values, r: Random, brief: bool) -> Clause:
    if v["inner_colour"] == NONE:
        return Clause("inner", "have", pick(r, CLOSED))
    colour = pick(r, COLOUR[v["inner_colour"]])
    return Clause("inner", "have", coloured(pick(r, INNER), colour))


def _lower(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("lower", ""), v.get("lower_colour", "")
    if NONE in (kind, shade):
        return Clause("lower", "have", "no trousers or skirt")
    if not kind:
        phrase = coloured(pick(r, LOWER_COLOUR), pick(r, COLOUR[shade]))
        return Clause("lower", "wear", phrase)
    noun = pick(r, LOWER[kind])
    if not shade:
        return Clause("lower", "wear", noun)
    colour = pick(r, COLOUR[shade])
    bare = noun.removeprefix("a pair of ").removeprefix("a ")
    own = f"{bare} {'is' if kind == 'skirt' else 'are'} {colour}"
    return Clause("lower", "wear", _with_colour(noun, colour, r), own)


def _shoes(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("shoes", ""), v.get("shoes_colour", "")
    if not kind:
        colour = pick(r, COLOUR[shade])
        own = f"shoes are {colour}"
        return Clause("shoes", "don", coloured(pick(r, SHOES_COLOUR), colour), own)
    noun = pick(r, SHOES[kind])
    if not shade:
        return Clause("shoes", "don", noun)
    colour = pick(r, COLOUR[shade])
    own = f"{noun.removeprefix('a pair of ')} are {colour}"
    return Clause("shoes", "don", _with_colour(noun, colour, r), own)


_PLACES = {
    "backpack": " on the back",
    "handbag": " in the hand",
    "shoulder bag": " over the shoulder",
}
_BAG_VERBS = {"backpack": "back", "suitcase": "roll", "handbag": "carry", "shoulder bag": "carry"}


def _bag(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("bag", ""), v.get("bag_colour", "")
    if NONE in (kind, shade):
        if r.random() < 0.55:
            return Clause("bag", "is", pick(r, BAGLESS))
        return Clause("bag", "have", pick(r, NO_BAG))
    noun = pick(r, BAG[kind]) if kind and kind != ANY else "bag"
    verb = _BAG_VERBS.get(kind, "carry")
    placed = any(word in noun for word in (" in the ", " on the ", " over ", " across ", " of "))
    place = "" if brief or placed or r.random() < 0.88 else _PLACES.get(kind, "")
    if not shade and place:
        return Clause("bag", verb, article(noun) + place)
    if not shade:
        return Clause("bag", verb, noun if noun.endswith("luggage") else article(noun))
    colour = pick(r, COLOUR[shade])
    own = "" if placed else f"{noun} is {colour}"
    return Clause("bag", verb, _with_colour("a " + noun, colour, r) + place, own)


def _umbrella(v: Values, r: Random, brief: bool) -> Clause:
    shade = v["umbrella_colour"]
    if shade == NONE:
        if r.random() < 0.5:
            return Clause("umbrella", "is", pick(r, WITHOUT_UMBRELLA))
        return Clause("umbrella", "have", pick(r, NO_UMBRELLA))
    if shade == ANY:
        return Clause("umbrella", "hold", article(pick(r, SOME_UMBRELLA)))
    colour = pick(r, COLOUR[shade])
    phrase = coloured(pick(r, UMBRELLA), colour)
    return Clause("umbrella", "hold", phrase, f"umbrella is {colour}")


def _pose(v: Values, r: Random, brief: bool) -> Clause:
    if not brief and r.random() < 0.15:
        return Clause("pose", "adjective", pick(r, POSE_ADJECTIVE[v["pose"]]))
    return Clause("pose", "is", pick(r, POSE[v["pose"]]))


def _view(v: Values, r: Random, brief: bool) -> Clause:
    if r.random() < (0.6 if brief else 0.12):
        return Clause("view", "tag", pick(r, VIEW_TAG[v["view"]]))
    return Clause("view", "is", pick(r, VIEW[v["view"]]))


_TOPICS: tuple[tuple[tuple[str, ...], Callable[[Values, Random, bool], Clause]], ...] = (
    (("build",), _build),
    (("hair", "hair_colour"), _hair),
    (("hat", "hat_colour"), _hat),
    (("glasses",), _glasses),
    (("upper", "upper_colour", "upper_pattern"), _upper),
    (("inner_colour",), _inner),
    (("lower", "lower_colour"), _lower),
    (("shoes", "shoes_colour"), _shoes),
    (("bag", "bag_colour"), _bag),
    (("umbrella_colour",), _umbrella),
    (("pose",), _pose),
    (("view",), _view),
)


def clauses(v: Values, r: Random, brief: bool = False) -> list[Clause]:
    """A clause for each topic that the values touch, from head to foot; gender is not among them.

    brief: the clauses will stand as keywords.
    """
    found = [word(v, r, brief) for fields, word in _TOPICS if any(field in v for field in fields)]
    if "pose" in v and "view" in v and r.random() < 0.35:
        both = pick(r, POSE_AND_VIEW[f"{v['pose']} {v['view']}"])
        found[-2:] = [Clause("pose", "is", both)]
    return found
