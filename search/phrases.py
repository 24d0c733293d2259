"""A description taken apart into attribute phrases, and put together in several orders.

"a woman in a red coat with a black backpack" gives woman, red coat, black backpack; the same in
Chinese, 一个穿红色大衣、背黑色双肩包的女人, gives 红色大衣, 黑色双肩包, 女人. A phrase is what
one bar of evidence stands for. There is no parser behind it: clauses end at punctuation and at the
words that join them (in, with, wearing; 穿, 戴, 背), and what says nothing about a look is dropped.
Words that the lists below do not know stay in the phrase that they stand in.
"""

import re
from itertools import pairwise

# More phrases than anybody reads bars for; a text beyond that is somebody's paragraph.
MOST = 12
# Orders in an ensemble: more of them cost time and change nothing that can be measured.
ORDERS = 4

_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
# Two words or more of English in a Chinese sentence; a T恤 has one letter.
_ENGLISH = re.compile(
    r"([A-Za-z][A-Za-z0-9'-]*(?:\s+[A-Za-z][A-Za-z0-9'-]*)+(?![A-Za-z0-9\u4e00-\u9fff]))"
)
# A full stop inside a number or a name divides nothing, nor does a hyphen.
_MARKS = re.compile(r"\s*(?:(?<!\bw)/|[,;|+&，；、。！？…\n]|[.!?](?=\s|$)|\s-\s)\s*")
_EDGES = re.compile(r"^[\s\"'“”‘’()（）:：.,·-]+|[\s\"'“”‘’()（）:：.,·-]+$")

