"""Two snapshots beside each other, and the command."""

import io

import pytest
from django.core.management import CommandError, call_command

from gallery import snapshot_diffs, snapshots
from gallery.errors import NotOneDataset
from search.review import judging
from search.snapshots import freezing
from tests import world

pytestmark = pytest.mark.django_db
YES, NO = "confirmed", "rejected"


@pytest.fixture
def two(dataset, box_of, say, reviewers):
    """What came, what went, and what changed between them."""
    gone, moved, kept = box_of("1", "train", "gone"), box_of("2", "train"), box_of("3", "test")
    say("a red coat", moved, YES)
    say("a red coat", kept, NO)
    old = freezing.freeze(dataset)
    judging.undo(reviewers[0])
    gone.image.delete()
    dataset.identities.filter(key="2").update(split="validation")
    added = box_of("4", "train", "new")
    say("蓝色外套", kept, YES)
    return old, freezing.freeze(dataset), {"moved": moved, "kept": kept, "added": added}


def test_a_comparison_tells_what_came_went_and_changed_by_split(two):
    old, new, box = two
    found = snapshot_diffs.compare(old, new)
    told = {
        split: {kind: number for kind, number in counts.items() if number}
        for split, counts in found.counts.items()
    }
    assert told == {
        "test": {"boxes_changed": 1, "confirmed_added": 1, "rejected_removed": 1},
        "train": {"boxes_added": 1, "boxes_removed": 1, "captions_added": 1, "captions_removed": 1},
        "validation": {"boxes_changed": 1},
    }
    changes = {change.box: change for change in found.changes}
    assert changes[box["moved"].pk].what == (("split", "train → validation"),)
    assert changes[box["kept"].pk].what == (
        ("confirmed_added", "蓝色外套"),
        ("rejected_removed", "a red coat"),
    )
    assert changes[box["added"].pk].kind == "added"


def test_the_other_way_round_what_came_went(two):
    old, new, _box = two
    there, back = snapshot_diffs.compare(old, new), snapshot_diffs.compare(new, old)
    assert there.counts["test"]["confirmed_added"] == back.counts["test"]["confirmed_removed"] == 1
    assert snapshot_diffs.compare(old, old).is_empty


def test_only_the_first_boxes_are_told_one_by_one(two, monkeypatch):
    monkeypatch.setattr(snapshot_diffs, "TOLD", 1)
    found = snapshot_diffs.compare(*two[:2])
    assert (len(found.changes), found.more) == (1, 3)


def test_snapshots_of_two_datasets_are_not_compared(two):
    with pytest.raises(NotOneDataset):
        snapshot_diffs.compare(two[0], snapshots.freeze(world.make_dataset()))


def run(*args):
    out = io.StringIO()
    call_command("snapshots", *args, stdout=out)
    return out.getvalue()


def test_the_command_lists_freezes_and_compares(two, box_of, say):
    lines = run("--dataset", "mall").splitlines()
    assert [line.split("\t")[0] for line in lines] == ["#1", "#2"]
    say("a red coat", box_of("5", "train"), NO)
    made = run("--dataset", "mall", "--freeze")
    assert made.startswith("#3\t")
    assert "train\t2 boxes, 2 people, 1 captions, 0 confirmed, 1 rejected" in made
    assert "1 boxes_added, 1 rejected_added" in run("--dataset", "mall", "--compare", "2", "3")
    with pytest.raises(CommandError, match="no snapshot 7"):
        run("--dataset", "mall", "--compare", "1", "7")
