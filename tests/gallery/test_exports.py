"""What goes out of a dataset and comes back in, on a real database."""

import io
import json

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from PIL import Image as Pictures

from gallery import exports, tasks
from gallery.errors import BadTarget
from gallery.models import Box, Caption, Image
from pedsite.jobs import work
from pedsite.jobs.models import Job
from tests.gallery.files import annotations, coded, folder_of, pixels


@pytest.fixture
def people(tmp_path, do_import):
    """Three people in three splits, four pictures, captions in two languages."""
    folder_of(tmp_path / "imgs" / "deep", 4)
    rows = [
        (1, "train", ["a man in red", "一个穿红衣服的男人"]),
        (1, "train", ["he has a bag"]),
        (2, "val", ["a woman, with a 'hat' and \"more\"\nin lines"]),
        (3, "test", ["someone else"]),
    ]
    records = [
        {"id": id, "file_path": f"deep/{n:03d}.jpg", "captions": texts, "split": split}
        for n, (id, split, texts) in enumerate(rows)
    ]
    path = annotations(tmp_path / "reid_raw.json", records)
    assert do_import("cuhk_pedes", path, "set", tmp_path / "imgs").failed == 0


@pytest.fixture
def do_export(db):
    def run(format, path, dataset="set", split=""):
        job = exports.request(format, str(path), dataset, split, queue=False)
        exporter = exports.Exporter()
        try:
            return work.run_here(job, exporter, io.StringIO())
        finally:
            exporter.close()

    return run


def content(dataset, *, kinds=("caption",), people=True, splits=True):
    """What a dataset says, without ids of rows."""
    rows = []
    for box in Box.objects.filter(image__dataset__name=dataset).select_related("image", "identity"):
        texts = box.captions.filter(kind__in=kinds).values_list("kind", "language", "text")
        rows.append(
            (
                box.image.sha256,
                box.bounds,
                box.identity.key if people and box.identity else "",
                box.identity.split if splits and box.identity else "",
                sorted(texts),
            )
        )
    return sorted(rows)


# Format, where an import looks in the exported folder, where for pictures, what comes back.
ROUND_TRIPS = [
    ("cuhk_pedes", "reid_raw.json", "images", {}),
    ("chinese_clip", "", "", {"people": False}),
    ("chinese_clip_lmdb", "", "", {"people": False}),
    ("flickr8k_cn", "", "", {"people": False}),
    ("folder_per_class", "", "", {"kinds": ()}),
]


@pytest.mark.parametrize(("format", "file", "images", "kept"), ROUND_TRIPS)
def test_what_is_exported_imports_as_the_same(
    format, file, images, kept, people, tmp_path, do_import, do_export
):
    job = do_export(format, tmp_path / "out")
    assert (job.state, job.failed) == ("done", 0), job.error
    pictures = tmp_path / "out" / images if images else None
    back = do_import(format, tmp_path / "out" / file, "back", pictures)
    assert (back.state, back.failed) == ("done", 0), list(back.failures.values())
    assert content("back", **kept) == content("set", **kept)
    assert content("back", **kept)
    again = do_import(format, tmp_path / "out" / file, "back", pictures)
    assert (again.failed, again.result["images"], again.result["captions"]) == (0, 0, 0)


def test_synth_pedes_goes_out_test_first_with_all_kinds_of_text(
    people, tmp_path, do_import, do_export
):
    box = Box.objects.first()
    for kind, text in (("attributes", "man,red coat"), ("prompt", "a photo of a man")):
        Caption.objects.create(box=box, kind=kind, language="en", text=text, source="typed")
    job = do_export("synth_pedes", tmp_path / "out")
    assert (job.state, job.done, job.failed) == ("done", 4, 0)
    assert any("--test-records 1" in note for _item, note in job.result["notes"])
    path = tmp_path / "out" / "synthpedes-dataset.json"
    assert json.loads(path.read_text())[0]["id"] == 3
    back = do_import("synth_pedes", path, "back", tmp_path / "out" / "images", test_records=1)
    assert back.failed == 0
    kept = {"kinds": ("caption", "attributes", "prompt"), "splits": False}
    assert content("back", **kept) == content("set", **kept)


