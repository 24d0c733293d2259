"""COCO, the CMPM system's pickles, CompCars and its arrays: in, out, and what is wrong in them."""

import csv
import io
import json
import pickle
import random

import numpy as np
import pytest
from PIL import Image as Pictures

from gallery import exports, rehearsal
from gallery.errors import BadSource
from gallery.formats import coco, letterbox, pickles, reid_pickles
from gallery.models import Box, Image
from pedsite.jobs import work
from tests.gallery.files import annotations, coded, folder_of, pixels


@pytest.fixture
def do_export(db):
    def run(format, path, dataset="set", split="", **options):
        job = exports.request(format, str(path), dataset, split, queue=False, options=options)
        exporter = exports.Exporter()
        try:
            return work.run_here(job, exporter, io.StringIO())
        finally:
            exporter.close()

    return run


@pytest.fixture
def people(tmp_path, do_import):
    """Three people in three splits, four whole pictures, with captions."""
    folder_of(tmp_path / "imgs" / "deep", 4)
    rows = [
        (1, "train", ["A man in red, with a bag.", "A man in red"]),
        (1, "train", ["he has a red bag"]),
        (2, "val", ["A woman in red"]),
        (3, "test", ["someone in a strange hat"]),
    ]
    records = [
        {"id": id, "file_path": f"deep/{n:03d}.jpg", "captions": texts, "split": split}
        for n, (id, split, texts) in enumerate(rows)
    ]
    path = annotations(tmp_path / "reid_raw.json", records)
    assert do_import("cuhk_pedes", path, "set", tmp_path / "imgs").failed == 0


def content(dataset):
    rows = []
    for box in Box.objects.filter(image__dataset__name=dataset).select_related("image", "identity"):
        texts = box.captions.values_list("kind", "language", "text")
        key, split = (box.identity.key, box.identity.split) if box.identity else ("", "")
        rows.append((box.image.sha256, box.bounds, box.source, key, split, sorted(texts)))
    return sorted(rows)


def test_coco_goes_out_and_comes_back_as_it_was(people, tmp_path, do_import, do_export):
    image = Image.objects.first()
    box = Box.objects.create(image=image, left=3, top=4, right=20, bottom=44, source="annotated")
    box.captions.create(kind="attributes", language="en", text="man,red coat", source="typed")
    job = do_export("coco", tmp_path / "out")
    assert (job.state, job.done, job.failed) == ("done", 4, 0), job.error
    found = json.loads((tmp_path / "out/annotations/instances.json").read_text())
    assert len(found["images"]) == 4
    assert found["annotations"][1]["bbox"] == [3, 4, 17, 40]
    assert found["categories"][0]["name"] == "person"
    assert sorted(p.name for p in (tmp_path / "out/annotations").iterdir()) == [
        "captions.json",
        "instances.json",
    ]
    back = do_import("coco", tmp_path / "out", "back")
    assert (back.state, back.failed) == ("done", 0), list(back.failures.values())
    assert content("back") == content("set")
    again = do_import("coco", tmp_path / "out", "back")
    assert (again.result["images"], again.result["boxes"]) == (0, 0)


@pytest.fixture
def coco_files(tmp_path):
    """As COCO itself has them: people and a dog, captions of whole pictures, one file a split."""
    folder_of(tmp_path / "images", 2)
    images = [{"id": n + 1, "file_name": f"{n:03d}.jpg", "width": 40, "height": 80} for n in (0, 1)]
    boxes = [
        {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1.5, 2.5, 10.2, 20]},
        {"id": 2, "image_id": 1, "category_id": 2, "bbox": [5, 5, 10, 10]},
        {"id": 3, "image_id": 9, "category_id": 1, "bbox": [5, 5, 10, 10]},
        {"id": 4, "image_id": 2, "category_id": 1, "bbox": [5, 5, 0, 10]},
        {"id": 5, "image_id": 2, "category_id": 1, "bbox": [5, 5, "3", 10]},
        {"id": 6, "image_id": 2, "category_id": 1, "bbox": [0, 0, 9, 9], "iscrowd": 1},
        7,
    ]
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}]
    texts = [{"id": 1, "image_id": 2, "caption": "a dog runs"}]
    folder = tmp_path / "annotations"
    folder.mkdir()
    lines = ",\n".join(json.dumps(row) for row in boxes)
    (folder / "instances_val2017.json").write_text(
        f'{{"info": {{}}, "images": {json.dumps(images)},\n"annotations": [\n{lines}],\n'
        f'"categories": {json.dumps(categories)}}}'
    )
    (folder / "captions_val2017.json").write_text(
        json.dumps({"images": images, "annotations": texts})
    )
    return tmp_path


