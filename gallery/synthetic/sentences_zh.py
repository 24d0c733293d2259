"""Chinese sentences, phrases and keyword lists put together from clauses."""

from collections.abc import Sequence
from random import Random

from gallery.synthetic.attributes import NONE
from gallery.synthetic.vocabulary_zh import COLOUR, GENDER, GENDER_KEY, NOBODY
from gallery.synthetic.wording_zh import Clause, Values, clauses
from gallery.synthetic.wordlists import pick, table, words

LEADS = table(
    {
        "upper": "穿着*8|穿*4|身穿*4|上身穿着*3|上身穿*3|上穿|身着*2|上身是",
        "dress": "穿着*8|穿*5|身穿*4|身着*2",
        "lower": "穿着*8|穿*3|下身穿着*3|下身穿*4|下穿|身穿|下身是*2",
        "shoes": "穿着*6|穿*3|脚穿*4|脚上穿着*3|脚上是*2|脚踩*2|脚蹬|脚上穿",
        "hat": "戴着*14|头戴*8|戴*10|头上戴着*4|头上是|带着",
        "glasses": "戴着*14|戴*11|脸上戴着*2|架着|带着",
        "back": "背着*8|背*3|身背*2|背上背着|背上是",
        "shoulder": "背着*5|挎着*5|肩上挎着*2|背*2|身背|肩背|带着|挎",
        "hand": "拎着*5|提着*5|手提*2|手拎*2|手里拿着*3|拿着*2|手上拎着|手里提着*2|手持",
        "roll": "拉着*6|推着*2|拖着*5|提着*2|手拉|带着*2|拉|拖",
        "bag": "带着*4|背着*3|拿着*3|身上带着|背|带",
        # 背 and 包 make a 背包, which is a backpack.
        "some bag": "带着*5|拿着*4|背着*3|身上带着|带|拿",
        "hold": "打着*6|撑着*6|举着*2|拿着*2|手撑|手里打着|打*4|撑*3|带着*2|带|有",
        "is": "",
        "tag": "",
    }
)
# Garments that share one verb: 穿着红色大衣和蓝色牛仔裤.
_SHARED = words("穿着*5|穿*2|身穿*3|身着")
ASK = words(
    "帮我找一个{n}*3|帮我找{n}*2|找一个{n}*3|找{n}*2|有没有{n}*3|有没有{n}？*2|请找出{n}*2"
    "|我想找{n}*2"
    "|查找{n}*3|搜索{n}*2|寻找{n}*3|请帮忙找一下{n}|谁看到{n}了？|{n}在哪里？*2|{n}在哪*2"
    "|看到{n}了吗？*2"
    "|找出{n}|给我看看{n}|有{n}吗？*2|在找一个{n}*2|我在找{n}*2|麻烦找一下{n}|帮忙查一下{n}"
    "|想找一位{n}"
    "|搜一下{n}|显示{n}|所有{n}|找到{n}"
)
TELL = words(
    "我看见一个{n}*3|有一个{n}*3|有个{n}*3|图中是一个{n}*2|画面中有一个{n}*2|这是一个{n}*3"
    "|照片里是一个{n}"
    "|街上有一个{n}*2|路上有个{n}*2|看到一个{n}*2|嫌疑人是一个{n}|目标是一个{n}|图片里有一位{n}"
    "|监控里有一个{n}"
)
_ONE = words("*8|一个*8|一名*4|一位*3|那个*2|这个|那位|某个")
# 一名 and 一位 do not go with 女的.
_ONE_PLAIN = words("*3|一个*4|那个*2|这个")
_THIS_PLAIN = words("这个*3|那个*2|一个*2")
_THIS = words("这个*5|这位*3|这名*3|该*2|那个*2|一个*4|一名*3|一位*2|图中的")
LABELS = {
    "build": ("体型", "身材"),
    "hair": ("头发", "发型"),
    "hat": ("帽子", "头部"),
    "glasses": ("眼镜", "面部"),
    "upper": ("上衣", "上身"),
    "inner": ("内搭",),
    "lower": ("下装", "下身", "裤子"),
    "shoes": ("鞋子", "鞋"),
    "bag": ("包", "携带物品"),
    "umbrella": ("雨伞", "伞"),
    "pose": ("姿态", "动作"),
    "view": ("朝向", "视角"),
}
LABELS["lower"] = ("下装", "下身")
_PRONOUN = {"woman": "她", "man": "他"}
# 胖女人, but 胖的女士; 长发女孩, but 长发的女的.
_SHORT_NOUNS = {
    "女人",
    "女子",
    "女生",
    "女孩",
    "姑娘",
    "男人",
    "男子",
    "男生",
    "男孩",
    "小伙子",
    "小伙",
}
_LONG_NOUNS = {"人", "女的", "男的", "女性行人", "男性行人", "行人", "路人"}
_GARMENTS = ("upper", "dress", "lower", "shoes")


