"""What may be typed into the search box: a description, and tokens in it, in either language.

    query   = { token | words }                tokens stand apart: a space, or an end, on both sides
    token   = filter | phrase | likeness
    filter  = dataset:NAME  camera:NAME        repeated: any of them
            | after:DAY  before:DAY            2026-11-01 or 2026-11-01T09:30, both included
            | time:HH:MM-HH:MM                 of any day; 22:00-06:00 goes over midnight
            | identity:known | identity:unknown
            | caption:WORDS                    the words are in a caption of the box
            | review:approved | review:unreviewed
    phrase  = ["+" | "-"] text ["^" WEIGHT]    +: must show; -: must not; a bare phrase is quoted
    likeness= box:ID ["^" WEIGHT]
            | picture:TOKEN["@"L,T,R,B] ["^" WEIGHT]
    text    = word | '"' words '"' | “words” | 「words」
    NAME, WORDS = word | quoted
    WEIGHT  = a number from 0.1 to 10

数据集 相机 摄像头 之后 之前 时间 身份(已知 未知) 描述 审核(已通过 未审核) 框 图片 mean the
same, and full-width signs (：－＋) are read as plain ones. So this is a query:
`camera:3 after:2026-11-01 a man in red -umbrella`.

A quoted phrase without a sign stays in the description as well; its weight says how much more it
counts than the rest. What has a colon in ordinary writing stays ordinary: "suspect: male" (a space
follows), 10:30, 性别：女. An English word joined to a value by a colon can only be meant as a
filter, so an unknown one is refused by name, and so is a Chinese one that is nearly a filter's, and
a filter's name without a value at its colon.
"""

import datetime as dt
import difflib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime

from search import denials, phrases
from search.denials import Denial
from search.errors import BadToken, UnknownToken
from search.scope import Filters


