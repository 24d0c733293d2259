"""The query string of the search page."""

import datetime as dt

import pytest
from django.http import QueryDict
from django.utils import translation

from search.forms import SearchForm
from tests.world import make_camera, make_dataset, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def square(user):
    dataset = make_dataset("square", title="The square", visible_to=user)
    make_camera(dataset, "north")
    make_camera(dataset, "south")
    return dataset


def form_of(query: str, user) -> SearchForm:
    form = SearchForm(QueryDict(query), user=user)
    form.is_valid()
    return form


def test_an_address_is_written_as_it_was_read(user, square):
    query = "q=red+coat&dataset=square&camera=north&camera=south&after=2026-03-01&before=2026-03-02"
    assert form_of(query, user).query() == query


def test_equal_searches_have_equal_addresses(user, square):
    one = form_of("camera=north&q=red&after=", user)
    other = form_of("q=red&before=&camera=north", user)
    assert one.query() == other.query() == "q=red&camera=north"


def test_filters_reach_retrieval_with_both_days(user, square):
    filters = form_of("q=x&dataset=square&after=2026-03-01&before=2026-03-02", user).filters()
    assert list(filters.datasets) == ["square"]
    assert (filters.after, filters.before) == (dt.date(2026, 3, 1), dt.date(2026, 3, 2))


def test_words_win_over_a_picture_and_a_picture_over_a_box(user):
    assert form_of("q=red&picture=abc&box=1", user).asks == "words"
    assert form_of("q=&picture=abc&box=1", user).asks == "picture"
    assert form_of("q=&box=1", user).asks == "box"
    assert form_of("", user).asks == ""


def test_words_and_what_is_shown_stay_in_the_address_together(user):
    mixed = "q=red&picture=abc&crop=1,2,3,4&mix=2"
    assert form_of(mixed, user).query() == mixed
    assert form_of("q=&picture=abc&crop=1,2,3,4", user).query() == "picture=abc&crop=1,2,3,4"


def test_what_nobody_touched_is_not_in_the_address(user):
    assert form_of("q=red&far=3&mix=1&mode=", user).query() == "q=red"
    assert form_of("q=red&far=4", user).query() == "q=red&far=4"


def test_a_mix_is_offered_only_where_there_are_two_parts(user):
    assert form_of("q=red&box=1", user).mixed
    assert form_of("q=red&picture=abc&crop=1,2,3,4", user).mixed
    for one in ("q=red", "box=1", "q=red&picture=abc"):
        assert not form_of(one, user).mixed


def test_a_blank_question_is_a_question(user):
    assert form_of("q=+", user).asks == "words"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("q=x&dataset=elsewhere", "There is no dataset “elsewhere” that you may see."),
        ("q=x&camera=west", "There is no camera “west” that you may see."),
        ("q=x&after=yesterday", "“From” has to be a day, such as 2026-03-14."),
        ("q=x&before=14/03/2026", "“To” has to be a day, such as 2026-03-14."),
        ("q=x&after=2026-03-02&before=2026-03-01", "The first day lies after the last one."),
        ("picture=abc&crop=1,2,3", "The region has to be given as left,top,right,bottom."),
        ("picture=abc&crop=9,2,3,4", "The region is empty. Choose another one."),
        ("picture=../etc", "The address of this picture is damaged. Show it again."),
    ],
)
def test_what_is_wrong_is_said_in_words(user, square, query, message):
    form = form_of(query, user)
    assert [text for texts in form.errors.values() for text in texts] == [message]


def test_a_dataset_that_is_not_shared_is_unknown(user):
    make_dataset("secret")
    assert "dataset" in form_of("q=x&dataset=secret", user).errors


def test_each_filter_in_force_can_be_taken_out_alone(user, square):
    form = form_of("q=red&dataset=square&camera=north&camera=south&cursor=abc", user)
    assert [(str(words), query) for words, query in form.active_filters()] == [
        ("Dataset: The square", "q=red&camera=north&camera=south"),
        ("Camera: north", "q=red&dataset=square&camera=south"),
        ("Camera: south", "q=red&dataset=square&camera=north"),
    ]


def test_examples_begin_in_the_language_of_the_page(user):
    for language, first in [("en", "en"), ("zh-hans", "zh")]:
        with translation.override(language):
            assert form_of("", user).examples[0][0] == first
