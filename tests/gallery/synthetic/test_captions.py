import re
from collections import Counter
from functools import cache

import numpy as np
import pytest

from gallery.synthetic import sentences_en, vocabulary_en, vocabulary_zh
from gallery.synthetic.attributes import (
    ANY,
    FIELDS,
    NAMED_ALONE,
    NONE,
    Fact,
    Person,
    draw_person,
)
from gallery.synthetic.captions import (
    MAX_LENGTH,
    Language,
    attribute_string,
    caption,
    caption_of,
    orders,
)

LANGUAGES: tuple[Language, ...] = ("en", "zh")
VOCABULARY = {"en": vocabulary_en, "zh": vocabulary_zh}
# Colour words written down apart from the vocabulary, longer before shorter: what a reader takes
# them to mean. Grey hair may be called white, blond hair golden.
COLOUR_WORDS = {
    "en": {
        "black": ("black",), "white": ("white", "grey"), "grey": ("grey",), "gray": ("grey",),
        "red": ("red",), "crimson": ("red",), "scarlet": ("red",), "burgundy": ("red",),
        "blue": ("blue",), "navy": ("blue",), "azure": ("blue",), "green": ("green",),
        "olive": ("green",), "emerald": ("green",), "yellow": ("yellow",), "mustard": ("yellow",),
        "orange": ("orange",), "tangerine": ("orange",), "pink": ("pink",), "purple": ("purple",),
        "lilac": ("purple",), "violet": ("purple",), "brown": ("brown",), "beige": ("beige",),
        "khaki": ("beige",), "tan": ("beige",), "cream": ("beige",), "blonde": ("blond",),
        "ginger": ("red",), "silver": ("grey",), "charcoal": ("grey",),
    },
    "zh": {
        "橘黄": ("orange",), "米黄": ("beige",), "金黄": ("yellow", "blond"), "粉红": ("pink",),
        "桃红": ("pink",), "玫红": ("pink",), "灰白": ("grey",), "花白": ("grey",),
        "斑白": ("grey",), "棕红": ("red",), "牛仔蓝": ("blue",), "牛油果": ("green",),
        "黑": ("black",), "白": ("white",), "灰": ("grey",), "银": ("grey",), "红": ("red",),
        "蓝": ("blue",), "绿": ("green",), "黄": ("yellow",), "橙": ("orange",),
        "橘": ("orange",), "粉": ("pink",), "紫": ("purple",), "棕": ("brown",),
        "褐": ("brown",), "咖啡": ("brown",), "米": ("beige",), "卡其": ("beige",),
        "驼": ("beige",),
    },
}  # fmt: skip
TABLES = {
    "gender": "GENDER",
    "build": "BUILD",
    "hair": "HAIR",
    "hat": "HAT",
    "glasses": "GLASSES",
    "upper": "UPPER",
    "upper_colour": "COLOUR",
    "upper_pattern": "PATTERN",
    "lower": "LOWER",
    "shoes": "SHOES",
    "bag": "BAG",
    "pose": "POSE",
    "view": "VIEW",
}


@cache
def people(count: int) -> list[Person]:
    rng = np.random.default_rng(0)
    return [draw_person(rng) for _ in range(count)]


@pytest.fixture
def careful(monkeypatch):
    """Nobody mistypes: a slip may turn "black" into "back"."""
    monkeypatch.setattr(sentences_en, "SLIP_SHARE", 0)


def named_colours(text: str, language: Language) -> list[tuple[str, ...]]:
    meanings = COLOUR_WORDS[language]
    pattern = "|".join(meanings)
    if language == "en":
        pattern = rf"\b(?:{pattern})\b"
    return [meanings[found] for found in re.findall(pattern, text.lower())]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caption_states_only_visible_facts_of_its_person(language):
    rng = np.random.default_rng(1)
    for person in people(1500):
        visible = frozenset(field for field in FIELDS if rng.random() < 0.6)
        told = caption(person, rng, language, visible)
        assert person.fits(told.facts)
        assert {field for field, _ in told.facts} <= visible
        assert len({field for field, _ in told.facts}) == len(told.facts)


@pytest.mark.usefixtures("careful")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caption_names_no_colour_that_it_does_not_state(language):
    rng = np.random.default_rng(3)
    seen = 0
    for person in people(3000):
        told = caption(person, rng, language)
        stated = {value for field, value in told.facts if field.endswith("colour")}
        for meanings in named_colours(told.text, language):
            assert stated & set(meanings), told
            seen += 1
    assert seen > 3000


