"""Chinese clauses: what is said of one topic (see wording_en)."""

from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from gallery.synthetic.attributes import ANY, NONE
from gallery.synthetic.vocabulary_zh import (
    BAG,
    BALD,
    BALD_IS,
    BUILD,
    BUILD_IS,
    CLOSED,
    COLOUR,
    COLOUR_SHORT,
    GLASSES,
    HAIR,
    HAIR_ADJECTIVE,
    HAIR_COLOUR,
    HAIR_ONLY_COLOUR,
    HAT,
    HATLESS,
    INNER,
    LOWER,
    LOWER_COLOUR_IS,
    NO_BAG,
    NO_GLASSES,
    NO_UMBRELLA,
    PATTERN,
    PATTERN_OWN,
    POSE,
    POSE_AND_VIEW,
    SHOES,
    TOP,
    UMBRELLA,
    UPPER,
    VIEW,
    VIEW_TAG,
)
from gallery.synthetic.wordlists import pick

Values = Mapping[str, str]


class Clause(NamedTuple):
    """One topic in words.

    `verb` is a key of sentences_zh.LEADS ("upper", "hat" ...), or "adjective" (stands before the
    noun, with its own 的 where it needs one), "is" (a predicate of its own: 背对镜头), "tag"
    (stands only between commas: 背面). `own` is a predicate of a belonging: 大衣是红色的.
    """

    topic: str
    verb: str
    phrase: str
    own: str = ""


# The measure words of things; a noun not listed takes 个.
_MEASURES = (
    ("裙", "条"), ("裤", "条"), ("鞋", "双"), ("靴", "双"), ("拖", "双"), ("帽", "顶"),
    ("镜", "副"), ("伞", "把"),
)  # fmt: skip


def measured(topic: str, thing: str, noun: str) -> str:
    """The thing with 一 and the measure word that the noun takes."""
    if topic == "bag":
        return ("一只" if "箱" in noun else "一个") + thing
    if topic == "upper" and "裙" not in noun:
        return "一件" + thing
    return next((f"一{m}" for part, m in _MEASURES if part in noun), "一个") + thing


def _coloured(noun: str, shade: str, r: Random) -> str:
    roll = r.random()
    if roll < 0.24 and not (noun[0].isascii() or (shade in ("orange", "beige") and roll > 0.08)):
        return pick(r, COLOUR_SHORT[shade]) + noun
    colour = pick(r, COLOUR[shade])
    return f"{colour}的{noun}" if roll > 0.74 else colour + noun


def _own(noun: str, shade: str, r: Random) -> str:
    colour = pick(r, COLOUR[shade])
    return pick(r, ("{n}是{c}的", "{n}是{c}的", "{n}是{c}", "{n}为{c}", "{n}的颜色是{c}")).format(
        n=noun, c=colour
    )


def _thing(topic: str, verb: str, noun: str, shade: str, r: Random) -> Clause:
    thing = _coloured(noun, shade, r) if shade else noun
    phrase = measured(topic, thing, noun) if r.random() < 0.22 else thing
    return Clause(topic, verb, phrase, _own(noun, shade, r) if shade else "")


def _build(v: Values, r: Random, brief: bool) -> Clause:
    if r.random() < (0.3 if brief else 0.45):
        return Clause("build", "adjective", pick(r, BUILD[v["build"]]))
    return Clause("build", "is", pick(r, BUILD_IS[v["build"]]))


def _hair(v: Values, r: Random, brief: bool) -> Clause:
    style, shade = v.get("hair", ""), v.get("hair_colour", "")
    if style == "bald" or shade == NONE:
        if r.random() < 0.55:
            return Clause("hair", "adjective", pick(r, BALD))
        return Clause("hair", "is", pick(r, BALD_IS))
    colour = pick(r, HAIR_COLOUR[shade]) if shade else ""
    if not style:
        if len(colour) == 1:
            return Clause("hair", "adjective", colour + pick(r, ("发", "发", "头发", "头发的")))
        if not colour.endswith("色"):
            return Clause(
                "hair", "is", pick(r, ("头发{c}", "{c}头发", "一头{c}头发")).format(c=colour)
            )
        return Clause("hair", "is", pick(r, HAIR_ONLY_COLOUR).format(c=colour))
    if not colour and r.random() < 0.3:
        return Clause("hair", "adjective", pick(r, HAIR_ADJECTIVE[style]))
    if len(colour) > 1 and r.random() < 0.3:
        colour += "的"
    text = pick(r, HAIR[style]).replace("{c}", colour)
    return Clause("hair", "is", text)