class Role(StrEnum):
    WEIGH = "weigh"
    REQUIRE = "require"
    EXCLUDE = "exclude"


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """One phrase that the user singled out."""

    text: str
    role: Role = Role.WEIGH
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Who looks like this: a box by its id, or a picture by the token it was kept under."""

    box: int | None = None
    picture: str = ""
    crop: tuple[int, int, int, int] | None = None
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Token:
    """A filter or a likeness as it was typed, and where: text[start:stop]."""

    name: str
    value: str
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Query:
    """A text taken apart. `words` is the description that is left."""

    text: str
    words: str
    phrases: tuple[Phrase, ...] = ()
    likenesses: tuple[Likeness, ...] = ()
    filters: Filters = field(default_factory=Filters)
    tokens: tuple[Token, ...] = ()
    singled: tuple[Token, ...] = ()  # the phrases, named by their role

    def without(self, *tokens: Token) -> str:
        """The text without some of its tokens, given in their order."""
        text = self.text
        for token in reversed(tokens):
            text = text[: token.start] + text[token.stop :]
        return " ".join(text.split())

    @property
    def description(self) -> str:
        """The text without filters and likenesses."""
        return self.without(*self.tokens)

    @property
    def filters_typed(self) -> str:
        """The filters alone, as they were typed."""
        kept = [each for each in self.tokens if each.name not in ("box", "picture")]
        return " ".join(self.text[each.start : each.stop] for each in kept)

    @property
    def denials(self) -> tuple[Denial, ...]:
        """What the description denies; not what stands in tokens."""
        words = self.text
        for token in (*self.tokens, *self.singled):
            # As long as before, and the end of what is said before it.
            hidden = "." * (token.stop - token.start)
            words = words[: token.start] + hidden + words[token.stop :]
        return tuple(denials.find(words))

    def leaving_out(self, denial: Denial) -> str:
        """The text with the token that leaves out what it denies now in words."""
        rest = f"{self.text[: denial.start]} {self.text[denial.stop :]}"
        return f"{' '.join(rest.split())} -{_quote(denial.what)}".strip()

    def having(self, text: str, role: Role, weight: float = 1.0) -> str:
        """The text in which one phrase, by its text, has another role or weight."""
        rest, quoted = _released(self, text), _quote(text)
        found = re.search(re.escape(text), rest, re.IGNORECASE)
        if role == Role.REQUIRE:
            return f"{rest} +{quoted}"
        if role == Role.EXCLUDE:
            return f"{_without_phrase(rest, text)} -{quoted}".strip()
        if weight == 1:
            return rest if found or not rest else f"{rest}, {text}"
        weighted = f"{quoted}^{weight:g}"
        if found is None:
            return f"{rest} {weighted}"
        # A token stands apart from the comma that follows the phrase.
        return " ".join(f"{rest[: found.start()]} {weighted} {rest[found.end() :]}".split())


_NAMES = {
    "dataset": "dataset", "数据集": "dataset",
    "camera": "camera", "相机": "camera", "摄像头": "camera",
    "after": "after", "since": "after", "之后": "after",
    "before": "before", "until": "before", "之前": "before",
    "time": "time", "时间": "time", "时段": "time",
    "identity": "identity", "身份": "identity",
    "caption": "caption", "描述": "caption",
    "review": "review", "审核": "review",
    "box": "box", "框": "box",
    "picture": "picture", "图片": "picture",
}  # fmt: skip
_VALUES = {
    "已知": "known", "未知": "unknown",
    "已通过": "approved", "未审核": "unreviewed",
}  # fmt: skip
_EXAMPLES = {
    "dataset": "dataset:mall", "camera": 'camera:"north gate"', "after": "after:2026-11-01",
    "before": "before:2026-11-30", "time": "time:08:00-10:30", "identity": "identity:known",
    "caption": "caption:backpack", "review": "review:approved", "box": "box:17^0.5",
    "picture": "picture:TOKEN@10,20,90,210",
}  # fmt: skip
_QUOTED = r"\"[^\"]+\"|“[^”]+”|「[^」]+」"
_WEIGHT = r"(?:\^(?P<weight>\d+(?:\.\d+)?))?"
_END = r"(?=\s|$)"
_FILTER = re.compile(
    rf"(?P<name>[A-Za-z_]+|[\u4e00-\u9fff]{{1,4}}):(?P<value>{_QUOTED}|[^\s\"^“「][^\s^]*)"
    rf"{_WEIGHT}{_END}"
)
_PHRASE = re.compile(
    rf"(?P<sign>[+-])(?P<text>{_QUOTED}|[^\s\"“「+^-][^\s^]*){_WEIGHT}{_END}"
    rf"|(?P<plain>{_QUOTED}){_WEIGHT.replace('weight', 'plain_weight')}{_END}"
    rf"|(?P<word>[^\s\"^:]+)\^(?P<word_weight>\d+(?:\.\d+)?){_END}"
)
# What can only be meant as a weight, and is none.
_MISWEIGHED = re.compile(rf"[+-]?(?:{_QUOTED}|[^\s\"^:]+)(?P<weight>\^\S+)")
# A filter's name and a colon, and then nothing that belongs to it.
_UNSAID = re.compile(r"(?P<name>[A-Za-z_]+|[\u4e00-\u9fff]{1,4}):(?=\s|$)")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?-(\d{1,2})(?::(\d{2}))?")
_LEAST_WEIGHT, _MOST_WEIGHT = 0.1, 10.0
_WEIGHTS = "^0.1 … ^10"


def parse(text: str) -> Query:
    """A query taken apart; text without tokens is all description.

    Raises:
        UnknownToken: a word is joined to a value by a colon and names no filter.
        BadToken: the value of a filter, or a weight, is none.
    """
    text = unicodedata.normalize("NFKC", text)
    reader = _Reader()
    place = 0
    while place < len(text):
        begins = place == 0 or text[place - 1].isspace()
        found = _match(text, place) if begins else None
        if found is None:
            reader.words.append(text[place])
            place += 1
        else:
            reader.read(found)
            place = found.end()
    return reader.query(text)


def filters_of(query: Query, chosen: Filters) -> Filters:
    """The filters typed and those chosen beside them; a typed value wins over a chosen one."""
    typed = query.filters
    return replace(
        chosen,
        datasets=[*chosen.datasets, *typed.datasets],
        cameras=[*chosen.cameras, *typed.cameras],
        captions=[*chosen.captions, *typed.captions],
        **{
            name: getattr(typed, name)
            for name in ("after", "before", "hours", "identity", "review")
            if getattr(typed, name)
        },
    )


def _match(text: str, place: int) -> re.Match[str] | None:
    unsaid = _UNSAID.match(text, place)
    if unsaid is not None and (name := unsaid["name"].lower()) in _NAMES:
        raise BadToken(unsaid[0], _EXAMPLES[_NAMES[name]])
    found = _FILTER.match(text, place)
    if found is None or (found["name"].lower() not in _NAMES and not found["name"].isascii()):
        if found is not None:
            _refuse_near_miss(found["name"])
        phrase, misread = _PHRASE.match(text, place), _MISWEIGHED.match(text, place)
        if phrase is None and misread is not None:
            raise BadToken(misread["weight"], _WEIGHTS)
        return phrase
    return found


def _refuse_near_miss(name: str) -> None:
    chinese = [known for known in _NAMES if not known.isascii()]
    near = difflib.get_close_matches(name, chinese, 1, 0.6)
    if near:
        raise UnknownToken(name, near[0])


class _Reader:
    """Collects what the tokens say."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.phrases: list[Phrase] = []
        self.likenesses: list[Likeness] = []
        self.tokens: list[Token] = []
        self.singled: list[Token] = []
        self.lists: dict[str, list[str]] = {"dataset": [], "camera": [], "caption": []}
        self.values: dict[str, Any] = {}

    def read(self, found: re.Match[str]) -> None:
        if found.re is _FILTER:
            self._filter(found)
        elif found["sign"]:
            role = Role.REQUIRE if found["sign"] == "+" else Role.EXCLUDE
            # "-camera:3" would be read as a phrase that nobody means.
            inner = _FILTER.match(found["text"])
            if inner and inner["name"].lower() in _NAMES:
                raise BadToken(found[0], _EXAMPLES[_NAMES[inner["name"].lower()]])
            self._phrase(found, found["text"], role, found["weight"])
        else:
            plain = found["plain"] or found["word"]
            weight = found["plain_weight"] or found["word_weight"]
            self._phrase(found, plain, Role.WEIGH, weight)
            self.words.append(_bare(plain))

    def query(self, text: str) -> Query:
        return Query(
            text=text,
            words=" ".join("".join(self.words).split()),
            phrases=tuple(self.phrases),
            likenesses=tuple(self.likenesses),
            filters=Filters(
                datasets=self.lists["dataset"],
                cameras=self.lists["camera"],
                captions=self.lists["caption"],
                **self.values,
            ),
            tokens=tuple(self.tokens),
            singled=tuple(self.singled),
        )

    def _phrase(self, found: re.Match[str], text: str, role: Role, weight: str | None) -> None:
        bare = _bare(text)
        self.phrases.append(Phrase(text=bare, role=role, weight=_weight(weight)))
        self.singled.append(Token(name=role, value=bare, start=found.start(), stop=found.end()))

    def _filter(self, found: re.Match[str]) -> None:
        typed = found["name"].lower()
        if typed not in _NAMES:
            near = difflib.get_close_matches(typed, [n for n in _NAMES if n.isascii()], 1, 0.6)
            raise UnknownToken(found["name"], near[0] if near else "")
        name, value = _NAMES[typed], _bare(found["value"])
        value = _VALUES.get(value, value)
        if name in ("box", "picture"):
            read = _box if name == "box" else _picture
            self.likenesses.append(
                replace(_read(read, name, value), weight=_weight(found["weight"]))
            )
        elif found["weight"]:
            raise BadToken(found[0], _EXAMPLES[name])
        elif name in self.lists:
            self.lists[name].append(value)
        elif name == "time":
            self.values["hours"] = _read(hours, name, value)
        else:
            self.values[name] = _read(_READERS[name], name, value)
        self.tokens.append(Token(name=name, value=value, start=found.start(), stop=found.end()))