def test_a_hostile_name_stays_in_the_folder(people, tmp_path, do_export):
    for image, name in zip(
        Image.objects.order_by("pk"), ["../../evil.jpg", "/etc/x", "C:\\..\\y\x01", ""], strict=True
    ):
        Image.objects.filter(pk=image.pk).update(name=name)
    before = {path for path in tmp_path.rglob("*") if "out" not in path.parts}
    assert do_export("cuhk_pedes", tmp_path / "out").state == "done"
    assert {path for path in tmp_path.rglob("*") if "out" not in path.parts} == before
    names = sorted(
        path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.jpg")
    )
    assert names == [
        "images/C_/y_.jpg",
        "images/etc/x.jpg",
        "images/evil.jpg",
        "images/picture.jpg",
    ]


def test_equal_names_do_not_overwrite_each_other(people, tmp_path, do_export):
    Image.objects.update(name="same.jpg")
    do_export("cuhk_pedes", tmp_path / "out")
    assert len(list((tmp_path / "out" / "images").iterdir())) == 4


def test_a_box_in_a_picture_is_cut_out_and_nobody_is_refused(people, tmp_path, do_export):
    image = Image.objects.first()
    box = Box.objects.create(image=image, left=3, top=4, right=20, bottom=44, source="detected")
    job = do_export("cuhk_pedes", tmp_path / "out")
    assert (job.done, job.failed) == (4, 1)
    assert job.failures.get().reason == "nobody is named for this box"
    box.identity = image.boxes.first().identity
    box.save()
    assert do_export("cuhk_pedes", tmp_path / "two").failed == 0
    cut = tmp_path / "two" / "images" / "deep" / "000-3-4-20-44.jpg"
    assert Pictures.open(cut).size == (17, 40)


def test_a_missing_file_is_refused_by_name_and_never_stops_the_rest(people, tmp_path, do_export):
    image = Image.objects.first()
    image.file.storage.delete(image.file.name)
    job = do_export("cuhk_pedes", tmp_path / "out")
    assert (job.state, job.done, job.failed) == ("done", 3, 1)
    assert "deep/000.jpg" in job.failures.get().item


def test_one_split_and_no_hidden_box(people, tmp_path, do_export):
    do_export("cuhk_pedes", tmp_path / "train", split="train")
    assert len(json.loads((tmp_path / "train" / "reid_raw.json").read_text())) == 2
    Box.objects.filter(image__name="deep/000.jpg").update(review="hidden")
    do_export("cuhk_pedes", tmp_path / "fewer", split="train")
    assert len(json.loads((tmp_path / "fewer" / "reid_raw.json").read_text())) == 1


def test_people_without_a_number_get_one_that_nobody_has(people, tmp_path, do_import, do_export):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "x.jpg").write_bytes(coded(pixels(seed=50)))
    do_import("folder", tmp_path / "more")
    do_export("cuhk_pedes", tmp_path / "out")
    rows = json.loads((tmp_path / "out" / "reid_raw.json").read_text())
    assert sorted(row["id"] for row in rows) == [1, 1, 2, 3, 4]


