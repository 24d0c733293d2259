"""Facts read from attributes that somebody typed: "female, long black hair, navy jacket".

The vocabulary that captions are written from is read backwards. What it does not know is left
over, and of what may mean two things nothing is taken: a black and white shirt is a shirt.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from gallery.synthetic import vocabulary_en as en
from gallery.synthetic import vocabulary_zh as zh
from gallery.synthetic.attributes import ANY, FIELDS, NAMED_ALONE, NONE, Fact
from gallery.synthetic.captions import contradicts
from gallery.synthetic.wordlists import Words

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_MARKS = re.compile(r"[,;|，；、。\n]+|\.(?=\s|$)|(?<=[\w\u4e00-\u9fff])\s*[:：]\s*")
_NO = re.compile(r"(?:\bno|\bnot|\bwithout|n't)\b|没|無|无|[不未](?=[戴背带打拿撑])")
# Their second word alone is another thing: a shirt in "sweat shirt", a coat in "rain coat".
_COMMON: dict[str, tuple[Fact, ...]] = {
    "top": (), "clothes": (), "clothing": (), "上衣": (), "衣服": (), "上身": (),
    "sweatshirt": (("upper", "hoodie"),), "polo shirt": (("upper", "shirt"),),
    "tank top": (("upper", "vest"),), "down jacket": (("upper", "jacket"),),
    "hat": (("hat", ANY),), "帽子": (("hat", ANY),), "bag": (("bag", ANY),), "包": (("bag", ANY),),
    "umbrella": (("umbrella_colour", ANY),), "leggings": (("lower", "trousers"),),
    "shoes": (), "footwear": (), "鞋": (), "鞋子": (), "bottoms": (), "下身": (), "下装": (),
    "hair": (), "头发": (),
}  # fmt: skip
# The field of the colour that stands with a thing, and the things that are known by it alone.
_COLOUR_OF = {
    "hat": "hat_colour", "upper": "upper_colour", "lower": "lower_colour",
    "shoes": "shoes_colour", "bag": "bag_colour", "umbrella_colour": "umbrella_colour",
    "hair": "hair_colour",
}  # fmt: skip
_THING_OF = {
    "top": "upper", "clothes": "upper", "clothing": "upper", "上衣": "upper", "衣服": "upper",
    "上身": "upper", "shoes": "shoes", "footwear": "shoes", "鞋": "shoes", "鞋子": "shoes",
    "bottoms": "lower", "下身": "lower", "下装": "lower", "hair": "hair", "头发": "hair",
}  # fmt: skip
# How light a thing is says nothing of its colour.
_NO_COLOUR = ("dark", "深色")
_HAIR_STYLES = {
    "short": ("short", "短"), "long": ("long", "长"), "ponytail": ("ponytail", "pony tail", "马尾"),
    "bun": ("bun", "topknot", "丸子头", "发髻", "盘发"),
    "bald": ("bald", "no hair", "shaved head", "光头", "秃"),
}  # fmt: skip
_HAIR = re.compile(
    r"\bhair|\bhaired|ponytail|pony tail|\bbun\b|\bbald|topknot|发|马尾|丸子头|光头|秃"
)
# What a yes or a no in JSON puts before its name.
_YES = {"true": "", "yes": "", "1": "", "false": "no ", "no": "no ", "0": "no "}


@dataclass(frozen=True)
class Stated:
    """Facts that do not contradict each other, and the phrases that say something else."""

    facts: tuple[Fact, ...]
    unknown: tuple[str, ...]


def read(text: str) -> Stated:
    """Attributes as a list with commas, in English or Chinese, or as a JSON object."""
    return of_phrases(_listed(text))


def of_phrases(phrases: Iterable[str]) -> Stated:
    """Facts of phrases that each tell of one thing: "navy jacket", 黑色双肩包.

    A field that is told in two ways is not told at all.
    """
    found: dict[str, set[str]] = {}
    unknown = []
    for phrase in phrases:
        facts = _named(phrase) or _facts(phrase)
        if not facts:
            unknown.append(phrase)
        for field, value in facts:
            found.setdefault(field, set()).add(value)
    for field in NAMED_ALONE:
        # "a bag" says no more where "a backpack" is told as well.
        if len(found.get(field, ())) > 1:
            found[field].discard(ANY)
    told = {field: values.pop() for field, values in found.items() if len(values) == 1}
    return Stated(settled(told), tuple(unknown))


def settled(told: Mapping[str, str]) -> tuple[Fact, ...]:
    """The facts in the order of their fields, without the colours that contradict their things."""
    kept: list[Fact] = []
    for field in FIELDS:
        if field in told and not contradicts([*kept, (field, told[field])]):
            kept.append((field, told[field]))
    return tuple(kept)


def _listed(text: str) -> Iterator[str]:
    if text.lstrip()[:1] in ("{", "["):
        try:
            yield from _told(json.loads(text))
            return
        except (ValueError, RecursionError):
            pass
    yield from (part.strip() for part in _MARKS.split(text) if part.strip())


def _told(value: object, name: str = "") -> Iterator[str]:
    """The phrases of a JSON value, each with the name that it stands under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _told(inner, str(key).strip())
    elif isinstance(value, list):
        for inner in value:
            yield from _told(inner, name)
    elif str(value).lower() in _YES:
        yield _YES[str(value).lower()] + name
    elif isinstance(value, str) and value.strip():
        for part in _MARKS.split(value):
            own = part.strip()
            if own:
                known = name not in FIELDS and _facts(own)
                yield own if known else f"{own} {name}".strip()


