"""Pages of search: safe with hostile words, in both languages, and when something is wrong."""

import pytest
from django.test import Client
from django.utils import translation
from django.views.defaults import server_error

from search import shown
from tests.search.pages.asked import Page, enroll, png, text_of
from tests.world import (
    make_box,
    make_camera,
    make_caption,
    make_dataset,
    make_image,
    plain_crop,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def hostile(user):
    """A box whose every word is an attempt to run something."""
    evil = "<script>alert('x')</script>"
    dataset = make_dataset("evil", title=f"t{evil}", visible_to=user)
    image = make_image(
        dataset, plain_crop("red"), name=f'"{evil}.png', camera=make_camera(dataset, f"c{evil}")
    )
    box = make_box(image)
    make_caption(box, evil)
    enroll(dataset)
    return box


def test_words_from_outside_are_escaped(browser, hostile):
    for path, query in [
        ("/search/", {"q": "<script>alert('x')</script> red"}),
        (f"/boxes/{hostile.pk}/", {"q": "'><script>alert('x')</script>"}),
    ]:
        html = browser.get(path, query).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_no_page_carries_inline_code(browser, client, hostile, user):
    kept = shown.keep(png().read(), user)
    paths = [
        "/search/",
        "/search/?q=red",
        "/search/?q=",
        f"/search/?box={hostile.pk}",
        f"/search/?picture={kept.token}",
        f"/search/?picture={kept.token}&crop={kept.whole}",
        f"/boxes/{hostile.pk}/?q=red",
        "/no-such-page/",
    ]
    for path in paths:
        response = browser.get(path)
        assert Page(response.content.decode()).inline == [], path
        assert "'unsafe" not in response["Content-Security-Policy"]
    client.logout()
    assert Page(client.get("/login/").content.decode()).inline == []


def test_every_control_has_a_name(browser, hostile):
    for path in ("/search/?q=red", f"/boxes/{hostile.pk}/?q=red", "/login/"):
        if path == "/login/":
            browser.logout()
        html = browser.get(path).content.decode()
        page = Page(html)
        labelled = {label.get("for") for label in page.all("label")}
        for attributes in page.all("input"):
            if attributes.get("type") in ("hidden", "checkbox", "date"):
                continue
            assert attributes.get("aria-label") or attributes.get("id") in labelled, attributes
        for attributes in page.all("img"):
            assert "alt" in attributes, attributes
        assert page.all("html")[0]["lang"] == "en"
        assert page.all("a", href="#content", **{"class": "skip"})


# Language


def test_the_interface_speaks_chinese(browser, people):
    browser.post("/i18n/setlang/", {"language": "zh-hans"})
    # A request leaves its language active in this thread.
    with translation.override("en"):
        response = browser.get("/search/", {"q": "red"})
    assert Page(response.content.decode()).all("html", lang="zh-hans")
    text = text_of(response)
    assert "查找相似" in text
    assert "Find similar" not in text


# Pages that only say something


def test_a_fault_is_answered_without_a_request(rf):
    response = server_error(rf.get("/"))
    assert response.status_code == 500
    html = response.content.decode()
    assert "Something broke" in html
    assert Page(html).inline == []


def test_an_address_that_leads_nowhere_says_so(browser):
    response = browser.get("/no-such-page/")
    assert response.status_code == 404
    assert "Nothing here" in text_of(response)
    assert Page(response.content.decode()).all("nav", **{"class": "rail"})


def test_too_many_wrong_passwords_are_answered_in_words(client, user, settings):
    settings.AXES_FAILURE_LIMIT = 2
    wrong = {"username": user.username, "password": "not-the-password"}
    responses = [client.post("/login/", wrong) for _ in range(3)]
    assert "Please enter a correct username" in text_of(responses[0])
    assert responses[-1].status_code == 429
    assert "Too many attempts" in text_of(responses[-1])


def test_a_form_without_its_token_says_that_it_expired(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post("/search/picture/", {"picture": png()})
    assert response.status_code == 403
    assert "The form has expired" in text_of(response)
