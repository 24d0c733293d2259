"""The queue, one finding at a time, and verdicts from the results of a search."""

import pytest
from django.urls import reverse

from search.review import asked, judging, queue
from search.review.models import Decision, Finding, Judgement, Query
from tests.search.pages.asked import HTMX, Page, text_of
from tests.world import make_box, make_dataset, make_grant, make_image, make_user

pytestmark = pytest.mark.django_db
LIST, ONE, DECIDE = (reverse(f"search:review:{name}") for name in ("list", "one", "decide"))
JUDGE, UNDO, SEND = (reverse(f"search:review:{name}") for name in ("judge", "undo", "send"))
WITHDRAW = reverse("search:review:withdraw")


@pytest.fixture
def sent(user, people):
    """The query for red, whose hits wait."""
    return queue.send("q=red", user)[0]


def shown(response) -> list[int]:
    boxes = Page(response.content.decode()).all("input", type="checkbox", name="finding")
    return [int(box["value"]) for box in boxes]


@pytest.mark.parametrize("path", [LIST, ONE])
def test_the_queue_is_for_reviewers(client, square, path):
    assert client.get(path).status_code == 302
    client.force_login(make_user(role="viewer"))
    assert client.get(path).status_code == 403
    assert "/review/" not in client.get("/search/").content.decode()


@pytest.mark.parametrize("path", [DECIDE, JUDGE, UNDO, SEND, WITHDRAW])
def test_decisions_are_for_reviewers_and_are_posted(client, user, path):
    client.force_login(make_user(role="viewer"))
    assert client.post(path).status_code == 403
    client.force_login(user)
    assert client.get(path).status_code == 405