def _released(query: Query, phrase: str) -> str:
    """The text with a phrase's own tokens gone; what was quoted stays as plain words."""
    text = query.text
    for token in reversed(query.singled):
        if token.value.casefold() == phrase.casefold():
            kept = token.value if token.name == Role.WEIGH else ""
            text = text[: token.start] + kept + text[token.stop :]
    return " ".join(text.split()).replace(" ,", ",").replace(" ，", "，")


def _without_phrase(text: str, phrase: str) -> str:
    """A text whose description no longer tells a phrase; its other tokens stay."""
    query = parse(text)
    others = [each for each in phrases.split(query.words) if each.casefold() != phrase.casefold()]
    if len(others) == len(phrases.split(query.words)):
        return text
    between = "，" if phrases.is_chinese(query.words) else ", "
    kept = sorted((*query.tokens, *query.singled), key=lambda token: token.start)
    tokens = [text[token.start : token.stop] for token in kept if token.name != Role.WEIGH]
    return " ".join([between.join(others), *tokens]).strip()


def _quote(text: str) -> str:
    return f'"{text}"' if re.search(r"[\s:^]", text) else text


def _read(reader: Callable[[str], Any], name: str, value: str) -> Any:
    try:
        return reader(value)
    except ValueError as exc:
        raise BadToken(f"{name}:{value}", _EXAMPLES[name]) from exc


