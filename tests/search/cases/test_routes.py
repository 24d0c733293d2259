"""Cases on pages and through /api/v1/: the same functions, the same limits."""

import pytest
from django.urls import reverse

from search.cases import casework
from search.cases.models import Case, CaseEvent
from search.review import asked, judging
from search.review.models import Finding
from tests.search.pages.asked import Page
from tests.world import make_user

pytestmark = pytest.mark.django_db
CASES = reverse("api:cases")


@pytest.fixture
def post(browser):
    return lambda url, **data: browser.post(url, data, content_type="application/json")


def of(name, case, *args):
    return reverse(f"api:{name}", args=[case.pk, *args])


def test_a_case_is_opened_filled_changed_and_deleted_by_a_program(browser, post, boxes):
    made = post(CASES, title="Blue bag", reference="F-18")
    assert (made.status_code, made.json()["state"]) == (201, "open")
    case = Case.objects.get()
    assert post(of("case-hits", case), boxes=[box.pk for box in boxes]).json() == {"added": 2}
    assert post(of("case-searches", case), query="q=blue+bag").status_code == 201
    words = post(of("case-searches", case), query="a blue bag")
    assert (words.status_code, words.json()["query"]) == (201, "q=a+blue+bag")
    note = post(of("case-notes", case), text="hello")
    page = browser.get(of("case-hits", case), {"limit": 1}).json()
    assert [row["box_number"] for row in page["results"]] == [boxes[1].pk]
    assert browser.get(page["next"]).json()["results"][0]["state"] == "shown"
    entry = of("case-entry", case, "notes", note.json()["id"])
    assert browser.delete(entry).status_code == 204
    assert browser.delete(entry).json()["code"] == "unknown-entry"
    changed = browser.patch(of("case", case), {"state": "closed"}, content_type="application/json")
    assert changed.json()["state"] == "closed"
    assert post(of("case-notes", case), text="more").status_code == 409
    history = browser.get(of("case-history", case)).json()["results"]
    assert [row["what"] for row in history][:2] == ["changed", "removed"]
    assert browser.delete(of("case", case)).status_code == 204
    assert browser.get(CASES).json()["results"] == []


def test_an_export_is_long_work(browser, filled):
    answer = browser.post(of("case-exports", filled))
    assert (answer.status_code, answer.json()["kind"]) == (202, "export_case")
    assert browser.get(of("case-exports", filled)).json() == []


@pytest.mark.parametrize("role", ["reviewer", "curator", "operator", "viewer"])
def test_a_stranger_reaches_no_route_of_a_case(client, filled, role):
    """Every route under /cases/ID, of pages and of the API, with every method that it has."""
    client.force_login(make_user(role=role))
    before = CaseEvent.objects.count()
    named = ["case", "case-hits", "case-searches", "case-notes", "case-history", "case-exports"]
    paths = [of(name, filled) for name in [*named, "case-members"]]
    paths += [
        of("case-entry", filled, kind, getattr(filled, kind).first().pk)
        for kind in ("hits", "searches", "notes")
    ]
    paths += [of("case-export-file", filled, 1)]
    pages = ["case", "case-change", "case-export"]
    paths += [reverse(f"search:review:{name}", args=[filled.pk]) for name in pages]
    good = {
        "boxes": [1],
        "query": "q=x",
        "text": "x",
        "username": "x",
        "act": "close",
        "title": "x",
    }
    for path in paths:
        for method in ("get", "post", "patch", "delete"):
            answer = getattr(client, method)(path, good, content_type="application/json")
            assert answer.status_code in (403, 404, 405), (method, path)
    client.post(reverse("search:review:case-add"), {"case": filled.pk, "query": "q=x", "box": 1})
    assert CaseEvent.objects.count() == before


def test_a_member_sees_that_there_is_a_box_and_not_which_picture(client, filled, granted, boxes):
    client.force_login(granted)
    html = client.get(filled.get_absolute_url()).content.decode()
    assert f"/crops/{boxes[1].pk}" not in html
    assert "secret" not in html
    assert "You may not see it." in html
    states = [row["state"] for row in client.get(of("case-hits", filled)).json()["results"]]
    assert states == ["withheld", "shown"]


def test_results_of_a_search_and_findings_of_the_queue_are_put_into_a_case(
    browser, case, user, boxes
):
    add = reverse("search:review:case-add")
    data = {"case": case.pk, "what": "hits", "query": "q=red", "box": boxes[0].pk}
    assert browser.post(add, data).url == "/search/?q=red"
    judging.judge(asked.of_words("blue", None, user), [boxes[1].pk], "confirmed", user)
    finding = Finding.objects.get()
    browser.post(add, {"case": case.pk, "what": "hits", "finding": finding.pk})
    found = [(hit.box_id, str(hit.query)) for hit in case.hits.order_by("pk")]
    assert found == [(boxes[0].pk, "red"), (boxes[1].pk, "blue")]
    browser.post(add, {"case": case.pk, "what": "search", "query": "q=red&camera="})
    assert case.searches.get().query == "q=red"


def test_the_pages_of_a_case_escape_what_was_typed_and_carry_no_inline_code(browser, filled):
    for path in (filled.get_absolute_url(), reverse("search:review:cases")):
        html = browser.get(path).content.decode()
        assert Page(html).inline == []
        assert "<b>twice</b>" not in html
    change = reverse("search:review:case-change", args=[filled.pk])
    browser.post(change, {"act": "note", "text": "by hand"})
    assert "by hand" in browser.get(filled.get_absolute_url()).content.decode()
    assert browser.post(change, {"act": "delete"}).url == reverse("search:review:cases")


def test_the_admin_shows_cases_and_their_history(client, filled):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    for path in ("case/", f"case/{filled.pk}/change/", "caseexport/"):
        assert client.get(f"/admin/search/{path}").status_code == 200
    assert casework.owns(filled, make_user(role="admin"))


def test_a_reference_stands_by_itself_and_not_in_the_title(browser, case):
    Case.objects.update(title="Blue bag", reference="F-18")
    html = browser.get(case.get_absolute_url()).content.decode()
    assert "<h1>Blue bag</h1>" in html
    assert ">F-18</p>" in html
