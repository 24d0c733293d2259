"""Verdicts: one a reviewer whatever happens at once, and each of them has its way back."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import close_old_connections, connection

from gallery.errors import UnknownBox
from gallery.models import Review
from search.review import asked, judging, queue
from search.review.errors import (
    MayNotReview,
    NothingChosen,
    NothingToUndo,
    TooManyAtOnce,
    Unjudgeable,
    UnknownFinding,
)
from search.review.models import Change, Decision, Finding, Judgement, Query
from tests.world import make_box, make_dataset, make_image, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def boxes(square):
    return [make_box(make_image(square)).pk for _ in range(3)]


@pytest.fixture
def red(user):
    return asked.on_page("q=a+red+coat", user)


def said(user, query=None):
    rows = Judgement.objects.filter(reviewer=user).order_by("finding__box")
    return [row.verdict for row in rows]


def test_a_decision_is_kept_with_who_and_what_was_before(user, red, boxes):
    first = judging.judge(red, boxes[:1], "confirmed", user)
    second = judging.judge(red, boxes[:1], "rejected", user)
    assert said(user) == ["rejected"]
    history = Change.objects.order_by("pk").values_list(
        "decision__reviewer", "before", "decision__verdict"
    )
    assert list(history) == [
        (user.pk, "unreviewed", "confirmed"),
        (user.pk, "confirmed", "rejected"),
    ]
    assert first.made_at < second.made_at


def test_the_same_said_twice_is_one_decision(user, red, boxes):
    judging.judge(red, boxes, "confirmed", user)
    assert judging.judge(red, boxes, "confirmed", user) is None
    assert Decision.objects.count() == 1


def test_undo_restores_what_was_said_before_step_by_step(user, red, boxes):
    judging.judge(red, boxes[:2], "confirmed", user)
    judging.judge(red, boxes, "rejected", user)
    judging.undo(user)
    assert said(user) == ["confirmed", "confirmed", "unreviewed"]
    judging.undo(user)
    assert said(user) == ["unreviewed"] * 3
    with pytest.raises(NothingToUndo):
        judging.undo(user)


def test_undo_leaves_what_was_decided_anew_since(user, red, boxes):
    first = judging.judge(red, boxes[:2], "confirmed", user)
    judging.judge(red, boxes[:1], "unsure", user)
    judging.undo(user, first.pk)
    assert said(user) == ["unsure", "unreviewed"]
    with pytest.raises(NothingToUndo):
        judging.undo(user, first.pk)


def test_nobody_undoes_the_decision_of_another(user, second, red, boxes):
    made = judging.judge(red, boxes, "confirmed", user)
    with pytest.raises(NothingToUndo):
        judging.undo(second, made.pk)
    assert said(user) == ["confirmed"] * 3


@pytest.mark.django_db(transaction=True)
def test_decisions_at_once_by_one_reviewer_leave_one_row_and_a_whole_history(user, red, boxes):
    """Each thread decides the same findings; the order is anybody's, the chain is not broken."""
    verdicts = ["confirmed", "rejected", "unsure", "confirmed", "rejected", "unsure"]
    start = Barrier(len(verdicts))

    def decide(number):
        try:
            start.wait()
            turned = boxes if number % 2 else boxes[::-1]
            return judging.judge(red, turned, verdicts[number], user)
        finally:
            connection.close()
            close_old_connections()

    with ThreadPoolExecutor(len(verdicts)) as pool:
        list(pool.map(decide, range(len(verdicts))))
    assert Judgement.objects.count() == len(boxes)
    for row in Judgement.objects.all():
        chain = [
            (change.before, change.decision.verdict)
            for change in row.changes.order_by("decision").select_related("decision")
        ]
        afters = [after for _before, after in chain]
        assert [before for before, _after in chain] == ["unreviewed", *afters[:-1]]
        assert row.verdict == afters[-1]


