"""What people change is written down as they do it, and taken back as it was."""

import datetime as dt

import pytest
from django.db import IntegrityError

from gallery import changes, history
from gallery.errors import GoneMeanwhile, MayNotCurate, NothingToUndo, UnknownAction, UnknownDataset
from gallery.models import Action, Box, Caption, Change, Identity, Image
from pedsite.audit.models import Entry
from tests import world

HIDE = "hide"
pytestmark = pytest.mark.django_db


@pytest.fixture
def curator():
    return world.make_user("carla", role="curator")


@pytest.fixture
def street(curator):
    return world.make_dataset("street", visible_to=curator)


@pytest.fixture
def box(street):
    image = world.make_image(street)
    return world.make_box(image, (4, 4, 20, 40), identity=world.make_identity(street, "7"))


def all_rows():
    """Everything that is curated, as it stands."""
    models = (Image, Identity, Box, Caption)
    return {model: list(model.objects.order_by("pk").values()) for model in models}


def do(street, user, work, kind=HIDE):
    with changes.acting(street, user, kind) as act:
        work(act)
    return act.action


def hide(street, user, *boxes):
    return do(street, user, lambda act: act.update(Box, [b.pk for b in boxes], review="hidden"))


def test_a_change_tells_who_when_and_what(street, curator, box):
    action = hide(street, curator, box)
    assert (action.made_by, action.rows, action.dataset) == (curator, 1, street)
    assert abs(action.made_at - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    change = changes.of_row(box).get()
    assert (change.before, change.after) == ({"review": "unreviewed"}, {"review": "hidden"})


def test_the_audit_log_is_told_of_every_action_and_its_undo(street, curator, box):
    action = hide(street, curator, box)
    undone = history.undo(action, curator).action
    told = Entry.objects.filter(action="change").order_by("pk")
    assert [(each.username, each.about.split(", ")[1]) for each in told] == [
        ("carla", f"action {action.pk}"),
        ("carla", f"action {undone.pk}"),
    ]
    assert told[1].detail["undoes"] == action.pk


def test_what_is_so_already_is_no_change(street, curator, box):
    hide(street, curator, box)
    assert hide(street, curator, box) is None
    assert Action.objects.count() == 1


def test_a_bulk_is_one_action_and_undone_as_one(street, curator, box):
    boxes = [box] + [world.make_box(box.image, (n, 0, n + 1, 1)) for n in range(20)]
    before = all_rows()
    action = hide(street, curator, *boxes)
    assert action.rows == 21
    done = history.undo(action, curator)
    assert (done.restored, done.left) == (21, [])
    assert all_rows() == before
    action.refresh_from_db()
    assert action.is_undone
    assert done.action.undoes == action


def test_an_undo_can_be_undone_and_an_action_only_once(street, curator, box):
    action = hide(street, curator, box)
    undone = history.undo(action, curator).action
    with pytest.raises(NothingToUndo, match="already"):
        history.undo(action, curator)
    history.undo(undone, curator)
    assert Box.objects.get().review == "hidden"


def test_a_deleted_box_comes_back_with_its_words_its_number_and_its_times(street, curator, box):
    world.make_caption(box, "a man in red")
    long_ago = dt.datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=dt.UTC)
    Box.objects.update(created_at=long_ago)
    Caption.objects.update(created_at=long_ago)
    before = all_rows()
    action = do(street, curator, lambda act: act.delete(Box, [box.pk]))
    assert not Box.objects.exists()
    assert not Caption.objects.exists()
    history.undo(action, curator)
    assert all_rows() == before


def test_what_an_action_made_goes_with_its_undo(street, curator, box):
    before = all_rows()

    def split(act):
        person = Identity(dataset=street, key="8")
        act.create([person])
        act.update(Box, [box.pk], identity_id=person.pk)
        act.create([Caption(box=box, text="a man", language="en", source="typed")])

    history.undo(do(street, curator, split), curator)
    assert all_rows() == before


def test_a_person_who_was_taken_up_by_another_comes_back_with_the_boxes(street, curator, box):
    other = world.make_identity(street, "8", split="test")
    before = all_rows()

    def merge(act):
        act.update(Box, [box.pk], identity_id=other.pk)
        act.delete(Identity, [box.identity_id])

    history.undo(do(street, curator, merge), curator)
    assert all_rows() == before