@pytest.mark.usefixtures("careful")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_caption_names_no_thing_that_it_does_not_state(language):
    """The longest wording at each place counts: a hooded sweatshirt is no shirt."""
    meaning = {
        word.removeprefix("a ").lower(): (field, value)
        for field in ("upper", "lower", "shoes", "bag", "hat")
        for value, options in getattr(VOCABULARY[language], TABLES[field]).items()
        for word in options
    }
    pattern = "|".join(re.escape(word) for word in sorted(meaning, key=len, reverse=True))
    if language == "en":
        pattern = rf"\b(?:{pattern})\b"
    rng = np.random.default_rng(5)
    seen = 0
    for person in people(3000):
        told = caption(person, rng, language)
        # What shows underneath may be called a shirt, and "no backpack" names what is not there.
        if any(fact[0] == "inner_colour" or fact[1] == NONE for fact in told.facts):
            continue
        for word in re.findall(pattern, told.text.lower()):
            assert meaning[word] in told.facts, told
            seen += 1
    assert seen > 2500


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("table", sorted({*TABLES.values(), "HAIR_COLOUR"}))
def test_no_wording_stands_for_two_values_of_a_field(language, table):
    owners: dict[str, str] = {}
    for value, options in getattr(VOCABULARY[language], table).items():
        for word in set(options):
            assert owners.setdefault(word.lower(), value) == value, word


@pytest.mark.usefixtures("careful")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", TABLES)
def test_every_wording_of_a_value_is_used(language, field):
    rng = np.random.default_rng(7)
    for value, options in getattr(VOCABULARY[language], TABLES[field]).items():
        if value == "bald":
            continue
        texts = [caption_of([(field, value)], rng, language).text for _ in range(700)]
        everything = "\n".join(texts).lower()
        for option in set(options):
            word = option.removeprefix("a ").replace("{c} ", "").replace("{c}", "")
            assert word.removesuffix("的").lower() in everything, (field, value, option)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_every_field_has_many_wordings(language):
    rng = np.random.default_rng(8)
    for field, values in FIELDS.items():
        for value in values:
            # Nobody tells of the trousers that a dress does not need; one wording will do.
            least = 1 if field.startswith("lower") and value == NONE else 6
            texts = {caption_of([(field, value)], rng, language).text for _ in range(80)}
            assert len(texts) >= least, (field, value, texts)


@pytest.mark.usefixtures("careful")
@pytest.mark.parametrize(
    ("fact", "english", "chinese"),
    [
        (("hat", NONE), r"\bno\b|\bnot\b|without|nothing|bare|hatless|uncovered", "没|不|未|无"),
        (("glasses", NONE), r"\bno\b|\bnot\b|without", "没|不|未|无"),
        (("bag", NONE), r"\bno\b|\bnot\b|without|nothing|empty|bagless", "没|不|未|无|空"),
        (("umbrella_colour", NONE), r"\bno\b|\bnot\b|without", "没|不|未|无"),
    ],
)
def test_the_absence_of_a_thing_is_said_as_an_absence(fact, english, chinese):
    rng = np.random.default_rng(9)
    for language, pattern in (("en", english), ("zh", chinese)):
        texts = [caption_of([fact], rng, language).text.lower() for _ in range(300)]
        assert all(re.search(pattern, text) for text in texts)


# What a text may call a thing of which it says no more.
NAMES = {
    "hat": {"en": "hat", "zh": "帽子"},
    "bag": {"en": "bag", "zh": "包"},
    "umbrella_colour": {"en": r"umbrella|parasol|brolly", "zh": "伞"},
}


