"""Pictures that a browser without scripts shows to be searched for."""

import html
import io
import re

import pytest
from PIL import Image

from search import shown
from tests.search.pages.asked import Page, png, text_of
from tests.world import (
    make_user,
)

pytestmark = pytest.mark.django_db


def test_a_picture_leads_to_a_choice_and_then_to_people_like_it(browser, people):
    pick = browser.post("/search/picture/", {"picture": png()}, follow=True)
    ((address, _),) = pick.redirect_chain
    assert re.fullmatch(r"/search/\?picture=[\w-]+", address)
    page = Page(pick.content.decode())
    (whole,) = [a["href"] for a in page.all("a", **{"class": "button"}) if "crop=0,0" in a["href"]]
    found = Page(browser.get("/search/" + whole).content.decode())
    assert found.boxes[0] == people["red"].pk


def test_the_filters_stay_when_a_picture_is_shown(browser, people):
    response = browser.post(
        "/search/picture/", {"picture": png(), "filters": "dataset=square&q=x&next=//evil"}
    )
    assert re.fullmatch(r"/search/\?picture=[\w-]+&dataset=square", response.url)


def test_a_picture_shown_is_served_as_jpeg_to_its_owner_alone(browser, client, user):
    kept = shown.keep(png().read(), user)
    response = browser.get(f"/search/pictures/{kept.token}/?crop=0,0,5,10")
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]
    assert Image.open(io.BytesIO(response.content)).size == (5, 10)
    client.force_login(make_user())
    assert client.get(f"/search/pictures/{kept.token}/").status_code == 404


def test_a_picture_that_is_gone_says_so(browser, people):
    response = browser.get("/search/", {"picture": "abc", "crop": "0,0,5,5"})
    assert response.status_code == 404
    assert "This picture is no longer kept. Show it again." in text_of(response)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<html><script>alert(1)</script></html>", "Not a picture"),
        (png().read()[:60], "damaged"),
        (b"%PDF-1.7 not a picture at all", "Not a picture"),
    ],
)
def test_a_bad_upload_is_refused_in_words(browser, data, words):
    file = io.BytesIO(data)
    file.name = "shown.jpg"
    response = browser.post("/search/picture/", {"picture": file})
    assert response.status_code in (400, 422)
    alerts = re.findall(r'role="alert">([^<]+)<', response.content.decode())
    assert any(words in alert and "shown.jpg" in alert for alert in alerts), alerts


def test_a_picture_of_too_many_pixels_is_refused_unread(browser):
    out = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    out.seek(0)
    out.name = "bomb.png"
    response = browser.post("/search/picture/", {"picture": out})
    assert response.status_code == 422
    assert "megapixels" in text_of(response)


def test_a_form_without_a_picture_is_refused_in_words(browser):
    response = browser.post("/search/picture/")
    assert response.status_code == 400
    assert "No picture came with the form." in text_of(response)


def test_the_address_of_a_refused_picture_can_be_loaded_again(browser):
    response = browser.get("/search/picture/")
    assert (response.status_code, response["Location"]) == (302, "/search/")


@pytest.mark.parametrize("data", [b"no picture", b""])
def test_what_was_asked_stays_when_a_picture_is_refused(browser, people, data):
    file = io.BytesIO(data)
    file.name = "shown.jpg"
    asked = {"q": "a <red> coat", "filters": "dataset=square&after=2026-03-01&before=2026-03-02"}
    page = Page(browser.post("/search/picture/", asked | {"picture": file}).content.decode())
    (words,) = page.all("input", id="q")
    assert words["value"] == "a <red> coat"
    assert "checked" in page.all("input", name="dataset", value="square")[0]
    assert page.all("input", name="after")[0]["value"] == "2026-03-01"
    assert page.all("input", name="before")[0]["value"] == "2026-03-02"
    # And once more, for the next try without scripts.
    assert page.all("input", name="q", form="picture-form")[0]["value"] == "a <red> coat"


def test_words_follow_a_picture_that_is_taken_and_can_be_left_out(browser, people):
    pick = browser.post("/search/picture/", {"picture": png(), "q": " red & <b> "}, follow=True)
    ((address, _),) = pick.redirect_chain
    assert re.fullmatch(r"/search/\?q=red\+%26\+%3Cb%3E&picture=[\w-]+", address)
    assert "Your words “red & <b>” count too." in html.unescape(text_of(pick))
    page = Page(pick.content.decode())
    (whole,) = [a["href"] for a in page.all("a", **{"class": "button"}) if "crop=0,0" in a["href"]]
    assert "q=red" in whole
    assert f"?picture={address.rpartition('=')[2]}" in [a.get("href") for a in page.all("a")]


@pytest.mark.parametrize(
    ("words", "problem"),
    [("foo:bar red", "foo"), ("!!!", "no words"), ("red " * 200, "at most 500"),
     ("after:2024-99-99", "after"), ("dataset:nope man", "nope")],
)  # fmt: skip
def test_a_picture_stays_when_the_words_with_it_are_refused(browser, people, words, problem):
    pick = browser.post("/search/picture/", {"picture": png(), "q": words}, follow=True)
    assert pick.status_code >= 400
    alerts = re.findall(r'role="alert">([^<]+)<', pick.content.decode())
    assert any(problem in html.unescape(alert) for alert in alerts), alerts
    token = re.search(r"picture=([\w-]+)", pick.redirect_chain[0][0])[1]
    page = Page(pick.content.decode())
    # The form sends it again with the mended words, and there is a way without any.
    assert page.all("input", name="picture", value=token)
    assert [a for a in page.all("a") if a.get("href", "").startswith(f"?picture={token}")]
    assert page.all("input", name="q", id="q")[0]["value"] == words.strip()


def test_filters_that_were_typed_stay_where_the_words_are_left_out(browser, people):
    asked = {"picture": png(), "q": "red dataset:square coat"}
    pick = browser.post("/search/picture/", asked, follow=True)
    assert "Your words “red coat” count too." in html.unescape(text_of(pick))
    hrefs = [a.get("href", "") for a in Page(pick.content.decode()).all("a")]
    assert [one for one in hrefs if one.startswith("?q=dataset%3Asquare&picture=")]
