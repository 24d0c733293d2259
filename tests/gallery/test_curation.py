"""What may be done with boxes and people, by whom, and that all of it is undone."""

import pytest

from gallery import curation, history, people, splits
from gallery.errors import (
    BadBounds,
    BadKey,
    BadMerge,
    BadSplit,
    BoxIsThere,
    MayNotCurate,
    NothingSelected,
    SplitsDiffer,
    UnknownBox,
    UnknownIdentity,
    UnknownImage,
    UnknownReview,
)
from gallery.models import Action, Box, Caption, Identity
from search.models import Query
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def curator():
    return world.make_user("carla", role="curator")


@pytest.fixture
def street(curator):
    return world.make_dataset("street", visible_to=curator)


@pytest.fixture
def image(street):
    return world.make_image(street)  # 64 x 64


def reviews():
    return list(Box.objects.order_by("pk").values_list("review", flat=True))


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Identity, Box, Caption)]


def test_a_box_is_drawn_as_a_persons_own(image, curator):
    box, action = curation.draw(image.pk, (4, 4, 20, 40), curator)
    assert (box.bounds, box.source, box.review) == ((4, 4, 20, 40), "annotated", "unreviewed")
    history.undo(action, curator)
    assert not Box.objects.exists()


@pytest.mark.parametrize(
    "bounds",
    [
        (-1, 0, 20, 20), (0, 0, 65, 20), (0, 0, 20, 65), (20, 0, 20, 20),
        (30, 0, 20, 20), (0, 0, 7, 20), (0, 0, 20, 7),
    ],
)  # fmt: skip
def test_a_box_outside_its_picture_or_too_small_is_refused(image, curator, bounds):
    box = world.make_box(image, (0, 0, 30, 30))
    with pytest.raises(BadBounds):
        curation.draw(image.pk, bounds, curator)
    with pytest.raises(BadBounds):
        curation.move(box.pk, bounds, curator)
    assert Box.objects.get().bounds == (0, 0, 30, 30)


def test_two_boxes_have_no_equal_bounds(image, curator):
    box = world.make_box(image, (0, 0, 30, 30))
    other = world.make_box(image, (5, 5, 30, 30))
    with pytest.raises(BoxIsThere, match=str(box.pk)):
        curation.draw(image.pk, box.bounds, curator)
    with pytest.raises(BoxIsThere):
        curation.move(other.pk, box.bounds, curator)
    assert curation.move(box.pk, box.bounds, curator)[1] is None


def test_a_box_that_was_moved_is_no_detectors_any_more(image, curator):
    box = world.make_box(image, (0, 0, 30, 30), source="detected", score=0.9)
    moved, action = curation.move(box.pk, (1, 2, 31, 32), curator)
    assert (moved.bounds, moved.source, moved.score) == ((1, 2, 31, 32), "annotated", None)
    history.undo(action, curator)
    box.refresh_from_db()
    assert (box.bounds, box.source, box.score) == ((0, 0, 30, 30), "detected", 0.9)


def test_boxes_are_reviewed_in_bulk_over_datasets_or_not_at_all(image, curator):
    there = world.make_box(image, (0, 0, 30, 30))
    park = world.make_dataset("park", visible_to=curator)
    other = world.make_box(world.make_image(park))
    secret = world.make_box(world.make_image(world.make_dataset("secret")))
    with pytest.raises(UnknownBox, match=str(secret.pk)):
        curation.review([there.pk, other.pk, secret.pk], "hidden", curator)
    assert reviews() == ["unreviewed"] * 3
    done = curation.review([there.pk, other.pk], "hidden", curator)
    assert (done.changed, len(done.actions)) == (2, 2)
    assert reviews() == ["hidden", "hidden", "unreviewed"]
    with pytest.raises(UnknownReview):
        curation.review([there.pk], "lost", curator)
    with pytest.raises(NothingSelected):
        curation.review([], "hidden", curator)


def test_a_deletion_takes_words_and_leaves_what_was_judged(image, curator):
    box = world.make_box(image, (0, 0, 30, 30), identity=world.make_identity(image.dataset))
    world.make_caption(box, "a man")
    asked = world.make_box(image, (0, 0, 20, 20))
    Query.objects.create(digest="0" * 64, like=asked)
    before = everything()
    done = curation.delete([box.pk, asked.pk], curator)
    assert [left.row for left in done.left] == [asked.pk]
    assert list(Box.objects.all()) == [asked]
    assert not Identity.objects.exists()
    history.undo(done.actions[0], curator)
    assert everything() == before


def test_boxes_become_somebody_new_or_known_and_the_emptied_go(image, curator):
    old = world.make_identity(image.dataset, "7")
    box = world.make_box(image, (0, 0, 30, 30), identity=old)
    before = everything()
    done = curation.assign([box.pk], " 8 ", curator)
    assert list(Identity.objects.values_list("key", flat=True)) == ["8"]
    history.undo(done.actions[0], curator)
    assert everything() == before
    curation.assign([box.pk], "", curator)
    assert Box.objects.get().identity is None


@pytest.mark.parametrize("key", [" ", "a\nb", "x" * 201, "sha256:00", "\0"])
def test_a_key_that_names_nobody_is_refused(image, curator, key):
    box = world.make_box(image, (0, 0, 30, 30))
    with pytest.raises(BadKey):
        curation.assign([box.pk], key, curator)