def _wording(v: Values, r: Random, brief: bool) -> list[Clause]:
    found = clauses(v, r, brief)
    found = _above_and_below(found, v, r) if "lower_colour" in v else found
    if r.random() < 0.6:
        r.shuffle(found)
    return found


def _above_and_below(found: list[Clause], v: Values, r: Random) -> list[Clause]:
    """Two colours without garments may be told in one breath: 上身红色下身黑色, 一身黑."""
    both = v.get("upper_colour")
    alone = v["lower_colour"] != NONE and not {"upper", "upper_pattern", "lower"} & v.keys()
    if both is None or not alone or r.random() < 0.3:
        return found
    above, below = pick(r, COLOUR[both]), pick(r, COLOUR[v["lower_colour"]])
    forms: tuple[str, ...]
    if both == v["lower_colour"]:
        forms = ("全身{a}", "一身{a}", "穿着一身{a}", "全身穿着{a}", "上下都是{a}", "穿一身{a}")
    else:
        forms = ("上身{a}下身{b}", "上身{a}，下身{b}", "上{a}下{b}", "上身穿{a}下身穿{b}")
    text = pick(r, forms).format(a=above, b=below)
    rest = [c for c in found if c.topic not in ("upper", "lower")]
    return [Clause("upper", "is", text), *rest]


def _predicates(found: Sequence[Clause], r: Random) -> list[str]:
    """Each clause with its verb; garments side by side may share one."""
    texts: list[str] = []
    at = 0
    while at < len(found):
        clause = found[at]
        run = at + 1
        while run < len(found) and clause.verb in _GARMENTS and found[run].verb in _GARMENTS:
            run += 1
        if run - at > 1 and r.random() < 0.4:
            things = [c.phrase for c in found[at:run]]
            last = pick(r, ("和", "和", "、", "以及", "与"))
            shod = any(c.verb == "shoes" for c in found[at:run])
            texts.append(
                pick(r, ("穿着", "穿") if shod else _SHARED)
                + "、".join(things[:-1])
                + last
                + things[-1]
            )
            at = run
            continue
        texts.append(_predicate(clause, r))
        at += 1
    return texts


def _predicate(clause: Clause, r: Random) -> str:
    lead, phrase = pick(r, LEADS[clause.verb]), clause.phrase
    if not phrase.startswith("一") or clause.verb == "is":
        return lead + phrase
    if lead.endswith("是"):
        return lead + phrase[2:]
    if len(lead) == 1 and r.random() < 0.75:
        # 穿件红大衣, 背了个黑包.
        return lead + ("了" if r.random() < 0.5 else "") + phrase[1:]
    return lead + phrase


