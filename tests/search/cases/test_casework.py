"""What a case holds, who works on it, and that it outlives what it is about."""

import io

import pytest
from django.core.files.storage import default_storage

from gallery.errors import UnknownBox
from pedsite.jobs import work
from search.cases import casework, exports
from search.cases.errors import BadCase, ClosedCase, NoSuchMember, NotTheOwner, UnknownCase
from search.cases.models import Case, CaseHit
from search.review.errors import MayNotReview
from tests.world import make_user

pytestmark = pytest.mark.django_db


def test_entries_are_kept_once_and_noted_down(filled, user, boxes):
    assert casework.add_hits(filled, [boxes[0].pk], user) == 0
    casework.add_search(filled, "q=a+red+coat", user)
    assert (filled.hits.count(), filled.searches.get().query) == (2, "q=a+red+coat")
    told = [(event.what, event.user) for event in filled.events.order_by("pk")]
    whats = ["opened", "added_hits", "added_search", "added_note"]
    assert told == [(what, user) for what in whats]


def test_only_members_and_administrators_find_a_case(case, member):
    assert casework.find(member, case.pk) == case
    assert casework.find(make_user(role="admin"), case.pk) == case
    with pytest.raises(UnknownCase):
        casework.find(make_user(role="reviewer"), case.pk)
    viewer = make_user(role="viewer")
    case.members.add(viewer)
    with pytest.raises(MayNotReview):
        casework.find(viewer, case.pk)


def test_only_the_owner_says_who_works_on_a_case(case, user, member):
    for act in (casework.share, casework.unshare):
        with pytest.raises(NotTheOwner):
            act(case, "lan", member)
    with pytest.raises(NotTheOwner):
        casework.delete(case, member)
    make_user("only-looks", role="viewer")
    with pytest.raises(NoSuchMember):
        casework.share(case, "only-looks", user)
    casework.unshare(case, "lan", user)
    with pytest.raises(UnknownCase):
        casework.find(member, case.pk)


def test_nobody_adds_what_they_may_not_see(case, granted, boxes):
    with pytest.raises(UnknownBox):
        casework.add_hits(case, [box.pk for box in boxes], granted)
    assert not case.hits.exists()


def test_a_closed_case_is_not_changed_until_it_is_open_again(filled, user, boxes):
    casework.change(filled, user, state="closed")
    for act in (
        lambda: casework.add_note(filled, "more", user),
        lambda: casework.add_search(filled, "q=blue", user),
        lambda: casework.remove(filled, "hits", filled.hits.first().pk, user),
        lambda: casework.change(filled, user, title="other"),
    ):
        with pytest.raises(ClosedCase):
            act()
    casework.change(filled, user, state="open")
    casework.add_note(filled, "more", user)


def test_what_is_taken_out_stays_in_the_history(filled, user):
    casework.remove(filled, "notes", filled.notes.get().pk, user)
    assert "Seen at the gate." in filled.events.first().detail


@pytest.mark.parametrize("query", ["", "q=", "picture=abc", "camera=3"])
def test_a_search_that_cannot_be_asked_again_is_not_kept(case, user, query):
    with pytest.raises(BadCase):
        casework.add_search(case, query, user)


def test_a_case_outlives_its_boxes_and_says_so(filled, user, boxes, client):
    boxes[0].delete()
    boxes[1].image.dataset.delete()
    assert list(filled.hits.values_list("box", "box_number").order_by("pk")) == [
        (None, boxes_pk) for boxes_pk in CaseHit.objects.values_list("box_number", flat=True)
    ]
    client.force_login(user)
    html = client.get(filled.get_absolute_url()).content.decode()
    assert html.count("It was deleted.") == 2


def test_a_deleted_case_leaves_no_file(filled, user, django_capture_on_commit_callbacks):
    job = exports.request(filled, user, queue=False)
    work.run_here(job, exports.step, io.StringIO())
    name = filled.exports.get().file
    assert default_storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        casework.delete(filled, user)
    assert not default_storage.exists(name)
    assert not Case.objects.exists()