def test_cocos_own_files_give_people_and_name_bad_annotations_by_line(coco_files, do_import):
    job = do_import("coco", coco_files)
    assert job.state == "done"
    failures = dict(job.failures.values_list("item", "reason"))
    assert failures["instances_val2017.json line 5, annotation 3"] == "there is no image 9"
    assert "empty" in failures["instances_val2017.json line 6, annotation 4"]
    assert "no number" in failures["instances_val2017.json line 7, annotation 5"]
    assert "crowd" in failures["instances_val2017.json line 8, annotation 6"]
    assert "not an object" in failures["instances_val2017.json line 9, annotation"]
    boxes = {box.bounds: box for box in Box.objects.all()}
    # Around the person; the whole picture that was told of; no dog.
    assert set(boxes) == {(1, 2, 12, 23), (0, 0, 40, 80)}
    whole = boxes[0, 0, 40, 80]
    assert whole.captions.get().text == "a dog runs"
    assert whole.identity.split == "validation"
    assert boxes[1, 2, 12, 23].identity is None


def test_another_category_can_be_asked_for(coco_files, do_import):
    do_import("coco", coco_files, category="dog")
    assert (5, 5, 15, 15) in {box.bounds for box in Box.objects.all()}
    with pytest.raises(BadSource, match="no category cat; it has dog, person"):
        rehearsal.dry_run("coco", str(coco_files), "other", options={"category": "cat"})


def test_a_broken_coco_file_is_named_with_its_line(tmp_path, db):
    path = tmp_path / "instances.json"
    path.write_text('{"images": [\n{"id": 1, "file_name": "x"},\n{"id": 2,, }]}')
    with pytest.raises(BadSource, match="line 3: broken JSON"):
        rehearsal.dry_run("coco", str(path), "x")


def test_a_coco_import_that_was_cut_goes_on(coco_files):
    whole = list(coco.read(str(coco_files)))
    for place, entry in enumerate(whole):
        rest = list(coco.read(str(coco_files), after=entry.mark))
        assert [one.mark for one in rest] == [one.mark for one in whole[place + 1 :]]


def test_pickles_are_what_the_cmpm_system_makes(people, tmp_path, do_export):
    job = do_export("reid_pickles", tmp_path / "out", min_word_count=2)
    assert (job.state, job.failed) == ("done", 0), job.error
    out = tmp_path / "out"
    words = pickle.loads((out / "word_to_index.pkl").read_bytes())
    # <START>, <END> and red thrice, then what the split train has twice; `A` keeps its case.
    assert set(words) == {"<START>", "<END>", "red", "A", "man", "in", "bag", "a"}
    assert sorted(words.values()) == list(range(len(words)))
    assert max(words[word] for word in ("<START>", "<END>", "red")) == 2
    train = pickle.loads((out / "train.pkl").read_bytes())
    assert set(train) == {"caption_id", "labels", "images_path"}
    assert train["labels"] == [0, 0, 0]
    first = [
        words.get(word, len(words)) for word in reid_pickles.tokens("A man in red, with a bag.")
    ]
    assert first in train["caption_id"]
    expected = [first, 1, 2]
    random.Random(118).shuffle(expected)
    assert train["caption_id"].index(first) == expected.index(first)
    in_order = pickle.loads((out / "train_sort.pkl").read_bytes())
    assert in_order["label_range"] == {0: [0, 3]}
    assert in_order["caption_id"][0] == first
    assert all((out / path).is_file() for path in train["images_path"])
    assert (out / "metadata_info.txt").read_text().splitlines()[0] == (
        "Total 3 captions 2 images 1 identities in train"
    )


def test_pickles_come_back_with_people_splits_and_words(people, tmp_path, do_import, do_export):
    do_export("reid_pickles", tmp_path / "out", min_word_count=1)
    back = do_import("reid_pickles", tmp_path / "out", "back")
    # Words that the split train does not have are numbers without a word.
    failures = dict(back.failures.values_list("item", "reason"))
    assert back.failed == 2
    assert all("words that have no number" in reason for reason in failures.values())
    rows = content("back")
    assert [row[:5] for row in rows] == [row[:5] for row in content("set")]
    texts = {text for row in rows for _kind, _language, text in row[5]}
    assert {"A man in red with a bag", "A man in red", "he has a red bag"} <= texts