def test_a_search_is_sent_once_and_keeps_its_order(browser, user, people):
    data = {"query": "q=red", "scope": "shown", "shown": [box.pk for box in people.values()]}
    for added in (6, 0):
        response = browser.post(SEND, data, follow=True)
        assert f"6 results are in the review now (new: {added})" in text_of(response)
    rows = Finding.objects.in_turn()
    assert [row.rank for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[0].box == people["red"]
    assert rows[0].version.name == "tiny-square"
    assert rows[0].sent_by == user
    assert shown(response) == [row.pk for row in rows]


def test_only_what_was_ticked_is_sent(browser, people):
    chosen = {people["blue"].pk, people["red"].pk}
    data = {"query": "q=red", "scope": "selected", "shown": [box.pk for box in people.values()]}
    response = browser.post(SEND, data | {"box": list(chosen)}, follow=True)
    assert "2 results are in the review now (new: 2)" in text_of(response)
    first, other = Finding.objects.in_turn()
    assert {first.box_id, other.box_id} == chosen
    assert (first.box, first.rank) == (people["red"], 1)
    assert other.rank > 1
    assert other.score < first.score


@pytest.mark.parametrize("scope", ["selected", "shown"])
def test_nothing_ticked_is_nothing_sent(browser, people, scope):
    response = browser.post(SEND, {"query": "q=red", "scope": scope}, follow=True)
    assert "Choose at least one result." in text_of(response)
    assert not Finding.objects.exists()


def test_what_nobody_judged_is_taken_out_again(browser, user, second, sent):
    first, taken_back, *_ = Finding.objects.in_turn()
    judging.decide([first.pk], "confirmed", second)
    judging.decide([taken_back.pk], "rejected", user)
    judging.undo(user)
    page = browser.get(LIST, {"query": sent.pk})
    assert "Remove what nobody judged (4)" in text_of(page)
    assert "Remove what" not in text_of(browser.get(LIST))
    response = browser.post(WITHDRAW, {"query": sent.pk}, follow=True)
    assert "4 results were removed" in text_of(response)
    assert set(Finding.objects.all()) == {first, taken_back}
    assert "Remove what" not in text_of(browser.get(LIST, {"query": sent.pk}))


def test_only_the_sender_or_an_operator_takes_out_what_was_sent(client, second, square, sent):
    client.force_login(second)
    assert "Remove what" not in text_of(client.get(LIST, {"query": sent.pk}))
    client.post(WITHDRAW, {"query": sent.pk})
    assert Finding.objects.count() == 6
    operator = make_user(role="operator")
    client.force_login(operator)
    client.post(WITHDRAW, {"query": sent.pk})
    assert Finding.objects.count() == 6
    make_grant(square, operator)
    client.post(WITHDRAW, {"query": sent.pk})
    assert not Finding.objects.exists()


def test_one_key_decides_and_moves_on(browser, user, sent):
    """As the key does: the form of the page is sent as it is, and its answer is the next one."""
    turn = list(Finding.objects.in_turn().values_list("pk", flat=True))
    response = browser.get(ONE)
    for expected in turn:
        assert response.context["finding"].pk == expected
        fields = {
            field["name"]: field["value"]
            for field in Page(response.content.decode()).all("input", type="hidden")
            if field["name"] in ("finding", "next")
        }
        assert fields["finding"] == str(expected)
        response = browser.post(DECIDE, fields | {"verdict": "confirmed"}, follow=True)
    assert response.context["finding"] is None
    assert Decision.objects.count() == len(turn)
    assert set(Judgement.objects.values_list("verdict", flat=True)) == {"confirmed"}


def test_skipping_goes_on_and_comes_round(browser, sent):
    turn = list(Finding.objects.in_turn())
    assert browser.get(ONE, {"at": turn[1].pk}).context["next"] == turn[2]
    assert browser.get(ONE, {"at": turn[-1].pk}).context["next"] == turn[0]


def test_a_page_offers_to_undo_the_last_decision(browser, user, sent):
    first = Finding.objects.in_turn().first()
    browser.post(DECIDE, {"finding": first.pk, "verdict": "rejected"})
    page = browser.get(LIST)
    assert first.pk not in shown(page)
    assert page.context["undoable"].verdict == "rejected"
    back = browser.post(UNDO, {"decision": page.context["undoable"].pk, "next": LIST}, follow=True)
    assert first.pk in shown(back)
    assert back.context["undoable"] is None


def test_undoing_one_by_one_goes_back_to_what_was_decided(browser, sent):
    turn = list(Finding.objects.in_turn())
    browser.post(DECIDE, {"finding": turn[2].pk, "verdict": "rejected"})
    html = browser.get(ONE, {"at": turn[3].pk}).content.decode()
    fields = Page(html[html.index(UNDO) :]).all("input", type="hidden")
    data = {field["name"]: field["value"] for field in fields[:3] if field["name"] != "finding"}
    assert browser.post(UNDO, data, follow=True).context["finding"] == turn[2]


@pytest.mark.parametrize(("scope", "expected"), [("selected", 1), ("shown", 6)])
def test_many_are_judged_at_once(browser, user, sent, scope, expected):
    pks = list(Finding.objects.in_turn().values_list("pk", flat=True))
    data = {"scope": scope, "finding": pks[:1], "shown": pks, "verdict": "unsure"}
    browser.post(DECIDE, data)
    assert queue.counts(user)["unsure"] == expected
    assert Decision.objects.count() == 1


def test_a_second_reviewer_decides_without_knowing_the_first_verdict(client, user, second, sent):
    first = Finding.objects.in_turn().first()
    judging.decide([first.pk], "rejected", user)
    client.force_login(second)
    response = client.get(ONE, {"state": "second"})
    assert response.context["finding"] == first
    assert "ming" not in response.content.decode()
    client.post(DECIDE, {"finding": first.pk, "verdict": "confirmed"})
    response = client.get(ONE, {"state": "confirmed"})
    assert "ming" in response.content.decode()
    assert queue.counts(user)["second"] == 0


def test_findings_of_other_datasets_are_on_no_page(browser, user, people, sent):
    other = make_user(role="admin")
    secret = make_box(make_image(make_dataset("secret")))
    judging.judge(asked.on_page("q=secret+words", other), [secret.pk], "confirmed", other)
    pk = Finding.objects.get(box=secret).pk
    for path in (LIST, f"{LIST}?state=second", f"{ONE}?at={pk}", f"{ONE}?state=second&at={pk}"):
        assert "secret words" not in browser.get(path).content.decode()
    assert (
        browser.get(LIST, {"query": Query.objects.get(text="secret words").pk}).status_code == 404
    )
    browser.post(DECIDE, {"finding": pk, "verdict": "rejected"})
    assert not Judgement.objects.filter(reviewer=user).exists()


def test_the_buttons_for_many_say_what_they_do(browser, people):
    text = text_of(browser.get("/search/", {"q": "red"}))
    bar = text[text.index("All shown") : text.index("Send to review")]
    assert bar.split()[2:] == ["Confirmed", "Rejected", "Unsure"]
    keys = text[text.index("this list") - 400 : text.index("this list")]
    for key in ("c x u", "z"):
        assert f" {key} " in keys


def test_results_carry_the_verdicts_of_the_reader(browser, user, second, people):
    red, blue = people["red"].pk, people["blue"].pk
    judging.judge(asked.on_page("q=red", user), [red], "confirmed", user)
    judging.judge(asked.on_page("q=red", second), [blue], "rejected", second)
    page = Page(browser.get("/search/", {"q": "red"}).content.decode())
    pressed = page.all("button", **{"aria-pressed": "true", "name": "verdict"})
    assert [button["data-verdict"] for button in pressed] == ["confirmed"]
    assert len(page.all("input", name="shown")) == 6
    assert page.inline == []


def test_a_viewer_sees_results_without_verdicts(client, square, people):
    viewer = make_user(role="viewer")
    square.grants.create(user=viewer)
    client.force_login(viewer)
    html = client.get("/search/", {"q": "red"}).content.decode()
    assert 'name="verdict"' not in html
    assert Page(html).boxes


def test_a_verdict_on_a_card_answers_with_the_card(browser, people):
    data = {"query": "q=red&sort=newest", "box": people["red"].pk, "verdict": "confirmed"}
    page = Page(browser.post(JUDGE, data, headers=HTMX).content.decode())
    assert [form["id"] for form in page.all("form")] == [f"verdict-card-{people['red'].pk}"]
    (pressed,) = page.all("button", **{"aria-pressed": "true"})
    assert (pressed["data-verdict"], pressed["value"]) == ("confirmed", "unreviewed")
    page = Page(browser.post(JUDGE, data | {"place": "drawer"}, headers=HTMX).content.decode())
    assert len(page.all("form")) == 2


def test_a_verdict_without_scripts_goes_back_to_the_search(browser, people, user):
    data = {"query": "q=red", "box": people["red"].pk, "verdict": "rejected"}
    assert browser.post(JUDGE, data).url == "/search/?q=red"
    assert queue.counts(user)["rejected"] == 1
    all_shown = {"query": "q=red", "scope": "shown", "verdict": "unsure"}
    browser.post(JUDGE, all_shown | {"shown": [box.pk for box in people.values()]})
    assert queue.counts(user)["unsure"] == 6


def test_a_decision_goes_on_within_the_site_only(browser, sent):
    data = {"finding": Finding.objects.first().pk, "verdict": "unsure"}
    assert browser.post(DECIDE, data | {"next": "https://evil.example/"}).url == LIST
    assert browser.post(DECIDE, data | {"next": "//evil.example/"}).url == LIST


def test_the_drawer_and_the_page_of_a_box_take_a_verdict(browser, people):
    for headers in ({}, HTMX):
        path = f"/boxes/{people['red'].pk}/?q=red"
        html = browser.get(path, headers=headers).content.decode()
        assert f"verdict-drawer-{people['red'].pk}" in html
    assert "verdict-drawer" not in browser.get(f"/boxes/{people['red'].pk}/").content.decode()


def test_words_of_a_query_are_text_on_the_page(browser, user, people):
    bad = '<img src=x onerror="alert(1)">'
    judging.judge(asked.of_words(bad, None, user), [people["red"].pk], "confirmed", user)
    for path in (LIST, ONE):
        assert bad not in browser.get(path, {"state": "confirmed"}).content.decode()


def test_the_admin_lists_judgements_and_their_history(client, user, people):
    judging.judge(asked.on_page("q=red", user), [people["red"].pk], "confirmed", user)
    client.force_login(make_user(is_staff=True, is_superuser=True))
    for name in ("judgement", "finding", "query"):
        assert client.get(f"/admin/search/{name}/").status_code == 200
    pk = Judgement.objects.get().pk
    html = client.get(f"/admin/search/judgement/{pk}/change/").content.decode()
    assert "unreviewed" in html
    assert client.post(f"/admin/search/judgement/{pk}/delete/", {"post": "yes"}).status_code == 403