def _hat(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("hat", ""), v.get("hat_colour", "")
    if NONE in (kind, shade):
        return Clause("hat", "is", pick(r, HATLESS))
    noun = pick(r, HAT[kind]) if kind and kind != ANY else "帽子"
    return _thing("hat", "hat", noun, shade, r)


def _glasses(v: Values, r: Random, brief: bool) -> Clause:
    kind = v["glasses"]
    if kind == NONE:
        return Clause("glasses", "is", pick(r, NO_GLASSES))
    return _thing("glasses", "glasses", pick(r, GLASSES[kind]), "", r)


# 红衣女子, the one who wears red.
_DRESSED = {
    "black": "黑", "white": "白", "grey": "灰", "red": "红", "blue": "蓝", "green": "绿",
    "yellow": "黄", "pink": "粉", "purple": "紫",
}  # fmt: skip


def _upper(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade, pattern = v.get("upper"), v.get("upper_colour", ""), v.get("upper_pattern")
    noun = pick(r, UPPER[kind]) if kind else pick(r, TOP)
    verb = "dress" if kind == "dress" else "upper"
    if not kind and not pattern and r.random() < 0.12 and shade in _DRESSED:
        return Clause(
            "upper", "adjective", _DRESSED[shade] + pick(r, ("衣", "衣", "衣服的", "衣的"))
        )
    if not kind and not pattern and r.random() < 0.25:
        colour = pick(r, COLOUR[shade])
        here = ("上身{c}", "上身穿{c}", "上衣是{c}的", "上衣为{c}", "上身是{c}的", "上身穿着{c}")
        return Clause("upper", "is", pick(r, here).format(c=colour))
    if noun == "衫" and not pattern:
        noun = "上衣"
    if not pattern:
        return _thing("upper", verb, noun, shade, r)
    if noun == "衫" and shade:
        noun = "上衣"
    mark = pick(r, PATTERN[pattern])
    if noun == "衫" and mark.endswith("的"):
        noun = "上衣"
    own = noun + pick(r, PATTERN_OWN[pattern]) if not shade else ""
    if not shade:
        thing = mark + noun
        if not mark.endswith("的") and r.random() < 0.12 and noun != "衫":
            thing = f"{mark}的{noun}"
    elif pattern == "plain" or mark.endswith("的") or r.random() < 0.3:
        thing = mark + _coloured(noun, shade, r)
    else:
        thing = _coloured(mark + noun, shade, r)
    return Clause("upper", verb, measured("upper", thing, noun) if r.random() < 0.2 else thing, own)


def _inner(v: Values, r: Random, brief: bool) -> Clause:
    if v["inner_colour"] == NONE:
        return Clause("inner", "is", pick(r, CLOSED))
    return Clause("inner", "is", pick(r, INNER).replace("{c}", pick(r, COLOUR[v["inner_colour"]])))


def _lower(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("lower", ""), v.get("lower_colour", "")
    if NONE in (kind, shade):
        return Clause("lower", "is", "没有另穿裤子或半身裙")
    if not kind:
        return Clause("lower", "is", pick(r, LOWER_COLOUR_IS).format(c=pick(r, COLOUR[shade])))
    return _thing("lower", "lower", pick(r, LOWER[kind]), shade, r)


def _shoes(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("shoes", ""), v.get("shoes_colour", "")
    noun = pick(r, SHOES[kind]) if kind else pick(r, ("鞋", "鞋子", "鞋子"))
    return _thing("shoes", "shoes", noun, shade, r)


_BAG_VERBS = {"": "bag", ANY: "some bag", "backpack": "back", "suitcase": "roll", "handbag": "hand"}


def _bag(v: Values, r: Random, brief: bool) -> Clause:
    kind, shade = v.get("bag", ""), v.get("bag_colour", "")
    if NONE in (kind, shade):
        return Clause("bag", "is", pick(r, NO_BAG))
    noun = pick(r, BAG[kind]) if kind and kind != ANY else pick(r, ("包", "包", "包包", "包"))
    return _thing("bag", _BAG_VERBS.get(kind, "shoulder"), noun, shade, r)


def _umbrella(v: Values, r: Random, brief: bool) -> Clause:
    shade = v["umbrella_colour"]
    if shade == NONE:
        return Clause("umbrella", "is", pick(r, NO_UMBRELLA))
    return _thing("umbrella", "hold", pick(r, UMBRELLA), "" if shade == ANY else shade, r)


def _pose(v: Values, r: Random, brief: bool) -> Clause:
    return Clause("pose", "is", pick(r, POSE[v["pose"]]))


def _view(v: Values, r: Random, brief: bool) -> Clause:
    if brief and r.random() < 0.6:
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
