"""Snapshots as training data: who trains, who validates, and that nobody does both."""

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image as Picture

from gallery import snapshots
from tests.world import make_box, make_caption, make_dataset, make_identity, make_image
from training import samples
from training.errors import BadTrainingData
from training.samples import Sample, select, split_of

SIZE = {"height": 32, "width": 16}


def sample(number: int, person: str, split: str = "train") -> Sample:
    return Sample(number, person, split, f"{number}.png", (0, 0, 1, 1), ("words",))


def entry(number: int, identity: str | None, split: str = "", image: int = 1, texts=("a man",)):
    return {
        "box": number,
        "image": image,
        "file": f"{image}.png",
        "bbox": [0, 0, 1, 1],
        "identity": identity,
        "split": split,
        "captions": [{"text": text, "language": "en", "kind": "caption"} for text in texts],
    }


def test_one_in_ten_validates_and_one_in_ten_tests():
    splits = [split_of("street", f"person {number}") for number in range(5000)]
    assert splits.count("validation") == pytest.approx(500, abs=90)
    assert splits.count("test") == pytest.approx(500, abs=90)


def test_a_person_keeps_the_side_whatever_is_added():
    few = samples.samples([entry(1, "ann"), entry(2, "bob")], "street")
    many = samples.samples([entry(n, f"new {n}") for n in range(50)] + [entry(99, "ann")], "street")
    assert few[0].split == many[-1].split


def test_the_split_that_a_dataset_gives_is_kept():
    found = samples.samples([entry(1, "ann", "test"), entry(2, "bob", "train")], "street")
    assert [one.split for one in found] == ["test", "train"]


def test_unnamed_boxes_of_one_picture_are_on_one_side_and_no_one_person():
    found = samples.samples([entry(n, None, image=5) for n in range(8)], "street")
    assert len({one.split for one in found}) == 1
    assert len({one.person for one in found}) == 8


def test_a_box_without_captions_is_no_sample():
    assert samples.samples([entry(1, "ann", texts=())], "street") == []


def test_a_caption_that_comes_twice_counts_once():
    (one,) = samples.samples([entry(1, "ann", texts=("a man", "a man", "a tall man"))], "street")
    assert one.captions == ("a man", "a tall man")


def test_nobody_trains_and_validates():
    many = [sample(n, f"person {n // 3}", split_of("s", f"person {n // 3}")) for n in range(300)]
    chosen = select(many)
    sides = {
        side: {one.person for one in chosen if one.split == side}
        for side in ("train", "validation")
    }
    assert sides["train"]
    assert sides["validation"]
    assert not sides["train"] & sides["validation"]


def test_test_identities_are_not_used_at_all():
    chosen = select([sample(1, "ann"), sample(2, "bob", "test"), sample(3, "cid", "validation")])
    assert "bob" not in {one.person for one in chosen}


def test_a_small_dataset_gives_up_whole_people_to_select_by():
    chosen = select([sample(n, f"person {n // 3}") for n in range(12)])
    held_out = [one for one in chosen if one.split == "validation"]
    assert len(held_out) == 3
    assert len({one.person for one in held_out}) == 1
    assert chosen == select([sample(n, f"person {n // 3}") for n in range(12)])


def test_crops_are_decoded_once_and_resized_as_the_runtime_does(people, tmp_path):
    snapshot = snapshots.freeze(people)
    prepared = samples.prepare(snapshot, tmp_path, height=16, width=8)
    assert (len(prepared.data), len(prepared.probe.pixels)) == (12, 6)
    stored = np.load(tmp_path / "crops-16x8.npy")
    first = people.images.order_by("file").filter(boxes__identity__split="train").first()
    with first.file.open() as file:
        whole = Picture.open(file).convert("RGB")
    expected = np.asarray(whole.resize((8, 16), Picture.Resampling.BILINEAR))
    assert (stored[0] == expected).all()
    for image in people.images.all():
        default_storage.delete(image.file.name)
    again = samples.prepare(snapshot, tmp_path, height=16, width=8)
    assert (again.probe.pixels == prepared.probe.pixels).all()


def test_captions_of_validation_people_are_not_trained_on(people, tmp_path):
    validation = people.identities.filter(split="validation")
    for identity in validation:
        make_caption(identity.boxes.get(), f"only for {identity.key}")
    prepared = samples.prepare(snapshots.freeze(people), tmp_path, **SIZE)
    rng = np.random.default_rng(0)
    seen = {
        text
        for _ in range(200)
        for text in prepared.data.batch(np.arange(len(prepared.data)), 12, rng).texts
    }
    assert len(seen) == 12
    assert not any(text.startswith("only for") for text in seen)


def test_a_picture_that_cannot_be_read_is_left_out_with_its_reason(people, tmp_path):
    box = people.identities.get(key="red0").boxes.get()
    with default_storage.open(box.image.file.name, "wb") as stored:
        stored.write(b"<html>")
    prepared = samples.prepare(snapshots.freeze(people), tmp_path, **SIZE)
    assert len(prepared.data) == 11
    ((item, reason),) = prepared.refused
    assert item == f"box {box.pk}"
    assert "Not a picture" in reason


def test_too_few_boxes_are_refused_in_numbers(db, tmp_path):
    dataset = make_dataset()
    box = make_box(make_image(dataset), identity=make_identity(dataset, split="train"))
    make_caption(box, "a man")
    with pytest.raises(BadTrainingData, match="at least 2"):
        samples.prepare(snapshots.freeze(dataset), tmp_path, **SIZE)


def test_pictures_without_words_count_where_somebody_is_named():
    entries = [entry(n, f"class {n % 3}", image=n, texts=()) for n in range(300)]
    entries += [entry(900, None, texts=()), entry(901, "class 0", "test", texts=())]
    by_identity = samples.named(entries, "things", hold_out_pictures=False)
    assert len(by_identity) == 301
    splits = {one.person: set() for one in by_identity}
    for one in by_identity[:300]:
        splits[one.person].add(one.split)
    assert all(len(sides) == 1 for sides in splits.values())
    by_picture = samples.named(entries, "things", hold_out_pictures=True)
    held_out = [one for one in by_picture if one.split == "validation"]
    people = [one.person for one in held_out]
    assert {person: people.count(person) for person in people} == {
        "class 0": 10,
        "class 1": 10,
        "class 2": 10,
    }
    few = samples.named(entries[:5] + entries[6:9], "things", hold_out_pictures=True)
    assert [one.split for one in few] == ["train"] * 8
    few = samples.named([*entries[:9], entries[9]], "things", hold_out_pictures=True)
    assert sorted(one.person for one in few if one.split == "validation") == ["class 0"] * 2
    assert by_picture[-1].split == "test"
