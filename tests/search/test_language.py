"""What may be typed into the search box, and what is refused by name."""

import datetime as dt

import pytest

from search.errors import BadToken, UnknownToken
from search.language import Likeness, Phrase, Role, filters_of, parse
from search.scope import Filters


def test_tokens_are_taken_out_of_a_description():
    query = parse(
        'a man in red camera:3 camera:"north gate" after:2026-11-01 time:8-10:30 -umbrella'
    )
    assert query.words == "a man in red"
    assert query.filters == Filters(
        cameras=["3", "north gate"],
        after=dt.date(2026, 11, 1),
        hours=(dt.time(8), dt.time(10, 30)),
        datasets=[],
        captions=[],
    )
    assert query.phrases == (Phrase(text="umbrella", role=Role.EXCLUDE),)


def test_chinese_tokens_and_full_width_signs_mean_the_same():
    chinese = parse("穿红色大衣 相机：3 之后：2026-11-01 身份：未知 描述：「双肩包」 －雨伞")
    english = parse("穿红色大衣 camera:3 after:2026-11-01 identity:unknown caption:双肩包 -雨伞")
    assert (chinese.words, chinese.filters) == ("穿红色大衣", english.filters)
    assert chinese.phrases == english.phrases == (Phrase(text="雨伞", role=Role.EXCLUDE),)


def test_phrases_are_required_excluded_and_weighted():
    query = parse('woman in a "red coat"^2 +backpack -"blue hat"^0.5 shoes^3')
    assert query.words == "woman in a red coat shoes"
    assert query.phrases == (
        Phrase(text="red coat", weight=2),
        Phrase(text="backpack", role=Role.REQUIRE),
        Phrase(text="blue hat", role=Role.EXCLUDE, weight=0.5),
        Phrase(text="shoes", weight=3),
    )


def test_boxes_and_pictures_are_parts_of_a_query():
    query = parse("box:17^0.5 picture:Ab-9_@10,20,90,210 图片:x")
    assert query.likenesses == (
        Likeness(box=17, weight=0.5),
        Likeness(picture="Ab-9_", crop=(10, 20, 90, 210)),
        Likeness(picture="x"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "SUSPECT: MALE, BLACK CAP, seen 10:30 - 10:45",
        "性别:女 上衣:红色",
        "5' 10\" tall man",
        "t-shirt and a well-worn jacket",
        "a + b - c -- d ^ 2^",
        "say \"hello",
        ": :) a:",
    ],
)  # fmt: skip
def test_ordinary_writing_stays_ordinary(text):
    query = parse(text)
    assert query.words == text
    assert not query.phrases
    assert not query.tokens


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("camra:3 red", "camra.*camera:"),
        ("hair:black", "hair:.*space after the colon"),
        ("摄像机:3", "摄像机.*摄像头"),
    ],
)
def test_an_unknown_filter_is_refused_by_name(text, says):
    with pytest.raises(UnknownToken, match=says):
        parse(text)


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("after:soon", "after:2026-11-01"),
        ("before:2026-02-30", "before:2026"),
        ("time:25-26", "time:08:00-10:30"),
        ("time:noon", "time:08:00-10:30"),
        ("identity:alice", "identity:known"),
        ("review:hidden", "review:approved"),
        ("box:x", "box:17"),
        ("box:99999999999999999999", "box:17"),
        ("picture:a@1,2,3", "picture:TOKEN"),
        ("picture:a@9,2,3,4", "picture:TOKEN"),
        ("red^99", r"\^0.1"),
        ('"red"^999999999', r"\^0.1"),
        ('"red coat"^0', r"\^0.1"),
        ('"red coat"^1e9', r"\^0.1"),
        ('+"red coat"^-2', r"\^0.1"),
        ("shoes^nan", r"\^0.1"),
        ("camera:3^2", "camera:"),
        ("-camera:3", "camera:"),
        ("after: 2026-11-01 red coat", "after:2026-11-01"),
        ("red camera:", "camera:"),
        ("时间： 下午", "time:"),
    ],
)
def test_a_value_that_cannot_be_read_is_told_with_an_example(text, example):
    with pytest.raises(BadToken, match=example):
        parse(text)


def test_hours_may_go_over_midnight_or_to_the_end_of_the_day():
    assert parse("time:22:00-06:00").filters.hours == (dt.time(22), dt.time(6))
    assert parse("time:20-24").filters.hours[1] > dt.time(23, 59, 59)


def test_a_token_can_be_taken_back():
    query = parse("red camera:3 -hat after:2026-11-01 coat")
    assert [query.without(token) for token in query.tokens] == [
        "red -hat after:2026-11-01 coat",
        "red camera:3 -hat coat",
    ]


def test_what_is_typed_joins_what_is_chosen_and_wins_over_it():
    chosen = Filters(cameras=["1"], after=dt.date(2026, 1, 1), before=dt.date(2026, 5, 5))
    joined = filters_of(parse("camera:2 after:2026-02-02"), chosen)
    assert joined.cameras == ["1", "2"]
    assert (joined.after, joined.before) == (dt.date(2026, 2, 2), dt.date(2026, 5, 5))


@pytest.mark.parametrize(
    ("text", "phrase", "role", "weight", "expected"),
    [
        ("woman in a red coat, hat", "red coat", Role.WEIGH, 2, 'woman in a "red coat"^2 , hat'),
        ('woman in a "red coat"^2 , hat', "red coat", Role.WEIGH, 1, "woman in a red coat, hat"),
        ("one whose hat is red", "red hat", Role.WEIGH, 2, 'one whose hat is red "red hat"^2'),
        ("red coat camera:3", "red coat", Role.REQUIRE, 1, 'red coat camera:3 +"red coat"'),
        ("woman in a red coat camera:3", "red coat", Role.EXCLUDE, 1, 'woman camera:3 -"red coat"'),
        ('woman -"red coat"', "red coat", Role.REQUIRE, 1, 'woman +"red coat"'),
        ("woman -hat", "hat", Role.WEIGH, 1, "woman, hat"),
        ("戴帽子的女人", "帽子", Role.EXCLUDE, 1, "女人 -帽子"),
    ],
)  # fmt: skip
def test_one_phrase_is_given_another_part_to_play(text, phrase, role, weight, expected):
    changed = parse(text).having(phrase, role, weight)
    assert changed == expected
    played = [p for p in parse(changed).phrases if p.text == phrase]
    ordinary = (role, weight) == (Role.WEIGH, 1)
    assert [(p.role, p.weight) for p in played] == ([] if ordinary else [(role, weight)])
