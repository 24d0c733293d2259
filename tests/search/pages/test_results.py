"""The results page as a browser without scripts gets it."""

import re

import pytest

from search.models import Embedding
from tests.search.pages.asked import HTMX, Page, enroll, text_of
from tests.world import (
    make_box,
    make_camera,
    make_coloured_people,
    make_dataset,
    make_image,
    make_user,
    make_version,
    plain_crop,
)

pytestmark = pytest.mark.django_db


def test_words_find_the_person_they_describe(browser, people):
    page = Page(browser.get("/search/", {"q": "red"}).content.decode())
    assert page.boxes[0] == people["red"].pk


def test_the_line_says_how_many_were_searched_and_what_waits(browser, people, user):
    make_box(make_image(people["red"].image.dataset))
    text = text_of(browser.get("/search/", {"q": "red"}))
    assert "6 boxes searched" in text
    assert "Searched 6 of 7 boxes; 1 waiting to be enrolled" in text
    assert "An operator can enroll them." in text
    assert "tiny-square" in text
    assert re.search(r"\d\.\d\d s\b", text)


def test_an_operator_enrolls_what_a_search_left_out(client, people):
    client.force_login(make_user(role="admin"))
    make_box(make_image(people["red"].image.dataset))
    page = client.get("/search/", {"q": "red"}).content.decode()
    assert "Enroll them now" in page
    response = client.post("/search/retry/", {"query": "q=red", "version": "tiny-square"})
    assert response.url == "/search/?q=red"
    text = text_of(client.get(response.url))
    assert "1 job enrolls them." in text
    assert "A job is enrolling them now." in text


def test_a_box_finds_others_like_it_and_not_itself(browser, people):
    response = browser.get("/search/", {"box": people["red"].pk})
    page = Page(response.content.decode())
    assert set(page.boxes) == {b.pk for c, b in people.items() if c != "red"}
    assert f"Similar to box {people['red'].pk}" in text_of(response)


def test_pages_go_on_where_the_one_before_ended(browser, people, monkeypatch):
    monkeypatch.setattr("search.views.PAGE_SIZE", 4)
    first = Page(browser.get("/search/", {"q": "red"}).content.decode())
    (link,) = first.all("a", rel="next")
    second = Page(browser.get("/search/" + link["href"]).content.decode())
    assert len(first.boxes) == 4
    assert len(second.boxes) == 2
    assert set(first.boxes + second.boxes) == {box.pk for box in people.values()}


def test_a_stale_page_offers_the_first_one(browser, people):
    response = browser.get("/search/", {"q": "red", "cursor": "nonsense"})
    assert response.status_code == 400
    assert Page(response.content.decode()).all("a", href="?q=red")


def test_the_day_to_which_one_searches_is_included(browser, user):
    dataset = make_dataset("days", visible_to=user)
    taken = "2026-03-02T23:30:00Z"
    late = make_box(make_image(dataset, plain_crop("red"), taken_at=taken))
    make_box(make_image(dataset, plain_crop("blue"), taken_at="2026-03-03T00:00:00Z"))
    enroll(dataset)
    query = {"q": "red", "after": "2026-03-02", "before": "2026-03-02"}
    assert Page(browser.get("/search/", query).content.decode()).boxes == [late.pk]


def test_tiles_say_when_and_where(browser, user):
    dataset = make_dataset("square", title="The square", visible_to=user)
    camera = make_camera(dataset, "north gate")
    image = make_image(dataset, plain_crop("red"), camera=camera, taken_at="2026-03-02T08:15:30Z")
    make_box(image)
    enroll(dataset)
    text = text_of(browser.get("/search/", {"q": "red"}))
    assert "2026-03-02 08:15:30" in text
    assert "north gate The square" in text


# The address


def test_the_form_shows_what_the_address_says(browser, people):
    query = {"q": "red", "dataset": "square", "after": "2026-03-01", "before": "2026-03-02"}
    page = Page(browser.get("/search/", query).content.decode())
    assert page.all("input", name="q", value="red")
    assert page.all("input", name="after", value="2026-03-01")
    assert page.all("input", name="before", value="2026-03-02")
    assert "checked" in page.all("input", name="dataset", value="square")[0]


def test_htmx_gets_the_results_alone_and_the_address_to_show(browser, people):
    response = browser.get("/search/", {"camera": "", "q": "red"}, headers=HTMX)
    assert response["HX-Push-Url"] == "/search/?q=red"
    assert "HX-Request" in response["Vary"]
    page = Page(response.content.decode())
    assert page.boxes[0] == people["red"].pk
    assert not page.all("body")
    assert page.all("title")


def test_links_out_of_the_results_keep_the_filters(browser, people):
    page = Page(browser.get("/search/", {"q": "red", "dataset": "square"}).content.decode())
    first = page.boxes[0]
    assert page.all("a", href=f"/search/?box={first}&dataset=square")
    assert page.all("a", href=f"/boxes/{first}/?q=red&dataset=square")


def test_the_box_page_leads_back_to_the_results(browser, people):
    page = Page(browser.get(f"/boxes/{people['red'].pk}/?q=red+coat").content.decode())
    assert page.all("a", href="/search/?q=red+coat")


def test_nobody_enrolled_is_told_from_nobody_within_the_filters(browser, people):
    Embedding.objects.all().delete()
    assert "none has been enrolled with this model yet" in text_of(browser.get("/search/?q=red"))
    narrowed = text_of(browser.get("/search/?q=red&identity=known"))
    assert "No enrolled box lies within these filters." in narrowed


# What is wrong is said


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_blank_question_gets_advice(browser, people, headers):
    response = browser.get("/search/", {"q": "  "}, headers=headers)
    assert response.status_code == 400
    assert "Describe a person: the query is empty." in text_of(response)
    assert "Write a caption, not keywords" in text_of(response)


def test_a_question_that_is_too_long_says_the_limit(browser, people):
    response = browser.get("/search/", {"q": "red " * 200})
    assert response.status_code == 400
    assert "at most 500 are read" in text_of(response)


def test_words_to_a_version_that_reads_pictures_only_are_refused(browser, user):
    from search.models import ServingVersion

    dataset = make_dataset("square", visible_to=user)
    make_coloured_people(dataset, ["red"])
    version = make_version("pictures-only", image_only=True)
    ServingVersion.objects.create(version=version, query_kind="text")
    response = browser.get("/search/", {"q": "red"})
    assert response.status_code == 400
    assert "“pictures-only” reads pictures only" in text_of(response)


def test_an_unknown_dataset_is_named(browser, people):
    response = browser.get("/search/", {"q": "red", "dataset": "elsewhere"})
    assert response.status_code == 400
    assert "There is no dataset “elsewhere” that you may see." in text_of(response)


def test_an_empty_gallery_says_what_to_do(browser, people, user):
    empty = make_dataset("empty", visible_to=user)
    text = text_of(browser.get("/search/", {"q": "red", "dataset": empty.name}))
    assert "No enrolled box lies within these filters" in text


def test_filters_that_were_typed_are_told_as_filters_when_nobody_lies_within(browser, people):
    text = text_of(browser.get("/search/", {"q": "red before:1999-01-01"}))
    assert "No enrolled box lies within these filters" in text
    assert "Search without filters" not in text  # the words would still say them


def test_nothing_that_serves_is_said(browser):
    response = browser.get("/search/", {"q": "red"})
    assert response.status_code == 409
    assert "No model version answers" in text_of(response)