def _noun(v: Values, adjectives: Sequence[Clause], r: Random) -> str:
    noun = pick(r, GENDER[v["gender"]]) if "gender" in v else pick(r, NOBODY)
    parts = [c.phrase for c in adjectives]
    # What carries 的 stands first, one syllable last: 苗条的长发女子, 光头胖男人.
    parts.sort(key=lambda part: (not part.endswith("的"), len(part) == 1))
    if parts and not parts[-1].endswith("的"):
        bare = noun in _SHORT_NOUNS if len(parts[-1]) == 1 else noun not in _LONG_NOUNS
        parts[-1] += "" if bare else "的"
    return "".join(parts) + noun


def _split(found: Sequence[Clause]) -> tuple[list[Clause], list[Clause]]:
    adjectives = [c for c in found if c.verb == "adjective"]
    return adjectives, [c for c in found if c.verb != "adjective"]


def _attributive(v: Values, r: Random, *, counted: bool) -> str:
    """穿着红色大衣、背着黑色双肩包的女人."""
    adjectives, rest = _split(_wording(v, r, False))
    texts = _predicates(rest, r)
    noun = _noun(v, adjectives, r)
    one = pick(r, _ONE if noun[-1] != "的" else _ONE_PLAIN) if counted else ""
    if not texts:
        return pick(r, ("一个", "某个", "")) + noun if noun == "人" else one + noun
    between = pick(r, ("、", "、", "、", "，", "，", "", "并", "且"))
    if between in ("并", "且"):
        text = "、".join(texts[:-1]) + between + texts[-1] if len(texts) > 1 else texts[0]
    else:
        text = between.join(texts)
    return f"{one}{text.removesuffix('的')}的{noun}"


def _apposed(v: Values, r: Random) -> str:
    """一个女人，穿着红色大衣，背着黑色双肩包."""
    adjectives, rest = _split(_wording(v, r, False))
    texts = _predicates(rest, r)
    noun = _noun(v, adjectives, r)
    head = pick(r, _ONE if noun[-1] not in "的人" else _ONE_PLAIN) + noun
    return "，".join([head, *texts])


def _sentence(v: Values, r: Random) -> str:
    adjectives, rest = _split(_wording(v, r, False))
    texts = _predicates(rest, r)
    return _who(v, adjectives, r) + _listed(texts, r)


def _who(v: Values, adjectives: Sequence[Clause], r: Random) -> str:
    if "gender" in v and not adjectives and r.random() < 0.35:
        return _PRONOUN[v["gender"]]
    if "gender" not in v and not adjectives:
        return pick(r, ("这个人", "此人", "这人", "该行人", "有个人", "有人", "那个人", "一个人"))
    noun = _noun(v, adjectives, r)
    return pick(r, _THIS if noun[-1] not in "的人" else _THIS_PLAIN) + noun


def _listed(texts: Sequence[str], r: Random) -> str:
    if len(texts) < 2:
        return "".join(texts)
    last = pick(r, ("，", "，", "，", "，并且", "，还", "，同时"))
    if last != "，" and texts[-1][0] not in "戴背拎提拉拖打撑举挎穿":
        last = "，"
    return "，".join(texts[:-1]) + last + texts[-1]


def _sentences(v: Values, r: Random) -> str:
    adjectives, rest = _split(_wording(v, r, False))
    if len(rest) < 2:
        return _who(v, adjectives, r) + _listed(_predicates(rest, r), r)
    cut = 1 + int(r.random() * (len(rest) - 1))
    first = _who(v, adjectives, r) + _listed(_predicates(rest[:cut], r), r)
    later = rest[cut:]
    owned = [c.own for c in later if c.own] if r.random() < 0.5 else []
    others = [c for c in later if not (owned and c.own)]
    between = pick(r, ("。", "。", "；", "，"))
    again = _PRONOUN[v["gender"]] if "gender" in v else pick(r, ("此人", "这个人", ""))
    if between == "，":
        again = ""
    second = []
    if others:
        second.append(again + _listed(_predicates(others, r), r))
    second.extend(owned)
    return first + between + "，".join(second)