@pytest.mark.usefixtures("careful")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("field", NAMED_ALONE)
def test_a_thing_may_be_named_and_no_more_said_of_it(field, language):
    rng = np.random.default_rng(12)
    denies = r"\bno\b|\bnot\b|without|没|不|未|无|空"
    for _ in range(300):
        told = caption_of([(field, ANY)], rng, language)
        assert told.facts == ((field, ANY),)
        assert re.search(NAMES[field][language], told.text.lower()), told
        assert not re.search(denies, told.text.lower().replace("有没有", "")), told
        assert not named_colours(told.text, language), told
        # 背 and 包 are a 背包, which is a kind of bag.
        assert not re.search("背包|手提包", told.text), told
    assert not draw_person(rng).fits([("glasses", ANY), ("glasses", NONE)])
    with pytest.raises(ValueError, match="glasses"):
        caption_of([("glasses", ANY)], rng, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_name_each_thing_alone_often_enough_to_be_learned_from(language):
    rng = np.random.default_rng(13)
    told = [caption(person, rng, language) for person in people(3000)]
    facts = Counter(fact for one in told for fact in one.facts)
    for field in NAMED_ALONE:
        assert facts[field, ANY] > 10, field


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_are_tidy(language):
    rng = np.random.default_rng(10)
    for person in people(5000):
        text = caption(person, rng, language).text
        assert text == text.strip()
        assert 0 < len(text) <= MAX_LENGTH == 300
        assert not re.search(
            r"  |\{|\}| [,.;]|[,，、]{2}|的的|\ba (?!one)[aeiou]|None|none", text
        ), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_of_random_people_are_nearly_all_different(language):
    rng = np.random.default_rng(12)
    texts = {caption(person, rng, language).text for person in people(2000)}
    assert len(texts) >= 0.95 * 2000


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_generator_state_gives_the_same_caption(language):
    one, other = (np.random.default_rng(14) for _ in range(2))
    for person in people(50):
        assert caption(person, one, language) == caption(person, other, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_number_of_facts_can_be_asked_for(language):
    rng = np.random.default_rng(16)
    for person in people(200):
        for count in (1, 2, 5, 9):
            assert len(caption(person, rng, language, facts=count).facts) == count
        assert len(caption(person, rng, language, frozenset({"upper"}), facts=4).facts) == 1
    with pytest.raises(ValueError, match="at least one"):
        caption(person, rng, language, facts=0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_tell_mostly_two_to_five_facts_and_sometimes_everything(language):
    rng = np.random.default_rng(18)
    counts = Counter(len(caption(p, rng, language).facts) for p in people(2000))
    assert sum(counts[n] for n in range(2, 6)) > 0.55 * 2000
    assert counts[1] > 50
    assert sum(share for n, share in counts.items() if n >= 14) > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_of_whom_nothing_shows_is_still_somebody(language):
    told = caption(people(1)[0], np.random.default_rng(21), language, frozenset())
    assert told.facts == ()
    assert told.text


@pytest.mark.usefixtures("careful")
@pytest.mark.parametrize("language", LANGUAGES)
def test_given_facts_are_stated_exactly(language):
    rng = np.random.default_rng(22)
    facts: list[Fact] = [("upper_colour", "red"), ("bag", "backpack"), ("gender", "woman")]
    texts = [caption_of(facts, rng, language) for _ in range(200)]
    assert all(told.facts == tuple(facts) for told in texts)
    women = "woman|lady|girl|female|gal|she|her" if language == "en" else "女|她|妇|姑娘|小姐"
    assert all(re.search(women, told.text.lower()) for told in texts)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ([("upper", "toga")], "no fact upper='toga'"),
        ([("mood", "glad")], "no fact mood='glad'"),
        ([("upper", "coat"), ("upper", "shirt")], "both 'coat' and 'shirt'"),
        ([("hat", "cap"), ("hat_colour", NONE)], "contradicts"),
        ([("hair", "bald"), ("hair_colour", "red")], "contradicts"),
    ],
)
def test_facts_that_nobody_can_have_are_refused(facts, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        caption_of(facts, np.random.default_rng(0), "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_orders_keep_the_words_and_change_only_their_order(language):
    rng = np.random.default_rng(23)
    for person in people(300):
        facts = caption(person, rng, language, facts=5).facts
        texts = orders(facts, rng, language, 6)
        assert len(texts) == len(set(texts))
        bags = [
            Counter(re.findall(r"[\w'-]+", text) if language == "en" else text) for text in texts
        ]
        assert all(bag == bags[0] for bag in bags)


def test_orders_gives_as_many_as_there_are():
    rng = np.random.default_rng(25)
    assert len(orders([("upper", "coat")], rng, "en", 4)) == 1
    many: list[Fact] = [("upper", "coat"), ("lower", "jeans"), ("shoes", "boots"), ("hat", "cap")]
    assert len(orders([*many, ("bag", "backpack"), ("pose", "walking")], rng, "en", 50)) == 50


def test_the_attribute_string_lists_what_shows():
    person = Person(
        gender="woman", build="slim", hair="short", hair_colour="black", hat=NONE,
        hat_colour=NONE, glasses=NONE, upper="jacket", upper_colour="black",
        upper_pattern="plain", inner_colour=NONE, lower="jeans", lower_colour="blue",
        shoes="sneakers", shoes_colour="black", bag="backpack", bag_colour="black",
        umbrella_colour=NONE, pose="walking", view="front",
    )  # fmt: skip
    assert (
        attribute_string(person)
        == "woman,short hair,black jacket,blue denim jeans,black sneakers,black backpack"
    )
    assert attribute_string(person, frozenset({"upper", "upper_colour"})) == "black jacket"