def test_what_was_changed_since_stays_and_is_told(street, curator, box):
    second = world.make_box(box.image, (0, 0, 9, 9))
    action = hide(street, curator, box, second)
    Box.objects.filter(pk=box.pk).update(review="approved")
    done = history.undo(action, curator)
    assert done.restored == 1
    (left,) = done.left
    assert (left.model, left.row) == ("box", box.pk)
    assert "changed since" in left.reason
    assert list(Box.objects.order_by("pk").values_list("review", flat=True)) == [
        "approved",
        "unreviewed",
    ]


def test_an_undo_of_which_nothing_is_left_is_refused_and_writes_nothing(street, curator, box):
    action = hide(street, curator, box)
    Box.objects.update(review="approved")
    with pytest.raises(NothingToUndo, match="changed since"):
        history.undo(action, curator)
    assert Action.objects.count() == 1


def test_a_box_whose_place_is_taken_by_now_stays_deleted(street, curator, box):
    others = [world.make_box(box.image, (n, 0, n + 1, 1)) for n in range(3)]
    gone = [box.pk, *(other.pk for other in others)]
    action = do(street, curator, lambda act: act.delete(Box, gone))
    world.make_box(box.image, box.bounds)
    done = history.undo(action, curator)
    assert done.restored == 3
    assert [(left.row, "place" in left.reason) for left in done.left] == [(box.pk, True)]
    assert Change.objects.filter(action=done.action).count() == 3


def test_a_name_that_another_has_by_now_is_not_given_back(street, curator, box):
    second = world.make_identity(street, "8")
    wanted = {box.identity_id: {"key": "70"}, second.pk: {"key": "80"}}
    action = do(street, curator, lambda act: act.edit(Identity, wanted))
    world.make_identity(street, "7")
    done = history.undo(action, curator)
    assert [(left.row, "name" in left.reason) for left in done.left] == [(box.identity_id, True)]
    assert [change.row for change in done.action.changes.all()] == [second.pk]


def test_a_box_does_not_come_back_to_somebody_who_is_gone(street, curator, box):
    action = do(street, curator, lambda act: act.update(Box, [box.pk], identity_id=None))
    Identity.objects.all().delete()
    with pytest.raises(NothingToUndo, match="belonged"):
        history.undo(action, curator)


def test_a_box_that_got_words_since_is_not_taken_away(street, curator, box):
    new = Box(image=box.image, left=0, top=0, right=9, bottom=9, source="annotated")
    action = do(street, curator, lambda act: act.create([new]))
    world.make_caption(new, "a dog")
    with pytest.raises(NothingToUndo, match="used"):
        history.undo(action, curator)
    assert Box.objects.filter(pk=new.pk).exists()


def test_many_steps_on_one_row_are_one_change(street, curator, box):
    def twice(act):
        act.update(Box, [box.pk], review="hidden")
        act.edit(Box, {box.pk: {"left": 2, "review": "approved"}})

    action = do(street, curator, twice)
    change = action.changes.get()
    assert change.before == {"review": "unreviewed", "left": 4}
    assert change.after == {"review": "approved", "left": 2}


def test_another_datasets_rows_are_not_there(street, curator, box):
    elsewhere = world.make_dataset("elsewhere", visible_to=curator)
    with pytest.raises(GoneMeanwhile, match=f"box {box.pk}"):
        hide(elsewhere, curator, box)


def test_only_curators_of_a_dataset_act_on_it_or_undo(street, curator, box):
    action = hide(street, curator, box)
    reviewer = world.make_user("rob", role="reviewer")
    stranger = world.make_user("sue", role="curator")
    world.make_grant(street, reviewer)
    with pytest.raises(MayNotCurate):
        hide(street, reviewer, box)
    with pytest.raises(UnknownDataset):
        hide(street, stranger, box)
    with pytest.raises(MayNotCurate):
        history.undo(action, reviewer)
    with pytest.raises(UnknownAction):
        history.get(action.pk, stranger)
    assert history.get(action.pk, reviewer) == action


def test_a_failing_action_leaves_nothing(street, curator, box):
    def fail(act):
        act.update(Box, [box.pk], review="hidden")
        act.create([Identity(dataset=street, key="7")])

    with pytest.raises(IntegrityError):
        do(street, curator, fail)


def test_a_command_acts_without_a_user(street, box):
    assert hide(street, None, box).made_by is None