def _bare(text: str) -> str:
    quoted = len(text) > 2 and text[0] + text[-1] in ('""', "“”", "「」")
    return " ".join(text[1:-1].split()) if quoted else text


def _weight(text: str | None) -> float:
    if text is None:
        return 1.0
    weight = float(text)
    if not _LEAST_WEIGHT <= weight <= _MOST_WEIGHT:
        raise BadToken(f"^{text}", _WEIGHTS)
    return weight


def _moment(value: str) -> dt.date:
    found = parse_date(value) or parse_datetime(value)
    if found is None:
        raise ValueError(value)
    return found


def hours(value: str) -> tuple[dt.time, dt.time]:
    """Hours of a day, "08:00-10:30" or "8-10". Raises: ValueError."""
    found = _CLOCK.fullmatch(value)
    if found is None:
        raise ValueError(value)
    first, minute, last, end = (int(part or 0) for part in found.groups())
    # "until 24:00" is until the end of the day.
    until = dt.time(23, 59, 59, 999999) if (last, end) == (24, 0) else dt.time(last, end)
    return dt.time(first, minute), until


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value.lower() not in allowed:
            raise ValueError(value)
        return value.lower()

    return read


def _box(value: str) -> Likeness:
    number = int(value)
    if not 0 < number < 2**63:
        raise ValueError(value)
    return Likeness(box=number)


def _picture(value: str) -> Likeness:
    found = re.fullmatch(r"([A-Za-z0-9_-]{1,64})(?:@(\d{1,5},\d{1,5},\d{1,5},\d{1,5}))?", value)
    if found is None:
        raise ValueError(value)
    if found[2] is None:
        return Likeness(picture=found[1])
    left, top, right, bottom = (int(part) for part in found[2].split(","))
    if left >= right or top >= bottom:
        raise ValueError(value)
    return Likeness(picture=found[1], crop=(left, top, right, bottom))


_READERS: dict[str, Callable[[str], Any]] = {
    "after": _moment,
    "before": _moment,
    "identity": _one_of("known", "unknown"),
    "review": _one_of("approved", "unreviewed"),
}