def test_a_hostile_pickle_is_refused_and_bad_samples_are_named(tmp_path, db, do_import):
    folder_of(tmp_path, 1)
    (tmp_path / "word_to_index.pkl").write_bytes(pickles.dump({"red": 0}))
    samples = {
        "caption_id": [[9, 0, 9], "no", [9, 0, 9], [9, 0, 9]],
        "labels": [4, 4, 5, 4],
        "images_path": ["000.jpg", "000.jpg", "000.jpg", "../../x.jpg"],
    }
    (tmp_path / "test.pkl").write_bytes(pickles.dump(samples))
    job = do_import("reid_pickles", tmp_path)
    failures = dict(job.failures.values_list("item", "reason"))
    assert failures["test.pkl sample 2"] == "the caption is not a list of word numbers"
    assert failures["test.pkl sample 3"] == "the picture is person 5 already, not 6"
    assert "`..`" in failures["test.pkl: ../../x.jpg"]
    box = Box.objects.get()
    assert (box.identity.key, box.identity.split) == ("5", "test")
    assert box.captions.get().text == "red"
    (tmp_path / "test.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(BadSource, match=r"asks for os\.system"):
        rehearsal.dry_run("reid_pickles", str(tmp_path), "x")
    (tmp_path / "test.pkl").write_bytes(pickles.dump(samples))
    (tmp_path / "word_to_index.pkl").unlink()
    with pytest.raises(BadSource, match="word_to_index"):
        rehearsal.dry_run("reid_pickles", str(tmp_path / "test.pkl"), "x")


def test_tokens_lose_punctuation_and_keep_their_case():
    assert reid_pickles.tokens("A man's hat, red-ish!") == [
        "<START>",
        "A",
        "mans",
        "hat",
        "redish",
        "<END>",
    ]


@pytest.fixture
def cars(tmp_path):
    """Two models from the front, one also from the rear; a side view; one without a label."""
    views = [("1", "10", "1", 0), ("1", "10", "5", 1), ("1", "11", "4", 2), ("2", "12", "3", 3)]
    root = tmp_path / "data"
    for make, model, view, seed in views:
        where = f"{make}/{model}/2011"
        (root / "image" / where).mkdir(parents=True, exist_ok=True)
        (root / "label" / where).mkdir(parents=True, exist_ok=True)
        picture = pixels(width=60, height=30, seed=seed)
        (root / "image" / where / f"car{seed}.jpg").write_bytes(coded(picture))
        (root / "label" / where / f"car{seed}.txt").write_text(f"{view}\n1\n1 1 30 20\n")
    (root / "image/1/10/2011/lost.jpg").write_bytes(coded(pixels(seed=9)))
    (root / "image/1/stray.jpg").write_bytes(coded(pixels(seed=10)))
    return tmp_path


def test_compcars_gives_models_from_the_front_and_the_rear(cars, do_import):
    job = do_import("compcars", cars)
    boxes = Box.objects.select_related("image__camera", "identity").order_by("image__name")
    assert [(b.image.name, b.identity.key, b.image.camera.name) for b in boxes] == [
        ("1/10/2011/car0.jpg", "10", "view point 1"),
        ("1/10/2011/car1.jpg", "10", "view point 5"),
        ("1/11/2011/car2.jpg", "11", "view point 4"),
    ]
    failures = dict(job.failures.values_list("item", "reason"))
    assert failures == {
        "1/10/2011/lost.jpg": "there is no label of it",
        "1/stray.jpg": "it does not lie in MAKE/MODEL/YEAR",
    }


def test_compcars_becomes_tables_and_arrays_and_comes_back(cars, tmp_path, do_import, do_export):
    do_import("compcars", cars)
    job = do_export("image_matrix", tmp_path / "out", fill="White", resolution=20)
    assert (job.state, job.done, job.failed) == ("done", 3, 0), job.error
    out = tmp_path / "out"
    with (out / "car_front.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["Path", "FileName", "View Point", "Year", "CarMake", "Class", "Index"]
    assert [list(row.values()) for row in rows] == [
        ["1/10/2011/car0.jpg", "car0", "1", "2011", "1", "0", "0"],
        ["1/11/2011/car2.jpg", "car2", "4", "2011", "1", "1", "1"],
    ]
    assert json.loads((out / "classes.json").read_text()) == {"10": 0, "11": 1}
    front = np.load(out / "car_front.npy")
    assert (front.shape, front.dtype) == ((2, 3, 20, 20), np.uint8)
    # Ten rows of picture between bands of that system's white.
    assert (front[0][:, :5] == 225).all()
    assert (front[0][:, 15:] == 225).all()
    assert not (front[0][:, 5:15] == 225).all()
    assert np.load(out / "car_rear.npy").shape == (1, 3, 20, 20)
    back = do_import("image_matrix", out, "back")
    assert (back.state, back.failed) == ("done", 0), list(back.failures.values())
    boxes = Box.objects.filter(image__dataset__name="back").order_by("image__name")
    assert [box.identity.key for box in boxes] == ["10", "10", "11"]
    assert [box.image.camera.name for box in boxes] == [f"view point {n}" for n in (1, 5, 4)]
    with boxes[0].image.file.open() as stored:
        assert (np.asarray(Pictures.open(stored)).transpose(2, 0, 1) == front[0]).all()


def test_classes_without_a_view_point_are_one_table_with_what_is_tested(
    people, tmp_path, do_import, do_export
):
    job = do_export("image_matrix", tmp_path / "out", resolution=16)
    assert any("texts were left out" in note for _item, note in job.result["notes"])
    with (tmp_path / "out/indexinfo.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["Index"], row["Class"]) for row in rows] == [
        ("0", "0"),
        ("1", "0"),
        ("2", "1"),
        ("3", "2"),
    ]
    assert np.load(tmp_path / "out/indexinfo_test.npy").tolist() == [[3, 2]]
    do_import("image_matrix", tmp_path / "out", "back")
    tested = Box.objects.filter(image__dataset__name="back", identity__split="test")
    assert [box.identity.key for box in tested] == ["3"]


def test_a_row_without_a_picture_is_refused_by_line_and_a_wrong_array_at_once(tmp_path, do_import):
    np.save(tmp_path / "imageset.npy", np.zeros((1, 3, 8, 8), np.uint8))
    (tmp_path / "indexinfo.csv").write_text("Path,Index,Class\na.jpg,0,4\nb.jpg,7,4\nc.jpg,0,\n")
    job = do_import("image_matrix", tmp_path)
    failures = dict(job.failures.values_list("item", "reason"))
    assert "not a row" in failures["indexinfo.csv line 3"]
    assert "Class is missing" in failures["indexinfo.csv line 4"]
    assert Box.objects.get().identity.key == "4"
    np.save(tmp_path / "imageset.npy", np.zeros((1, 8, 8), np.uint8))
    with pytest.raises(BadSource, match="not uint8"):
        rehearsal.dry_run("image_matrix", str(tmp_path), "x")
    np.save(tmp_path / "imageset.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(BadSource, match="no array of pictures"):
        rehearsal.dry_run("image_matrix", str(tmp_path), "x")


def test_options_that_make_no_sense_are_refused_before_anything_is_written(
    people, tmp_path, do_export
):
    with pytest.raises(BadSource, match="takes no fill"):
        do_export("coco", tmp_path / "out", fill="Black")
    with pytest.raises(BadSource, match="resolution is 0"):
        do_export("image_matrix", tmp_path / "out", resolution=0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shape", [(30, 60), (60, 30), (59, 60), (60, 60), (4, 60), (60, 7)])
@pytest.mark.parametrize("fill", letterbox.FILLS)
def test_a_letterbox_keeps_the_picture_in_the_middle_and_fills_all_around(shape, fill):
    picture = pixels(width=shape[1], height=shape[0])
    found = letterbox.square(picture, 24, fill)
    assert (found.shape, found.dtype) == ((24, 24, 3), np.uint8)
    height, width = (max(1, round(side * 24 / max(shape))) for side in shape)
    top, left = (24 - height) // 2, (24 - width) // 2
    inside = np.zeros((24, 24), dtype=bool)
    inside[top : top + height, left : left + width] = True
    if fill == "Gaussian":
        # Blurred strips of the picture itself: no band stays empty.
        assert abs(float(found[~inside].mean() if (~inside).any() else 0) - picture.mean()) < 255
        assert not (~inside).any() or found[~inside].std() > 0
    else:
        assert (found[~inside] == {"Black": 0, "White": 225}[fill]).all()
