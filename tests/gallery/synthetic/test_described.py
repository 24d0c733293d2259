"""Attributes read back from words, and statements that claim no more than they are made of."""

import numpy as np
import pytest

from gallery.synthetic.attributes import ANY, FIELDS, draw_person
from gallery.synthetic.captions import attribute_string, described
from gallery.synthetic.plain_words import PlainWords
from gallery.synthetic.stated import of_phrases, read

LANGUAGES = ("en", "zh")


def people(count):
    return [draw_person(np.random.default_rng(number)) for number in range(count)]


def told(text):
    return dict(read(text).facts)


def test_typed_attributes_are_read_as_the_facts_that_they_state():
    assert told("female, long black hair, navy jacket, blue denim jeans, brown shoulder bag") == {
        "gender": "woman", "hair": "long", "hair_colour": "black", "upper": "jacket",
        "upper_colour": "blue", "lower": "jeans", "lower_colour": "blue", "bag": "shoulder bag",
        "bag_colour": "brown",
    }  # fmt: skip


def test_chinese_attributes_are_read_as_well():
    assert told("女，长发，红色大衣，黑色牛仔裤，背黑色双肩包，没戴帽子") == {
        "gender": "woman", "hair": "long", "upper": "coat", "upper_colour": "red",
        "lower": "jeans", "lower_colour": "black", "bag": "backpack", "bag_colour": "black",
        "hat": "none",
    }  # fmt: skip


def test_attributes_may_be_json_of_any_depth():
    given = '{"gender": "male", "hat": false, "backpack": true, "lower_colour": "grey",' + (
        ' "worn": {"top": "red", "shoes": ["white sneakers"]}}'
    )
    assert told(given) == {
        "gender": "man", "hat": "none", "bag": "backpack", "lower_colour": "grey",
        "upper_colour": "red", "shoes": "sneakers", "shoes_colour": "white",
    }  # fmt: skip


def test_what_drawn_people_are_listed_as_is_read_without_an_error():
    for person in people(150):
        found = read(attribute_string(person))
        assert person.fits(found.facts)
        assert not found.unknown


def test_what_may_mean_two_things_is_not_told():
    assert told("black and white shirt") == {"upper": "shirt"}
    assert told("red coat, blue coat") == {"upper": "coat"}
    assert told("dark jacket") == {"upper": "jacket"}
    assert told("red dress, black skirt") == {"upper": "dress", "upper_colour": "red"}


def test_what_is_not_known_is_left_over():
    assert of_phrases(["holding phone", "a hat"]).unknown == ("holding phone",)
    assert of_phrases(["a hat"]).facts == (("hat", ANY),)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_description_differs_by_its_number_and_is_the_same_for_the_same(language):
    facts = tuple(people(1)[0].to_dict().items())
    texts = [described(facts, np.random.default_rng(n), language).text for n in range(40)]
    assert len(set(texts)) > 35
    assert texts[3] == described(facts, np.random.default_rng(3), language).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_description_is_a_whole_statement_of_its_facts(language):
    for number, person in enumerate(people(200)):
        made = described(tuple(person.to_dict().items()), np.random.default_rng(number), language)
        assert person.fits(made.facts)
        assert 4 <= len(made.facts) <= 9
        assert made.text[-1] in ".。"
        assert "?" not in made.text
        assert not {"street", "找", "seen you", "crimson", "leather jacket"} & set(
            made.text.split()
        )


def test_no_word_of_a_description_claims_more_than_its_fact():
    """Of each list of wordings some are plain; what is picked is one of them."""
    from gallery.synthetic import vocabulary_en, vocabulary_zh

    for book in (vocabulary_en, vocabulary_zh):
        for name in ("COLOUR", "GENDER", "UPPER", "LOWER", "SHOES", "BAG", "HAT", "GLASSES"):
            for value, words in getattr(book, name).items():
                assert set(words) & PlainWords.allowed, (name, value)
    facts = (("gender", "woman"), ("upper", "jacket"), ("upper_colour", "red"))
    for number in range(60):
        text = described(facts, np.random.default_rng(number), "en").text.lower()
        for claim in ("crimson", "burgundy", "leather", "denim", "girl", "gal"):
            assert claim not in text


@pytest.mark.parametrize(
    "facts", [(), (("hat", "crown"),), (("bag", "none"), ("bag_colour", "red"))]
)
def test_what_cannot_be_told_is_refused(facts):
    with pytest.raises(ValueError, match=r"known|no fact|contradicts"):
        described(facts, np.random.default_rng(0), "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_single_fact_has_a_wording(language):
    for field, values in FIELDS.items():
        for value in values:
            assert described([(field, value)], np.random.default_rng(1), language).text