def test_merged_people_are_one_and_an_undo_parts_them_again(street, image, curator):
    one, two = (world.make_identity(street, key) for key in "ab")
    two.split = "test"
    two.save()
    boxes = [
        world.make_box(image, (n, 0, n + 9, 9), identity=who) for n, who in enumerate([one, two])
    ]
    before = everything()
    action = people.merge(one.pk, [two.pk], curator)
    assert set(Box.objects.values_list("identity__key", "identity__split")) == {("a", "test")}
    history.undo(action, curator)
    assert everything() == before
    assert len(boxes) == 2


def test_people_of_different_splits_become_one_only_where_it_is_said_in_which(
    street, image, curator
):
    one = world.make_identity(street, "a", split="train")
    two = world.make_identity(street, "b", split="test")
    with pytest.raises(SplitsDiffer, match="train: a; test: b"):
        people.merge(one.pk, [two.pk], curator)
    people.merge(one.pk, [two.pk], curator, split="train")
    assert list(Identity.objects.values_list("key", "split")) == [("a", "train")]


def test_nobody_merges_with_strangers_or_with_themselves(street, curator):
    one = world.make_identity(street)
    park = world.make_dataset("park", visible_to=curator)
    with pytest.raises(BadMerge, match="one dataset"):
        people.merge(one.pk, [world.make_identity(park).pk], curator)
    with pytest.raises(BadMerge, match="somebody else"):
        people.merge(one.pk, [one.pk], curator)
    with pytest.raises(UnknownIdentity):
        people.merge(one.pk, [world.make_identity(world.make_dataset()).pk], curator)


def test_a_parted_person_stays_in_the_split_of_the_other(street, image, curator):
    one = world.make_identity(street, "a", split="test")
    boxes = [world.make_box(image, (n, 0, n + 9, 9), identity=one) for n in range(3)]
    before = everything()
    parted = people.part(one.pk, [boxes[0].pk], curator)
    assert (parted.identity.key, parted.identity.split) == ("a-2", "test")
    assert Box.objects.get(identity=parted.identity) == boxes[0]
    history.undo(parted.action, curator)
    assert everything() == before
    with pytest.raises(BadMerge, match="would be left"):
        people.part(one.pk, [box.pk for box in boxes], curator)
    with pytest.raises(BadMerge, match="not of this person"):
        people.part(one.pk, [world.make_box(image, (0, 0, 50, 50)).pk], curator)
    with pytest.raises(BadKey, match="already"):
        people.part(one.pk, [boxes[0].pk], curator, key="a")


def test_a_person_is_renamed_but_not_to_another(street, curator):
    one, two = world.make_identity(street, "a"), world.make_identity(street, "b")
    with pytest.raises(BadKey, match="already"):
        people.rename(one.pk, two.key, curator)
    people.rename(one.pk, "c", curator)
    assert people.rename(one.pk, "c", curator) is None
    assert set(Identity.objects.values_list("key", flat=True)) == {"c", "b"}


def test_shares_are_kept_by_person_and_what_is_set_stays(street, curator):
    for number in range(40):
        world.make_identity(street, str(number), split="test" if number < 3 else "")
    shared = splits.assign(street, {"train": 70, "validation": 10, "test": 20}, curator, seed=1)
    assert shared.people == {"": 0, "train": 28, "validation": 4, "test": 8}
    assert shared.new == {"train": 28, "validation": 4, "test": 5}
    assert set(Identity.objects.filter(key__in="012").values_list("split", flat=True)) == {"test"}
    first = dict(Identity.objects.values_list("key", "split"))
    history.undo(shared.action, curator)
    assert splits.counts(street) == {"": 37, "train": 0, "validation": 0, "test": 3}
    splits.assign(street, {"train": 0.7, "validation": 0.1, "test": 0.2}, curator, seed=1)
    assert dict(Identity.objects.values_list("key", "split")) == first


def test_a_split_that_has_more_than_its_share_gets_nobody(street, curator):
    for number in range(10):
        world.make_identity(street, str(number), split="test" if number < 8 else "")
    shared = splits.assign(street, {"train": 50, "test": 50}, curator)
    assert shared.new == {"train": 2, "validation": 0, "test": 0}


@pytest.mark.parametrize(
    "shares",
    [
        {}, {"train": 0}, {"train": -1, "test": 2}, {"exam": 1}, {"train": float("inf")},
        {"train": float("nan")},
    ],
)  # fmt: skip
def test_shares_that_cannot_be_are_refused(street, curator, shares):
    with pytest.raises(BadSplit):
        splits.assign(street, shares, curator)


def test_whoever_is_no_curator_changes_nothing(street, image):
    reviewer = world.make_user("rob", role="reviewer")
    world.make_grant(street, reviewer)
    stranger = world.make_user("sue", role="curator")
    person = world.make_identity(street, "a")
    box = world.make_box(image, (0, 0, 30, 30), identity=person)
    other = world.make_identity(street, "b")
    calls = [
        (UnknownImage, lambda user: curation.draw(image.pk, (1, 1, 20, 20), user)),
        (UnknownBox, lambda user: curation.move(box.pk, (1, 1, 20, 20), user)),
        (UnknownBox, lambda user: curation.review([box.pk], "hidden", user)),
        (UnknownBox, lambda user: curation.delete([box.pk], user)),
        (UnknownBox, lambda user: curation.assign([box.pk], "9", user)),
        (UnknownIdentity, lambda user: people.rename(person.pk, "9", user)),
        (UnknownIdentity, lambda user: people.merge(person.pk, [other.pk], user)),
        (UnknownIdentity, lambda user: people.part(person.pk, [box.pk], user)),
        (UnknownIdentity, lambda user: people.set_split([person.pk], "test", user)),
    ]
    for unknown, call in calls:
        with pytest.raises(MayNotCurate):
            call(reviewer)
        with pytest.raises(unknown):
            call(stranger)
    assert not Action.objects.exists()
