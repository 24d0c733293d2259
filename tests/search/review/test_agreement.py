"""How far reviewers agree, in numbers and one by one."""

import pytest
from django.urls import reverse

from search.review import agreement, asked, judging
from search.review.errors import MayNotReview
from search.review.models import Finding
from tests.world import make_box, make_image, make_user

pytestmark = pytest.mark.django_db
YES, NO = "confirmed", "rejected"


def test_kappa_is_the_textbook_one():
    """50 grants, 20 both yes, 15 both no, 5 and 10 split: 0.4 (Wikipedia's example)."""
    told = [(YES, YES)] * 20 + [(YES, NO)] * 5 + [(NO, YES)] * 10 + [(NO, NO)] * 15
    assert agreement.kappa(told) == pytest.approx(0.4)


def test_kappa_is_zero_for_chance_one_for_the_same_and_none_for_one_word():
    assert agreement.kappa([(YES, YES), (YES, NO), (NO, YES), (NO, NO)]) == 0
    assert agreement.kappa([(YES, YES), (NO, NO)]) == 1
    assert agreement.kappa([(YES, YES)] * 9) is None
    assert agreement.kappa([(YES, NO), (NO, YES)]) == -1


@pytest.fixture
def judged(user, second, square):
    """Four boxes; both decided three of them, twice the same."""
    boxes = [make_box(make_image(square)).pk for _ in range(4)]
    query = asked.on_page("q=red", user)
    judging.judge(query, boxes[:2], YES, user)
    judging.judge(query, boxes[2:], NO, user)
    judging.judge(query, boxes[1:3], NO, second)
    judging.judge(query, boxes[:1], YES, second)
    return boxes


def test_pairs_count_what_both_decided(user, judged):
    (pair,) = agreement.pairs(user)
    assert (pair.first, pair.second, pair.count, pair.same) == ("lan", "ming", 3, 2)
    assert pair.kappa == pytest.approx(0.4)


def test_disagreements_are_listed_until_somebody_gives_way(user, second, judged):
    assert [row.box_id for row in agreement.disagreements(user)] == [judged[1]]
    judging.undo(second, second.judgements.get(finding__box=judged[1]).decision_id)
    assert not agreement.disagreements(user).exists()
    assert agreement.pairs(user)[0].count == 1


def test_agreement_tells_nobody_what_they_have_not_judged(judged, square):
    third = make_user(role="reviewer")
    square.grants.create(user=third)
    assert agreement.pairs(third) == []
    assert not agreement.disagreements(third).exists()
    boss = make_user(role="admin")
    assert len(agreement.pairs(boss)) == 1
    assert agreement.disagreements(boss).count() == 1


def test_agreement_stops_with_the_grant(user, judged, square):
    square.grants.filter(user=user).delete()
    assert agreement.pairs(user) == []
    assert not agreement.disagreements(user).exists()


def test_the_page_and_the_api_tell_the_same(browser, client, judged):
    page = browser.get(reverse("search:review:agreement"))
    assert page.context["page"].paginator.count == 1
    answer = browser.get(reverse("api:agreement")).json()
    assert answer == [
        {"first": "lan", "second": "ming", "count": 3, "same": 2, "kappa": pytest.approx(0.4)}
    ]
    split = browser.get(reverse("api:findings"), {"state": "disputed"}).json()["results"]
    assert [row["id"] for row in split] == [Finding.objects.get(box=judged[1]).pk]
    client.force_login(make_user(role="viewer"))
    assert client.get(reverse("search:review:agreement")).status_code == 403
    assert client.get(reverse("api:agreement")).status_code == 403
    with pytest.raises(MayNotReview):
        agreement.pairs(make_user(role="viewer"))