def test_a_folder_that_holds_something_is_left_alone(people, tmp_path, do_export):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    with pytest.raises(BadTarget, match="not empty"):
        do_export("cuhk_pedes", tmp_path / "out")
    with pytest.raises(BadTarget, match="not a folder"):
        do_export("cuhk_pedes", tmp_path / "none" / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def run(*words, **options):
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def test_export_dataset_says_what_it_wrote(people, tmp_path):
    text = run("export_dataset", "cuhk_pedes", str(tmp_path / "out"), dataset="set")
    assert f"4 records written to {tmp_path / 'out'}, 0 refused." in text


def test_a_dry_run_of_an_export_keeps_nothing(people, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    text = run("export_dataset", "cuhk_pedes", str(tmp_path / "out"), "--dry-run", dataset="set")
    assert "4 records would be written, 0 are refused" in text
    assert sorted(tmp_path.rglob("*")) == before
    assert Job.objects.filter(kind="export").count() == 0


def test_a_queued_export_is_done_by_its_task(people, tmp_path):
    run("export_dataset", "cuhk_pedes", str(tmp_path / "out"), "--queue", dataset="set")
    job = Job.objects.get(kind="export")
    assert job.task == "gallery.export_dataset"
    tasks.export_dataset(job.pk)
    assert (tmp_path / "out" / "reid_raw.json").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["video", "out", "--dataset", "set"], "no format"),
        (["cuhk_pedes", "out", "--dataset", "none"], "no dataset"),
        (["cuhk_pedes", "out", "--dataset", "set", "--split", "x"], "no split"),
    ],
)
def test_export_dataset_refuses_in_words(words, reason, people):
    with pytest.raises(CommandError, match=reason):
        run("export_dataset", *words)


@pytest.fixture
def in_small_chunks(monkeypatch):
    """A step writes one record."""
    monkeypatch.setattr(exports, "CHUNK_S", 0)


def test_nobody_sees_half_of_an_export_and_nothing_is_left_of_it(people, tmp_path, in_small_chunks):
    out = tmp_path / "out"
    job = exports.request("chinese_clip", str(out), "set", queue=False)
    exporter, seen = exports.Exporter(), []

    def step(at):
        more = exporter(at)
        seen.append((out.exists(), [path.name for path in tmp_path.glob(".out*")]))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return more

    job = work.run_here(job, step, io.StringIO())
    assert job.state == Job.State.CANCELLED
    assert seen == [(False, [f".out.{job.pk}.partial"])] * 3
    exporter.close()
    assert not list(tmp_path.glob(".out*"))
    assert not out.exists()


def test_an_export_whose_process_was_killed_begins_anew_and_leaves_nothing(
    people, tmp_path, in_small_chunks
):
    out = tmp_path / "out"
    job = exports.request("cuhk_pedes", str(out), "set", queue=False)
    stage = tmp_path / f".out.{job.pk}.partial"
    (stage / "images").mkdir(parents=True)
    (stage / "images" / "of-the-killed.jpg").write_bytes(b"half")
    exporter = exports.Exporter()
    job = work.run_here(job, exporter, io.StringIO())
    exporter.close()
    assert (job.state, job.done) == (Job.State.DONE, 4)
    assert not stage.exists()
    assert not (out / "images" / "of-the-killed.jpg").exists()


def test_an_export_that_another_one_overtakes_fails_and_is_cleaned(people, tmp_path, do_export):
    out = tmp_path / "out"
    job = exports.request("cuhk_pedes", str(out), "set", queue=False)
    do_export("folder_per_class", out)
    before = sorted(out.rglob("*"))
    exporter = exports.Exporter()
    job = work.run_here(job, exporter, io.StringIO())
    exporter.close()
    assert job.state == Job.State.FAILED
    assert "not empty" in job.error
    assert sorted(out.rglob("*")) == before
    assert not list(tmp_path.glob(".out*"))


def test_captions_keep_the_order_of_their_source(tmp_path, do_import):
    folder_of(tmp_path / "imgs", 1)
    record = {"id": 1, "file_path": "000.jpg", "captions": ["z", "b", "m"], "split": "test"}
    path = annotations(tmp_path / "reid_raw.json", [record])
    do_import("cuhk_pedes", path, "set", tmp_path / "imgs")
    assert list(Caption.objects.order_by("pk").values_list("text", flat=True)) == ["z", "b", "m"]