_COLOURS = (
    "black|white|gr[ae]y|red|blue|green|yellow|orange|pink|purple|brown|beige|navy|khaki|cream|tan"
)
_PEOPLE = (
    "woman|women|man|men|lady|ladies|girl|boy|guy|gentleman|female|male|lad|bloke|dude|chap|gal"
)
_ANYBODY = (
    "person|people|someone|somebody|anyone|anybody|pedestrian|individual|subject|figure|suspect"
    "|one|who|passer-by|walker|they|she|he|it|her|him|them|there"
)
# What begins a new clause. "without" and "no" belong to the phrase: they turn it round.
_JOINTS = re.compile(
    r"(?<![\w-])(?<!not )(?:(?:is|are|was|were|who|that|which|she|he|they|also|and|has|have|had"
    r"|been|being|seen|who's|she's|he's|they're)\s+)*"
    r"(?:dressed (?:all |entirely )?in|clad in|wearing|wears|wore"
    # A colour after "in" belongs to what stands before it: a hoodie in pea green.
    rf"|in(?!\s+(?:[\w-]+\s+)?(?:{_COLOURS})\s*$)|with|carrying|carries|carried"
    r"|holding|holds|sporting|donning|has on|having|has|have|pulling|pulls|dragging|rolling"
    r"|pushing|under|beneath|plus|as well as|along with|and|whose|who is|who has|who|is|are|was)\b"
    r"(?!\s+(?:front|back|side|the back|the head|the hand)\b)",
    re.IGNORECASE,
)
# "whose hat is red" and "her hat is red" tell of a red hat.
_OWN = re.compile(
    rf"\b(?:whose|her|his|their|the)\s+([\w-]+)\s+(?:is|are|was|were)\s+"
    rf"((?:[\w-]+\s+)?(?:{_COLOURS}))\b",
    re.IGNORECASE,
)
_TWO_COLOURS = re.compile(rf"\b({_COLOURS})\s+and\s+({_COLOURS})\b", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:please|can|could|you|i|we|am|i'm|find|finding|show|showing|search|looking|look|locate"
    r"|spot|get|see|saw|seen|me|for|any|all|of|to|check|footage|video|tape|record|recordings|left|shop|have|has|do|does|did|is|are|was|were|be|the|a|an"
    r"|some|this|that|her|his|their|its|she|he|they|who|pair|also|then|there|there's|it|both|just"
    r"|what|where|which|like|someone|somebody|person)\b\s*)+",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\s+(?:(?:on|over|across|in|around|down|at|by|to|near|from|through|past) "
    r"(?:the|her|his|their|a|one|each|both)\s+"
    r"(?:back|shoulders?|head|hands?|feet|arms?|chest|face|nose|street|road|pavement|camera|picture"
    r"|image|photo|scene|bank|shop|store))\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:gender|sex|who|build|figure|hair|head|hat|headwear|eyes|eyewear|face|glasses|top|upper"
    r"|upper body|clothes|clothing|inner|bottom|lower|lower body|legs|trousers|shoes|footwear|feet"
    r"|bags?|carrying|umbrella|pose|posture|view|suspect)\s*:\s*",
    re.IGNORECASE,
)
_AND = re.compile(r"^and\s+", re.IGNORECASE)
_BE = ("is", "are", "was", "were")
_HEAD = re.compile(rf"^(.+?)[\s,]+({_PEOPLE})$", re.IGNORECASE)
_NOTHING = re.compile(rf"^(?:{_ANYBODY}|and|or|with|in|on|at|of|is|are|walking by)$", re.IGNORECASE)

_ZH_PEOPLE = (
    "女性行人|男性行人|小伙子|女人|男人|女子|男子|女生|男生|女孩子?|男孩子?|姑娘|小伙|女士|男士|女性|男性"
    "|女的|男的|先生|大叔|大妈|阿姨|老人|小孩|女|男"
)
_ZH_ANYBODY = "行人|路人|某人|有人|人物|目标|嫌疑人|家伙|这人|那人|人|他|她"
# Where the person is said to have something on or with them. A verb that is part of a noun (背包,
# 拉杆箱, 外套) or that is denied (没戴) begins no clause.
_ZH_JOINTS = re.compile(
    r"(?:(?<![没未不无有])(?:上身|下身|头上|脚上|身上|背上|肩上|手里|手上|手中|脸上|里面|头|脚|身|手|肩"
    r"|上(?=穿)|下(?=穿))?"
    r"(?:穿着?|戴着?|(?<!后)背(?!包|影|面|对|心|带|$)着?|[拎提](?!包|袋|箱)着?|拿着?|撑着?|打(?!底|扮)着?|挎(?!包)着?"
    r"|拉(?!杆|链)着?|(?<![凉字])拖(?!鞋|杆|$)着?|推(?!车)着?|举着?|持着?|披着|系着|踩着?|蹬着?|(?<!系)带(?!帽|子)着?|架着"
    r"|留着?|扎(?!染)着?|梳着?|套着|搭着)了?"
    r"|(?:上身|下身|头上|脚上|背上)是|(?:并且|而且|以及|同时|并(?=没|不|未)|且)|(?<![柔温])和(?!服)|与"
    r"|(?<=[裤裙衣衫恤鞋靴包镜伞袋箱服装帽])的(?=\S))"
)
_ZH_NOUN = re.compile(rf"的?({_ZH_PEOPLE}|{_ZH_ANYBODY})$")
_ZH_LEAD = re.compile(
    r"^(?:请|麻烦|帮我|帮忙|我想|我在|正在|查找|搜索|搜一下|寻找|找出|找到|找一下|找|有没有|有个|有|看见|看到|我"
    r"|谁|在|给我看看|显示|所有|图中|画面中|照片里|图片里|监控里|街上|路上|是|的|这是|那是|[个件条顶把副款]|一[个名位件条双顶把副只款身头]"
    r"|这[个位名]?|那[个位名]?|该|某个|了|着|她|他|其)+"
)
_ZH_TAIL = re.compile(r"(?:在哪里?|了吗|了|吗|呢|的|且|并)+$")
_ZH_LABEL = re.compile(
    r"^(?:性别|体型|身材|头发|发型|帽子|头部|眼镜|面部|上衣|上身|内搭|下装|下身|裤子|鞋子|鞋|包|携带物品|雨伞|伞"
    r"|姿态|动作|朝向|视角|特征|外貌)\s*[:：]\s*"
)
_ZH_NOTHING = re.compile(rf"^(?:{_ZH_ANYBODY})$")


def is_chinese(text: str) -> bool:
    return _CHINESE.search(text) is not None


def split(text: str) -> list[str]:
    """The attribute phrases of a description, in its order, each once; at most MOST.

    A description in which nothing is recognized is one phrase.
    """
    parts = [part for run in _runs(text) for part in _clauses(run)]
    seen: dict[str, str] = {}
    for part in parts:
        seen.setdefault(part.casefold(), part)
    return list(seen.values())[:MOST] or ([text.strip()] if text.strip() else [])


def clauses(text: str) -> list[str]:
    """A description cut into the clauses that may change places, every word kept.

    "a woman in a red coat with a bag" gives a woman, in a red coat, with a bag. Phrases alone
    would do for the eye; models find more by the words that they were trained on, joints included.
    """
    found = [piece for run in _runs(text) for piece in _cut(run.strip())]
    # Between two languages a joint may be left alone, which tells of nobody.
    said = [piece for piece in found if piece and not _is_joint(piece)]
    return list(dict.fromkeys(said))[:MOST]


def orders(text: str) -> list[str]:
    """Texts that tell the same clauses in up to ORDERS orders; the text alone if it has but one.

    They depend on which clauses there are and not on the order that they come in, so that the
    mean of their vectors does not either.
    """
    ranked = sorted(clauses(text), key=lambda clause: (clause.casefold(), clause))
    if len(ranked) < 2:
        return [text]
    between = "，" if is_chinese(text) else ", "
    turned = [
        order
        for start in range(len(ranked))
        for order in (ranked[start:] + ranked[:start], (ranked[start:] + ranked[:start])[::-1])
    ]
    return list(dict.fromkeys(between.join(order) for order in turned))[:ORDERS]


def _runs(text: str) -> list[str]:
    """What stands between marks; of a sentence in both languages, what is in one of them."""
    found = []
    for part in _MARKS.split(text):
        found += _ENGLISH.split(part) if is_chinese(part) else [part]
    return found


def _is_joint(piece: str) -> bool:
    return bool(_JOINTS.fullmatch(piece) or _ZH_JOINTS.fullmatch(piece))


def _cut(text: str) -> list[str]:
    joints = _ZH_JOINTS if is_chinese(text) else _JOINTS
    text = text if is_chinese(text) else _TWO_COLOURS.sub(r"\1&\2", text)
    # "whose hat is red" stays whole.
    starts = [m.start() for m in joints.finditer(text) if m[0].lower() not in _BE]
    cuts = [0, *(start for start in starts if start), len(text)]
    pieces, kept = [], ""
    for start, stop in pairwise(cuts):
        kept = f"{kept} {text[start:stop].strip()}".strip()
        # "and is" before "wearing" is no clause.
        if not joints.fullmatch(kept):
            pieces.append(kept)
            kept = ""
    pieces.append(kept)
    return [part for piece in pieces for part in _without_head(piece)]


def _without_head(piece: str) -> list[str]:
    """A clause; in Chinese the noun that it ends in apart: 穿红色大衣的 + 女人."""
    if not is_chinese(piece):
        return [_AND.sub("", piece).replace("&", " and ")]
    piece = piece.removeprefix("的")
    noun = _ZH_NOUN.search(piece)
    return [piece[: noun.start()], noun[1]] if noun else [piece]


def _clauses(text: str) -> list[str]:
    return _chinese(text) if is_chinese(text) else _english(text)


def _english(text: str) -> list[str]:
    text = _PLACE.sub("", _LABEL.sub("", _EDGES.sub("", text)))
    text = _OWN.sub(r"with \2 \1", text.replace("w/", "with "))
    # "black and white" is one pattern and no joint.
    text = _TWO_COLOURS.sub(r"\1&\2", text)
    found = []
    for piece in _JOINTS.split(text):
        phrase = _EDGES.sub("", _LEAD.sub("", _EDGES.sub("", piece))).replace("&", " and ")
        head = _HEAD.match(phrase)
        found += [head[1], head[2]] if head else [phrase]
    return [" ".join(phrase.split()) for phrase in found if phrase and not _NOTHING.match(phrase)]


def _chinese(text: str) -> list[str]:
    found = []
    for word in _ZH_LABEL.sub("", _EDGES.sub("", text)).split():
        for piece in _ZH_JOINTS.split(_ZH_LABEL.sub("", word)):
            phrase = _ZH_TAIL.sub("", _ZH_LEAD.sub("", _EDGES.sub("", piece)))
            noun = _ZH_NOUN.search(phrase)
            parts = [phrase[: noun.start()], noun[1]] if noun else [phrase]
            found += [_ZH_TAIL.sub("", part) for part in parts]
    return [phrase for phrase in found if phrase and not _ZH_NOTHING.match(phrase)]