def test_what_was_removed_meanwhile_is_not_judged(user, red, boxes, monkeypatch):
    """As when somebody takes it out of the queue between the check and the lock."""
    finding = Finding.objects.create(query=red, box_id=boxes[0], sent_by=user)
    lock = judging._lock

    def removed_first(findings):
        queue.withdraw(red.pk, user)
        return lock(findings)

    monkeypatch.setattr(judging, "_lock", removed_first)
    with pytest.raises(UnknownFinding):
        judging.decide([finding.pk], "confirmed", user)


def test_a_viewer_judges_nothing(square, red, boxes):
    viewer = make_user(role="viewer")
    for act in (
        lambda: judging.judge(red, boxes, "confirmed", viewer),
        lambda: judging.decide([1], "confirmed", viewer),
        lambda: queue.findings(viewer, "unreviewed"),
        lambda: queue.send("q=red", viewer),
        lambda: queue.withdraw(1, viewer),
    ):
        with pytest.raises(MayNotReview):
            act()


def test_boxes_that_a_reviewer_may_not_see_are_not_judged(user, red, boxes):
    secret = make_box(make_image(make_dataset("secret")))
    hidden = make_box(make_image(make_dataset("open", visible_to=user)), review=Review.HIDDEN)
    for box in (secret, hidden):
        with pytest.raises(UnknownBox):
            judging.judge(red, [*boxes, box.pk], "confirmed", user)
    assert not Finding.objects.exists()


def test_findings_that_a_reviewer_may_not_see_are_not_judged(user, red, boxes):
    stranger = make_user(role="reviewer")
    judging.judge(red, boxes, "confirmed", user)
    pks = list(Finding.objects.values_list("pk", flat=True))
    with pytest.raises(UnknownFinding):
        judging.decide(pks, "rejected", stranger)
    assert not queue.findings(stranger, "unreviewed").exists()
    assert set(queue.counts(stranger).values()) == {0}


def test_what_is_like_a_box_that_a_reviewer_may_not_see_is_not_shown(user, second, boxes):
    private = make_box(make_image(make_dataset("private", visible_to=user)))
    judging.judge(asked.of_words("", private.pk, user), boxes, "confirmed", user)
    assert queue.findings(user, "confirmed").count() == 3
    assert not queue.findings(second, "second").exists()
    with pytest.raises(UnknownBox):
        asked.of_words("", private.pk, second)


def test_nothing_or_too_much_at_once_is_refused(user, red, boxes):
    with pytest.raises(NothingChosen):
        judging.judge(red, [], "confirmed", user)
    with pytest.raises(TooManyAtOnce):
        judging.judge(red, list(range(1, judging.MOST + 2)), "confirmed", user)


def test_the_same_words_and_box_are_one_query_wherever_they_are_asked(user, second, boxes):
    first = asked.on_page("q=A+red+coat+camera:x&after=2026-01-01", user)
    assert asked.on_page("q=a+red++coat&sort=newest&cursor=abc", second) == first
    assert asked.of_words("a red coat", None, second) == first
    liked = asked.on_page(f"q=a+red+coat&box={boxes[0]}", user)
    assert liked != first
    assert asked.of_words(f"a red coat box:{boxes[0]}", None, user) == liked
    assert Query.objects.count() == 2


@pytest.mark.parametrize("query", ["", "q=", "camera=3", "picture=abc", "q=red&picture=abc"])
def test_what_a_second_reviewer_could_not_be_shown_is_not_judged(user, query):
    with pytest.raises(Unjudgeable):
        asked.on_page(query, user)


def test_judgements_go_with_their_box(user, red, boxes, square):
    judging.judge(red, boxes, "confirmed", user)
    square.images.first().delete()
    assert said(user) == ["confirmed"] * 2
    judging.undo(user)
    square.delete()
    assert not Finding.objects.exists()
    assert Query.objects.filter(pk=red.pk).exists()
