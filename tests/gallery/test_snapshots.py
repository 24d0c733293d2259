import gzip
import json

import pytest

from gallery import datasets, snapshots
from gallery.errors import UnknownDataset
from tests import world


@pytest.fixture
def dataset(db):
    dataset = world.make_dataset("set")
    for number in range(5):
        person = world.make_identity(dataset, str(number), split="train")
        box = world.make_box(world.make_image(dataset), (0, 0, 9, 20), identity=person)
        world.make_caption(box, f"caption {number}", language="en")
        world.make_caption(box, f"说明 {number}", language="zh")
    world.make_box(world.make_image(dataset), source="detected", score=0.5)
    return dataset


def test_a_snapshot_holds_every_box_with_file_person_split_and_captions(dataset, monkeypatch):
    monkeypatch.setattr(snapshots, "BATCH", 2)
    user = world.make_user()
    snapshot = snapshots.freeze(dataset, user)
    assert (snapshot.number, snapshot.box_count, snapshot.caption_count) == (1, 6, 10)
    assert snapshot.created_by == user
    rows = list(snapshots.read(snapshot))
    box = dataset.images.first().boxes.get()
    assert rows[0] == {
        "box": box.pk,
        "image": box.image_id,
        "file": box.image.file.name,
        "bbox": [0, 0, 9, 20],
        "identity": "0",
        "split": "train",
        "captions": [
            {"text": "caption 0", "language": "en", "kind": "caption"},
            {"text": "说明 0", "language": "zh", "kind": "caption"},
        ],
    }
    assert (rows[5]["identity"], rows[5]["split"], rows[5]["captions"]) == (None, "", [])
    assert [row["box"] for row in rows] == sorted(row["box"] for row in rows)


def test_a_dataset_that_did_not_change_keeps_its_snapshot(dataset):
    first = snapshots.freeze(dataset)
    assert snapshots.freeze(dataset) == first
    world.make_caption(dataset.images.first().boxes.get(), "one more")
    second = snapshots.freeze(dataset)
    assert (second.number, second.caption_count) == (2, 11)
    assert second.fingerprint != first.fingerprint


def test_a_snapshot_stays_as_it_was_when_the_dataset_changes(dataset):
    snapshot = snapshots.freeze(dataset)
    before = list(snapshots.read(snapshot))
    dataset.images.first().delete()
    assert list(snapshots.read(snapshot)) == before


def test_hidden_boxes_and_captions_are_not_frozen(dataset):
    first, second, *_ = [image.boxes.get() for image in dataset.images.order_by("pk")]
    first.review = "hidden"
    first.save()
    second.captions.filter(language="zh").update(review="hidden")
    snapshot = snapshots.freeze(dataset)
    assert (snapshot.box_count, snapshot.caption_count) == (5, 7)


def test_the_file_is_compressed_lines_of_json(dataset):
    snapshot = snapshots.freeze(dataset)
    with snapshot.file.open("rb") as stored:
        lines = gzip.decompress(stored.read()).decode().splitlines()
    assert len([json.loads(line) for line in lines]) == 6


def test_a_file_that_a_killed_process_left_is_replaced(dataset, stored):
    first = snapshots.freeze(dataset)
    name = first.file.name
    first.delete()
    assert snapshots.freeze(dataset).file.name == name
    assert len([path for path in stored() if path.suffix == ".gz"]) == 1


def test_a_deleted_dataset_cannot_be_frozen(dataset):
    datasets.delete(datasets.get("set"))
    with pytest.raises(UnknownDataset):
        snapshots.freeze(dataset)
