"""Findings and judgements through /api/v1/."""

import pytest
from django.urls import reverse

from search.review import asked, judging
from search.review.models import Finding, Judgement, Query
from tests.world import make_box, make_dataset, make_image, make_user

pytestmark = pytest.mark.django_db
FINDINGS, JUDGEMENTS = reverse("api:findings"), reverse("api:judgements")
UNDO = reverse("api:judgement-undo")


@pytest.fixture
def post(browser):
    return lambda url, **data: browser.post(url, data, content_type="application/json")


def test_a_search_is_sent_judged_and_undone(browser, post, people):
    sent = post(FINDINGS, query="q=red", limit=4)
    assert (sent.status_code, sent.json()["added"]) == (201, 4)
    page = browser.get(FINDINGS, {"limit": 3}).json()
    assert [row["rank"] for row in page["results"]] == [4, 3, 2]
    assert browser.get(page["next"]).json()["results"][0]["box"] == people["red"].pk
    pks = [row["id"] for row in page["results"]]
    made = post(JUDGEMENTS, findings=pks, verdict="rejected").json()
    assert made["changed"] == 3
    assert len(browser.get(FINDINGS, {"state": "rejected"}).json()["results"]) == 3
    assert post(UNDO, decision=made["id"]).json() == made
    assert browser.get(FINDINGS, {"state": "rejected"}).json()["results"] == []
    again = post(UNDO, decision=made["id"])
    assert (again.status_code, again.json()["code"]) == (409, "nothing-to-undo")


def test_chosen_boxes_are_sent_and_taken_out(browser, post, people):
    red, other = people["red"].pk, people["blue"].pk
    sent = post(FINDINGS, query="q=red", boxes=[red, other], limit=1)
    assert (sent.status_code, sent.json()["added"]) == (201, 2)
    rows = browser.get(FINDINGS).json()["results"]
    assert {row["box"]: row["rank"] for row in rows} == {red: 1, other: None}
    judged = next(row["id"] for row in rows if row["box"] == red)
    post(JUDGEMENTS, findings=[judged], verdict="confirmed")
    removed = browser.delete(f"{FINDINGS}?query={sent.json()['query']}")
    assert (removed.status_code, removed.json()) == (200, {"removed": 1})
    assert Finding.objects.get().pk == judged


def test_sending_again_leaves_the_rank_of_what_is_there(post, people):
    red, other = people["red"].pk, people["blue"].pk
    post(FINDINGS, query="q=red", boxes=[other])
    before = Finding.objects.get().rank
    assert post(FINDINGS, query="q=red", boxes=[red, other], limit=1).json()["added"] == 1
    assert Finding.objects.get(box=other).rank == before > 1


def test_a_search_is_sent_by_its_words_alone(post, people):
    words = post(FINDINGS, query="a person in red & blue")
    assert (words.status_code, words.json()["added"]) == (201, 6)
    assert Query.objects.get().text == "a person in red & blue"
    assert (
        post(FINDINGS, query="q=a+person+in+red+%26+blue").json()["query"] == Query.objects.get().pk
    )


@pytest.mark.parametrize(
    ("boxes", "status", "code"),
    [([], 400, "nothing-chosen"), ([10**9], 404, "unknown-box")],
)
def test_boxes_that_cannot_be_sent_are_refused(post, people, boxes, status, code):
    response = post(FINDINGS, query="q=red", boxes=boxes)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Finding.objects.exists()


def test_boxes_are_judged_for_words(browser, post, people):
    red = people["red"].pk
    made = post(JUDGEMENTS, text="a red coat", boxes=[red], verdict="confirmed")
    assert made.json()["changed"] == 1
    (row,) = browser.get(JUDGEMENTS).json()["results"]
    told = {"text": "a red coat", "box": red, "verdict": "confirmed", "reviewer": "ming"}
    assert row.items() >= told.items()
    assert post(JUDGEMENTS, text="a red coat", boxes=[red], verdict="confirmed").json() == {
        "id": None,
        "changed": 0,
    }


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"verdict": "confirmed"}, "invalid"),
        ({"verdict": "confirmed", "boxes": [1], "findings": [1]}, "invalid"),
        ({"verdict": "good", "boxes": [1], "text": "red"}, "invalid"),
        ({"verdict": "confirmed", "boxes": [2**63], "text": "red"}, "invalid"),
        ({"verdict": "confirmed", "boxes": [1]}, "unjudgeable"),
    ],
)
def test_a_judgement_that_says_nothing_is_refused(post, data, code):
    response = post(JUDGEMENTS, **data)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_a_stranger_reads_and_judges_nothing_of_another_dataset(client, post, user, people):
    secret = make_box(make_image(make_dataset("secret")))
    boss = make_user(role="admin")
    made = judging.judge(asked.of_words("boss", None, boss), [secret.pk], "confirmed", boss)
    finding = Finding.objects.get()
    by_finding = post(JUDGEMENTS, findings=[finding.pk], verdict="rejected")
    assert (by_finding.status_code, by_finding.json()["code"]) == (404, "unknown-finding")
    assert post(JUDGEMENTS, text="x", boxes=[secret.pk], verdict="rejected").status_code == 404
    assert post(JUDGEMENTS, like=secret.pk, boxes=[1], verdict="rejected").status_code == 404
    assert post(FINDINGS, query=f"box={secret.pk}").status_code == 404
    assert post(UNDO, decision=made.pk).status_code == 409
    for state in ("unreviewed", "second", "confirmed"):
        found = client.get(FINDINGS, {"state": state, "query": finding.query_id})
        assert found.json()["results"] == []
    assert client.get(JUDGEMENTS).json()["results"] == []
    assert Judgement.objects.get().verdict == "confirmed"


def test_what_others_said_is_told_after_ones_own_verdict(client, user, second, people):
    pk = people["red"].pk
    judging.judge(asked.of_words("red", None, user), [pk], "confirmed", user)
    client.force_login(second)
    assert client.get(JUDGEMENTS).json()["results"] == []
    judging.judge(asked.of_words("red", None, second), [pk], "rejected", second)
    verdicts = {row["reviewer"]: row["verdict"] for row in client.get(JUDGEMENTS).json()["results"]}
    assert verdicts == {"ming": "confirmed", "lan": "rejected"}


@pytest.mark.parametrize("url", [FINDINGS, JUDGEMENTS])
def test_viewers_and_strangers_are_refused(client, url):
    assert client.get(url).status_code in (401, 403)
    client.force_login(make_user(role="viewer"))
    for response in (client.get(url), client.post(url, {}, content_type="application/json")):
        assert (response.status_code, response.json()["status"]) == (403, 403)
