"""Why somebody searches: demanded where the site says so, and kept in the log."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from pedsite.audit.models import Entry
from search import saved
from tests import world
from tests.search import rows
from tests.search.pages.asked import Page, png

pytestmark = pytest.mark.django_db
WHY = "case 2026-118"


@pytest.fixture
def user():
    return world.make_user(role="reviewer")


@pytest.fixture
def browser(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def _street(user, settings):
    settings.PEDSITE_PURPOSE = "required"
    dataset = world.make_dataset("street", visible_to=user)
    world.make_coloured_people(dataset, ["red", "blue"])
    rows.make_serving(version := world.make_version())
    rows.enroll(dataset, version)


def purposes() -> list[str]:
    return list(Entry.objects.filter(action="search").values_list("purpose", flat=True))


@pytest.mark.parametrize("purpose", ["", "  ", "x"])
def test_the_page_refuses_a_search_without_a_reason(browser, purpose):
    answer = browser.get("/search/", {"q": "red", "purpose": purpose})
    assert answer.status_code == 400
    assert "give a reason or a case number" in answer.content.decode()
    assert Page(answer.content.decode()).boxes == []
    assert purposes() == []


def test_the_page_asks_for_a_reason_and_keeps_it(browser):
    html = browser.get("/search/").content.decode()
    (field,) = Page(html).all("input", name="purpose")
    assert "required" in field
    answer = browser.get("/search/", {"q": "red", "purpose": f" {WHY}\n"})
    assert len(Page(answer.content.decode()).boxes) == 2
    assert purposes() == [WHY]
    form = answer.context["form"]
    for query in (form.export_query, form.filter_query, form.unfiltered_query):
        assert "purpose=" in query
    browser.get(f"/search/export/json/?{form.export_query}")
    assert purposes() == [WHY, WHY]


def test_a_picture_that_is_shown_takes_the_reason_along(browser):
    answer = browser.post("/search/picture/", {"picture": png(), "filters": f"purpose={WHY}"})
    assert "purpose=case+2026-118" in answer.url


def test_the_api_refuses_with_a_code_of_its_own_and_keeps_the_reason(browser):
    def ask(**asked):
        return browser.post("/api/v1/search", asked, content_type="application/json")

    refused = ask(text="red")
    assert (refused.status_code, refused.json()["code"]) == (400, "purpose-needed")
    assert ask(text="red", purpose=WHY).status_code == 200
    many = browser.post(
        "/api/v1/search/batch",
        {"queries": [{"text": "red"}, {"text": "red", "purpose": WHY}]},
        content_type="application/json",
    ).json()["answers"]
    assert [one["status"] for one in many] == [400, 200]
    assert purposes() == [WHY, WHY]


def test_a_saved_search_keeps_its_reason(user):
    kept = saved.save(user, "mine", f"q=red&purpose={WHY}")
    assert saved.news(kept).problem == ""
    kept.query = "q=red"
    assert "reason or a case number" in saved.news(kept).problem


def test_the_command_refuses_too(capsys):
    with pytest.raises(CommandError, match="reason or a case number"):
        call_command("search", "red")
    call_command("search", "red", "--purpose", WHY)
    assert purposes() == [WHY]


@pytest.mark.parametrize(("setting", "fields"), [("off", 0), ("optional", 1)])
def test_elsewhere_nobody_has_to_say_why(browser, settings, setting, fields):
    settings.PEDSITE_PURPOSE = setting
    html = browser.get("/search/", {"q": "red"}).content.decode()
    assert len(Page(html).boxes) == 2
    assert len(Page(html).all("input", name="purpose")) == fields
    assert browser.get("/search/", {"q": "red", "purpose": WHY}).status_code == 200
    assert purposes() == [WHY, ""]
