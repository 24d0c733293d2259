"""Frozen with judgements: what the lines say, and that nobody is on two sides."""

import numpy as np
import pytest
from django.db import transaction

from gallery import snapshots
from search import vectors
from search.snapshots import freezing, sides
from search.snapshots.errors import MayNotFreeze
from tests import world
from tests.search.rows import make_serving
from training import samples

pytestmark = pytest.mark.django_db
YES, NO = "confirmed", "rejected"


def rows(snapshot):
    return {row["box"]: row for row in snapshots.read(snapshot)}


@pytest.fixture
def place(dataset):
    """Gives a box a vector by its angle, in degrees, in the space of the version that answers."""
    version = make_serving()

    def give(box, angle):
        vector = np.zeros(version.dim, np.float32)
        vector[:2] = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        with transaction.atomic():
            vectors.write(dataset, version.image_encoder, [(box.pk, vector)])
        return box

    return give


def test_judgements_become_captions_and_refusals_of_their_boxes(dataset, box_of, say):
    one, other = box_of("1", "train", "a man"), box_of("2", "test")
    say("a red coat", one, YES)
    say("穿蓝衣的人", one, NO)
    say("a man", one, YES)
    say("a red coat", other, NO)
    made = freezing.freeze(dataset)
    found = rows(made)
    assert found[one.pk]["captions"] == [
        {"text": "a man", "language": "en", "kind": "caption"},
        {"text": "a red coat", "language": "en", "kind": "caption", "source": "confirmed"},
    ]
    assert found[one.pk]["rejected"] == [{"text": "穿蓝衣的人", "language": "zh"}]
    assert "source" not in str(found[other.pk])
    count = {"boxes": 1, "people": 1}
    assert snapshots.counts(made) == {
        "test": count | {"captions": 0, "confirmed": 0, "rejected": 1},
        "train": count | {"captions": 2, "confirmed": 1, "rejected": 1},
    }
    assert made.judged == {"findings": {YES: 2, NO: 2}, "nameless": {}}


def test_a_snapshot_is_numbered_anew_only_where_what_counts_changed(dataset, box_of, say):
    box = box_of("1", "train")
    plain = snapshots.freeze(dataset)
    say("a red coat", box, YES)
    first = freezing.freeze(dataset)
    assert (plain.number, first.number) == (1, 2)
    assert freezing.freeze(dataset) == first
    assert snapshots.freeze(dataset) == plain  # and so is that of the dataset alone
    say("a red coat", box, YES, NO)
    assert freezing.freeze(dataset) == plain


def test_everyone_named_is_on_one_side_that_does_not_change(dataset, box_of):
    for key in range(30):
        box_of(str(key))
        box_of(str(key))
    made = rows(freezing.freeze(dataset))
    split = {row["identity"]: row["split"] for row in made.values()}
    assert set(split.values()) == {"train", "validation", "test"}
    assert all(split[row["identity"]] == row["split"] for row in made.values())
    assert split == {key: samples.split_of("mall", key) for key in split}


def test_a_nameless_box_near_somebody_of_the_test_is_withheld(dataset, box_of, say, place):
    for number in range(6):
        place(box_of(f"train{number}", "train"), 60 + number)
        place(box_of(f"valid{number}", "validation"), 120 + number)
    place(box_of("tested", "test"), 0)
    near, far, valid = place(box_of(), 3), place(box_of(), 66), place(box_of(), 126)
    unseen = box_of()
    for box in (near, far, valid, unseen):
        say("a red coat", box, YES)
    silent = place(box_of(), 1)
    found = rows(freezing.freeze(dataset))
    assert found[near.pk]["split"] == snapshots.WITHHELD
    assert found[far.pk]["split"] == "train"
    assert found[valid.pk]["split"] == "validation"
    assert found[unseen.pk]["split"] == snapshots.WITHHELD
    assert found[silent.pk]["split"] == ""  # it teaches nothing


def test_all_nameless_boxes_are_withheld_while_somebody_of_the_test_has_no_vector(
    dataset, box_of, say, place
):
    place(box_of("1", "train"), 60)
    tested = box_of("2", "test")
    stranger = place(box_of(), 61)
    say("a red coat", stranger, YES)
    assert sides.of(dataset, [stranger.pk]).strangers == {stranger.pk: snapshots.WITHHELD}
    place(tested, 0)
    monkey = sides.of(dataset, [stranger.pk])
    assert monkey.strangers == {stranger.pk: snapshots.WITHHELD}  # one of the five nearest
    for number in range(5):
        place(box_of("1"), 62 + number)
    assert sides.of(dataset, [stranger.pk]).strangers == {stranger.pk: "train"}


def test_what_is_withheld_or_tested_is_neither_trained_on_nor_measured(dataset, box_of, say, place):
    place(box_of("tested", "test", "a tested man"), 0)
    near = place(box_of(), 3)
    say("a red coat", near, YES)
    say("a red coat", box_of("trained", "train"), NO)
    made = freezing.freeze(dataset)
    found = samples.samples(snapshots.read(made), "mall", refused=True)
    by_split = {sample.split: sample for sample in found}
    assert set(by_split) == {"train", "test", "withheld"}
    assert [sample.split for sample in samples.select(found)] == ["train"]
    assert by_split["train"].rejected == ("a red coat",)


def test_viewers_and_reviewers_do_not_freeze(dataset):
    for role in ("viewer", "reviewer"):
        with pytest.raises(MayNotFreeze):
            freezing.freeze(dataset, world.make_user(role=role))
    assert freezing.freeze(dataset, world.make_user(role="curator")).number == 1
