"""A snapshot leaves as it was frozen, whatever became of the dataset since."""

import io
import json

import pytest

from gallery import exports, snapshots
from gallery.errors import UnknownSnapshot
from gallery.formats import FORMATS
from pedsite.jobs import work
from tests import world

pytestmark = pytest.mark.django_db
WRITERS = [name for name, kind in FORMATS.items() if kind.write]


@pytest.fixture
def frozen():
    """Two people in three pictures; a reviewer confirmed one text, and one box is withheld."""
    dataset = world.make_dataset("mall")
    boxes = []
    for key, split in (("1", "train"), ("2", "test"), ("2", "test")):
        person = dataset.identities.filter(key=key).first()
        person = person or world.make_identity(dataset, key, split=split)
        boxes.append(world.make_box(world.make_image(dataset), identity=person))
        world.make_caption(boxes[-1], f"person {key} as frozen here")
    boxes.append(world.make_box(world.make_image(dataset)))
    said = {boxes[0].pk: snapshots.Verdicts(confirmed=("a red coat",), rejected=("a blue one",))}
    where = snapshots.Judged(
        of=said, split_of=lambda box: box.identity.split if box.identity else snapshots.WITHHELD
    )
    made = snapshots.freeze(dataset, judged=where)
    dataset.identities.filter(key="1").update(split="validation")
    boxes[0].captions.all().delete()
    return dataset, made, boxes


def export(name, path, snapshot, split="", **options):
    exporter = exports.Exporter()
    job = exports.request(
        name, str(path), "mall", split, queue=False, snapshot=snapshot.number, options=options
    )
    job = work.run_here(job, exporter, io.StringIO())
    exporter.close()
    assert job.state == "done", job.error
    return job


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_takes_a_snapshot(frozen, tmp_path, name):
    job = export(name, tmp_path / "out", frozen[1])
    assert job.done + job.failed == 3
    assert any((tmp_path / "out").rglob("*"))


def test_what_was_confirmed_goes_with_it_and_what_is_withheld_stays(frozen, tmp_path):
    export("cuhk_pedes", tmp_path / "out", frozen[1])
    told = json.loads((tmp_path / "out" / "reid_raw.json").read_text())
    assert sorted((row["split"], sorted(row["captions"])) for row in told) == [
        ("test", ["person 2 as frozen here"]),
        ("test", ["person 2 as frozen here"]),
        ("train", ["a red coat", "person 1 as frozen here"]),
    ]
    assert "blue" not in str(told)


def test_a_picture_that_was_deleted_since_is_refused_by_its_number(frozen, tmp_path):
    _dataset, made, boxes = frozen
    number = boxes[1].image_id
    boxes[1].image.delete()
    job = export("cuhk_pedes", tmp_path / "out", made)
    assert (job.done, job.failed) == (2, 1)
    assert job.failures.get().item == f"image {number}"


def test_one_split_leaves_alone_and_an_unknown_snapshot_not_at_all(frozen, tmp_path):
    assert export("cuhk_pedes", tmp_path / "out", frozen[1], "train").done == 1
    with pytest.raises(UnknownSnapshot):
        exports.request("cuhk_pedes", str(tmp_path / "no"), "mall", snapshot=9)