def _facts(phrase: str) -> list[Fact]:
    text = " ".join(phrase.lower().replace("_", " ").split())
    if not text or "unknown" in text:
        return []
    if _NO.search(text):
        return _denied(text)
    if _HAIR.search(text):
        return _hair(text)
    thing, field, facts = _thing(text)
    rest = text.replace(thing, " ", 1) if thing else text
    found = list(facts)
    colours = _values_in(rest, "COLOUR", but=_NO_COLOUR)
    if field in _COLOUR_OF and len(colours) == 1:
        colour_field = _COLOUR_OF[field]
        found = [fact for fact in found if fact[0] != colour_field]
        found.append((colour_field, colours.pop()))
    if field == "upper":
        patterns = _values_in(rest, "PATTERN") | _values_in(rest, "PATTERN_WITH")
        found += [("upper_pattern", patterns.pop())] if len(patterns) == 1 else []
    if not field:
        found = [
            (name, values.pop())
            for name, table in (
                ("gender", "GENDER"), ("build", "BUILD"), ("pose", "POSE"), ("view", "VIEW_TAG"),
                ("view", "VIEW"),
            )
            if len(values := _values_in(text, table)) == 1
        ][:1]  # fmt: skip
    return found


def _named(phrase: str) -> list[Fact]:
    """A field and its value as the vocabulary itself has them, value first: "grey lower_colour"."""
    value, _, name = phrase.rpartition(" ")
    return [(name, value)] if value in FIELDS.get(name, ()) else []


def _denied(text: str) -> list[Fact]:
    """ "no hat", 没戴眼镜: that a thing is not there."""
    for field, words in (
        ("hat", r"\bhats?\b|headwear|帽"),
        ("glasses", r"glasses|eyewear|spectacles|眼镜|墨镜"),
        ("bag", r"\bbags?\b|luggage|包"),
        ("umbrella_colour", r"umbrella|伞"),
        ("hair", r"\bhair\b|头发"),
    ):
        if re.search(words, text):
            return [(field, "bald" if field == "hair" else NONE)]
    return []


def _hair(text: str) -> list[Fact]:
    styles = {
        style
        for style, words in _HAIR_STYLES.items()
        if any(re.search(rf"\b{word}\b" if word.isascii() else word, text) for word in words)
    }
    # "a long ponytail" is a ponytail.
    styles = styles - {"short", "long"} or styles if len(styles) > 1 else styles
    colours = _values_in(re.sub(r"\bred-?brown\b", " ", text), "HAIR_COLOUR")
    found = [("hair", styles.pop())] if len(styles) == 1 else []
    return found + ([("hair_colour", colours.pop())] if len(colours) == 1 else [])


def _thing(text: str) -> tuple[str, str, tuple[Fact, ...]]:
    """The longest name of a thing in a phrase, the field it belongs to, and what it states."""
    pattern, things = _things(_CHINESE.search(text) is not None)
    word = max(pattern.findall(text), key=len, default="")
    return (word, *things[word]) if word else ("", "", ())


@cache
def _things(chinese: bool) -> tuple[re.Pattern[str], dict[str, tuple[str, tuple[Fact, ...]]]]:
    book = zh if chinese else en
    found: dict[str, tuple[str, tuple[Fact, ...]]] = {}
    for field, table in (
        ("hat", book.HAT), ("glasses", book.GLASSES), ("upper", book.UPPER),
        ("lower", book.LOWER), ("shoes", book.SHOES), ("bag", book.BAG),
    ):  # fmt: skip
        for value, words in table.items():
            for word in words:
                bare = word.lower().removeprefix("a pair of ").removeprefix("a ")
                found[bare] = (field, ((field, value),))
                found.setdefault(f"{bare}s", (field, ((field, value),)))
    for word in zh.UMBRELLA if chinese else en.SOME_UMBRELLA:
        found[word] = ("umbrella_colour", (("umbrella_colour", ANY),))
    for word, facts in _COMMON.items():
        found.setdefault(word, (facts[0][0] if facts else _THING_OF[word], facts))
    return _any_of(found, chinese), found


def _values_in(text: str, table: str, but: Sequence[str] = ()) -> set[str]:
    """The values that a text names."""
    pattern, values = _worded(table, _CHINESE.search(text) is not None)
    return {values[word] for word in pattern.findall(text) if word not in but}


@cache
def _worded(table: str, chinese: bool) -> tuple[re.Pattern[str], dict[str, str]]:
    book = zh if chinese else en
    lines: dict[str, Words] = dict(getattr(book, table, {}))
    if chinese and table == "COLOUR":
        lines = {value: (*words, *zh.COLOUR_SHORT[value]) for value, words in lines.items()}
    if chinese and table == "GENDER":
        lines = {"woman": (*lines["woman"], "女"), "man": (*lines["man"], "男")}
    values = {word.lower(): value for value, words in lines.items() for word in words}
    return _any_of(values, chinese), values


def _any_of(found: Iterable[str], chinese: bool) -> re.Pattern[str]:
    """Any of the words, the longer before the shorter in it; whole where words have ends."""
    choice = "|".join(re.escape(word) for word in sorted(found, key=len, reverse=True))
    if not choice:
        return re.compile(r"(?!)")
    return re.compile(choice if chinese else rf"(?<![\w-])(?:{choice})(?![\w-])")
