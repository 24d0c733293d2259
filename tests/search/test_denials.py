"""What a description denies is found, and can be left out for certain with one press."""

import pytest

from search import denials, language


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("woman not wearing a red coat", ["red coat"]),
        ("a man in black without a hat and with a bag", ["hat"]),
        ("a man with no backpack", ["backpack"]),
        ("a man who is not wearing glasses, in jeans", ["glasses"]),
        ("a boy who doesn't have a backpack", ["backpack"]),
        ("没有背包的男人", ["背包"]),
        ("一个没戴帽子、穿黑色外套的女人", ["帽子"]),
        ("不戴眼镜的男人，背黑色双肩包", ["眼镜"]),
        ("a woman in a knotted scarf and a no-sleeve top", []),
        ("穿无袖上衣、不锈钢色外套的女人", []),
    ],
)
def test_what_is_denied_is_found(text, denied):
    assert [found.what for found in denials.find(text)] == denied


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("camera:3 a woman without a red coat", 'camera:3 a woman -"red coat"'),
        ("a man in black without a hat and with a bag", "a man in black and with a bag -hat"),
        ("没有背包的男人", "男人 -背包"),
    ],
)
def test_what_is_denied_becomes_the_token_that_leaves_it_out(text, instead):
    query = language.parse(text)
    (denial,) = query.denials
    assert query.leaving_out(denial) == instead


def test_what_stands_in_a_token_is_not_denied_by_the_description():
    assert not language.parse('a man caption:"without a hat" +"no hat"').denials
