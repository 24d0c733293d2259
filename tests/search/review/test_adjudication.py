"""Where reviewers differ, somebody else decides."""

import pytest

from search.review import adjudication, asked, judging
from search.review.errors import (
    IsAParty,
    MayNotReview,
    NoAdjudication,
    NotDisputed,
    UnknownFinding,
    UnknownVerdict,
)
from tests.world import make_box, make_grant, make_image, make_user

pytestmark = pytest.mark.django_db
YES, NO, UNSURE = "confirmed", "rejected", "unsure"


@pytest.fixture
def third(square):
    other = make_user("wei", role="reviewer")
    make_grant(square, other)
    return other


@pytest.fixture
def disputed(user, second, square):
    """The first of two findings is disputed."""
    boxes = [make_box(make_image(square)).pk for _ in range(2)]
    query = asked.on_page("q=red", user)
    judging.judge(query, boxes, YES, user)
    judging.judge(query, boxes[:1], NO, second)
    return query.findings.get(box=boxes[0])


def test_only_who_has_not_judged_is_asked_and_may_decide(user, second, third, disputed):
    assert list(adjudication.waiting(third)) == [disputed]
    assert not adjudication.waiting(user).exists()
    for party in (user, second):
        with pytest.raises(IsAParty):
            adjudication.decide(disputed.pk, YES, party)
    made = adjudication.decide(disputed.pk, NO, third, "no\x00 coat")
    assert (made.verdict, made.note) == (NO, "no coat")
    assert not adjudication.waiting(third).exists()
    assert list(adjudication.settled(user)) == list(adjudication.settled(third)) == [made]


def test_a_decision_stands_until_its_maker_takes_it_back(user, third, disputed):
    made = adjudication.decide(disputed.pk, UNSURE, third)
    with pytest.raises(NotDisputed):
        adjudication.decide(disputed.pk, YES, make_user(role="admin"))
    with pytest.raises(NoAdjudication):
        adjudication.undo(made.pk, user)
    adjudication.undo(made.pk, third)
    with pytest.raises(NoAdjudication):
        adjudication.undo(made.pk, third)
    assert list(adjudication.waiting(third)) == [disputed]
    assert not adjudication.settled(third).exists()


def test_what_is_not_disputed_or_not_seen_cannot_be_decided(user, second, third, disputed, square):
    judging.undo(second)
    with pytest.raises(NotDisputed):
        adjudication.decide(disputed.pk, YES, third)
    with pytest.raises(UnknownVerdict):
        adjudication.decide(disputed.pk, "maybe", third)
    stranger = make_user(role="reviewer")
    with pytest.raises(UnknownFinding):
        adjudication.decide(disputed.pk, YES, stranger)
    assert not adjudication.waiting(stranger).exists()


def test_viewers_have_no_part_in_it(disputed):
    viewer = make_user(role="viewer")
    for call in (
        lambda: adjudication.waiting(viewer),
        lambda: adjudication.settled(viewer),
        lambda: adjudication.decide(disputed.pk, YES, viewer),
    ):
        with pytest.raises(MayNotReview):
            call()


def test_others_do_not_read_what_was_settled(third, disputed, square):
    adjudication.decide(disputed.pk, YES, third)
    other = make_user(role="reviewer")
    make_grant(square, other)
    assert not adjudication.settled(other).exists()
    assert adjudication.settled(make_user(role="admin")).count() == 1