def _asked(v: Values, r: Random) -> str:
    template = pick(r, ASK if r.random() < 0.65 else TELL)
    return template.format(n=_attributive(v, r, counted=False))


def _nicknamed(v: Values, r: Random) -> str:
    """条纹衫墨镜男: things glued to the gender."""
    items = [_key(c.phrase) for c in _wording(v, r, True)]
    return "".join(items) + pick(r, GENDER_KEY[v["gender"]])


def _key(phrase: str) -> str:
    return phrase.removesuffix("的")


def _keywords(v: Values, r: Random) -> str:
    items = [_key(c.phrase) for c in _wording(v, r, True)]
    if "gender" in v:
        place = 0 if r.random() < 0.45 else int(r.random() * (len(items) + 1))
        items.insert(place, pick(r, GENDER_KEY[v["gender"]]))
    return pick(r, ("，", "，", "，", " ", " ", " ", "、", "、", "；", "/", ",", "+", ", ")).join(
        items
    )


def _labelled(v: Values, r: Random) -> str:
    items = []
    if "gender" in v:
        items.append(f"性别：{'女' if v['gender'] == 'woman' else '男'}")
    items.extend(f"{pick(r, LABELS[c.topic])}：{_key(c.phrase)}" for c in _wording(v, r, True))
    return pick(r, ("；", "，", " ")).join(items)


def _finished(text: str, r: Random) -> str:
    """Full stops and comma habits of a person who types."""
    roll = r.random()
    if roll < 0.25 and text[-1] not in "？。":
        text += "。"
    elif roll > 0.93:
        text = text.rstrip("？。")
    habit = r.random()
    if habit < 0.06:
        text = text.replace("，", " ").strip()
    elif habit < 0.1:
        text = text.replace("，", ",")
    elif habit < 0.13:
        text = text.replace("、", "，")
    elif habit < 0.16:
        text = text.replace("，", "").replace("、", "")
    return text


def write(v: Values, r: Random) -> str:
    """One wording of the values in one of the forms that people use."""
    if len(v) - ("gender" in v) < 1:
        return _finished(_asked(v, r) if r.random() < 0.4 else _attributive(v, r, counted=True), r)
    form = r.random()
    # Long attributes before 的 read badly: the more there is to say, the fewer of them.
    before = 0.42 if len(v) <= 6 else 0.12
    if form < before:
        text = _attributive(v, r, counted=True)
    elif form < 0.50:
        text = _apposed(v, r)
    elif form < 0.61:
        text = _sentence(v, r)
    elif form < 0.70:
        text = _sentences(v, r)
    elif form < 0.81:
        text = _asked(v, r)
    elif form < 0.84 and "gender" in v and len(v) <= 5:
        text = _nicknamed(v, r)
    elif form < 0.97:
        text = _keywords(v, r)
    else:
        text = _labelled(v, r)
    return _finished(text, r)


def describe(v: Values, r: Random) -> str:
    """A statement of the values, as on a data sheet: nothing asked, no mark left off."""
    roll = r.random()
    if len(v) < 2 or roll < (0.4 if len(v) <= 6 else 0.1):
        text = _attributive(v, r, counted=True)
    elif roll < 0.6:
        text = _apposed(v, r)
    elif roll < 0.8:
        text = _sentence(v, r)
    else:
        text = _sentences(v, r)
    return f"{text}。"


def movable(v: Values, r: Random) -> tuple[str, list[str], str, str]:
    """A start, pieces that may stand in any order, what goes between them, and an end."""
    if r.random() < 0.4:
        items = [_key(c.phrase) for c in clauses(v, r, True)]
        if "gender" in v:
            items.append(pick(r, GENDER_KEY[v["gender"]]))
        return "", items, "，", ""
    adjectives, rest = _split(clauses(v, r))
    end = _noun(v, adjectives, r)
    pieces = [_predicate(c, r).removesuffix("的") for c in rest]
    return "", pieces, "、", ("的" + end if pieces else end)
