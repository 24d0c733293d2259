"""Descriptions taken apart into phrases and clauses, in English and Chinese."""

from itertools import permutations

import pytest

from search import phrases


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a woman in a red coat with a black backpack", ["woman", "red coat", "black backpack"]),
        (
            "A man in a pink sweater and jeans, with a suitcase",
            ["man", "pink sweater", "jeans", "suitcase"],
        ),
        ("someone in a yellow jacket under an umbrella", ["yellow jacket", "umbrella"]),
        ("a black and white striped shirt", ["black and white striped shirt"]),
        ("someone, her hat is dark red", ["dark red hat"]),
        ("a hoodie in pea green", ["hoodie in pea green"]),
        ("not wearing glasses, hand-held bag", ["not wearing glasses", "hand-held bag"]),
        ("who: man; bottom: brown pants", ["man", "brown pants"]),
        ("SUSPECT: MALE, BLACK CAP", ["MALE", "BLACK CAP"]),
        ("no hat, no hat", ["no hat"]),
        ("一个穿红色大衣、背黑色双肩包的女人", ["红色大衣", "黑色双肩包", "女人"]),
        ("穿白色T恤和蓝色牛仔裤的短发男人", ["白色T恤", "蓝色牛仔裤", "短发", "男人"]),
        ("撑着伞、穿黄色外套的人", ["伞", "黄色外套"]),
        ("一个人，没戴帽子，背着背包", ["没戴帽子", "背包"]),
        ("手拉拉杆箱，脚穿大红人字拖的男生", ["拉杆箱", "大红人字拖", "男生"]),
        ("墨镜 长发 女 连衣裙", ["墨镜", "长发", "女", "连衣裙"]),
        ("一个女人 with a black backpack", ["女人", "black backpack"]),
        ("穿 red coat 的女人", ["red coat", "女人"]),
        ("a man wearing 红色外套 and black shoes", ["man", "红色外套", "black shoes"]),
        ("穿一件 Nike 外套", ["Nike", "外套"]),
        ("umbrella", ["umbrella"]),
        ("someone", ["someone"]),
        ("", []),
    ],
)  # fmt: skip
def test_a_description_is_split_into_what_can_be_seen(text, expected):
    assert phrases.split(text) == expected


def test_a_long_text_has_no_more_phrases_than_can_be_read():
    text = ", ".join(f"bag {number}" for number in range(50))
    assert len(phrases.split(text)) == phrases.MOST


@pytest.mark.parametrize(
    ("start", "pieces", "between", "end"),
    [
        ("a woman ", ["in a red coat", "with a black backpack", "wearing white shoes"], ", ", ""),
        ("", ["穿红色大衣", "背黑色双肩包", "戴帽子"], "、", "的女人"),
    ],
)
def test_the_orders_asked_for_do_not_depend_on_the_order_given(start, pieces, between, end):
    told = {
        tuple(phrases.orders(start + between.join(order) + end)) for order in permutations(pieces)
    }
    assert len(told) == 1
    (texts,) = told
    assert len(texts) == phrases.ORDERS
    assert all(piece in text for text in texts for piece in pieces)


def test_a_joint_between_two_languages_is_no_clause():
    assert phrases.clauses("穿 red coat 的女人") == ["red coat", "女人"]


def test_what_has_one_clause_is_asked_as_it_is():
    assert phrases.orders("Red coat.") == ["Red coat."]
