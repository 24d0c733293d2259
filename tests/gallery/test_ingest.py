import json
import random

import pytest

from gallery import datasets, rehearsal
from gallery.errors import BadDatasetName, BadSource, UnknownDataset, UnknownFormat
from gallery.models import Box, Caption, Dataset, Identity, Image
from pedsite.jobs.models import Job
from tests.gallery import files
from tests.gallery.files import annotations, coded, folder_of, pixels


def failures(job):
    return dict(job.failures.values_list("item", "reason"))


def person(id=1, path="a.jpg", captions=("a man in red",), split="train", **more):
    return {"id": id, "file_path": path, "captions": list(captions), "split": split, **more}


def counts():
    return {model.__name__: model.objects.count() for model in (Image, Box, Caption, Identity)}


def test_a_folder_becomes_whole_boxes_of_people_of_their_own(tmp_path, do_import):
    folder_of(tmp_path / "in" / "deep", 3)
    job = do_import("folder", tmp_path / "in")
    assert (job.state, job.total, job.done, job.failed) == ("done", 3, 3, 0)
    assert sorted(Image.objects.values_list("name", flat=True))[0] == "deep/000.jpg"
    for box in Box.objects.all():
        assert box.bounds == (0, 0, 40, 80)
        assert box.source == Box.Source.WHOLE
        assert box.identity.key == f"sha256:{box.image.sha256}"


def test_the_bytes_received_are_kept_under_a_name_that_the_server_makes(
    tmp_path, do_import, stored
):
    data = files.turned(6)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "weird ..name;.php.jpg").write_bytes(data)
    do_import("folder", tmp_path / "in")
    image = Image.objects.get()
    assert image.file.name == f"pictures/{image.dataset_id}/{image.sha256[:2]}/{image.sha256}.jpg"
    assert [path.read_bytes() for path in stored()] == [data]
    assert (image.width, image.height) == (80, 40)


def test_importing_again_adds_nothing(tmp_path, do_import, stored):
    folder_of(tmp_path / "in", 4)
    do_import("folder", tmp_path / "in")
    before = counts()
    job = do_import("folder", tmp_path / "in")
    assert counts() == before
    assert len(stored()) == 4
    assert (job.result["images"], job.result["known_images"]) == (0, 4)


def test_equal_bytes_are_one_image_in_a_dataset_and_two_in_two(tmp_path, do_import, stored):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(coded())
    job = do_import("folder", tmp_path / "in", "one")
    assert counts() == {"Image": 1, "Box": 1, "Caption": 0, "Identity": 1}
    assert (job.result["images"], job.result["known_images"]) == (1, 1)
    assert Image.objects.get().name == "a.jpg"
    do_import("folder", tmp_path / "in", "two")
    assert Image.objects.count() == 2
    assert len(stored()) == 2


def test_one_bad_file_never_stops_the_rest_and_each_is_named_with_its_reason(tmp_path, do_import):
    root = folder_of(tmp_path / "in", 2)
    bad = {
        "empty.jpg": b"",
        "page.jpg": b"<html>hello</html>",
        "cut.png": coded(pixels(300, 300), "PNG")[:2000],
        "bomb.png": files.huge_png(),
    }
    for name, data in bad.items():
        (root / name).write_bytes(data)
    job = do_import("folder", root)
    assert (job.state, job.done, job.failed) == ("done", 2, 4)
    reasons = failures(job)
    assert "empty (0 bytes)" in reasons["empty.jpg"]
    assert "Not a picture" in reasons["page.jpg"]
    assert "truncated" in reasons["cut.png"]
    assert "megapixels" in reasons["bomb.png"]
    assert Image.objects.count() == 2


def test_odd_but_good_pictures_are_all_imported(tmp_path, do_import):
    root = tmp_path / "in"
    root.mkdir()
    grey = pixels()[:, :, 0]
    (root / "cmyk.jpg").write_bytes(coded(files.Image.new("CMYK", (20, 30), (9, 99, 0, 0))))
    (root / "deep.png").write_bytes(
        coded(files.Image.fromarray(grey.astype("uint16") * 257), "PNG")
    )
    (root / "palette.gif").write_bytes(coded(pixels(seed=4), "GIF"))
    (root / "grey.webp").write_bytes(coded(pixels(seed=5), "WEBP"))
    (root / "polyglot.jpg").write_bytes(files.polyglot())
    job = do_import("folder", root)
    assert (job.done, job.failed) == (5, 0)


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path, do_import):
    root = folder_of(tmp_path / "in", 1)
    (tmp_path / "secret.jpg").write_bytes(coded(pixels(seed=9)))
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "link-to-folder").symlink_to(tmp_path)
    job = do_import("folder", root)
    assert failures(job) == {
        "link.jpg": "the path leads out of the folder through a link",
        "link-to-folder": "the path leads out of the folder through a link",
    }
    assert Image.objects.count() == 1


def test_a_name_that_is_no_utf8_is_stored_readably(tmp_path, do_import):
    root = folder_of(tmp_path / "in", 0)
    with open(bytes(root) + b"/\xff\xfe.jpg", "wb") as file:
        file.write(coded())
    job = do_import("folder", root)
    assert (job.done, job.failed) == (1, 0)
    assert Image.objects.get().name == "\\udcff\\udcfe.jpg"


def test_cuhk_pedes_gives_people_splits_and_captions_in_two_languages(tmp_path, do_import):
    folder_of(tmp_path / "imgs", 3)
    path = annotations(
        tmp_path / "reid_raw.json",
        [
            person(1, "000.jpg", ["a man in red", "一个穿红衣服的男人"]),
            person(1, "001.jpg", split="train"),
            person(2, "002.jpg", split="val"),
        ],
    )
    job = do_import("cuhk_pedes", path, images=tmp_path / "imgs")
    assert (job.done, job.failed) == (3, 0)
    assert counts() == {"Image": 3, "Box": 3, "Caption": 4, "Identity": 2}
    assert dict(Identity.objects.values_list("key", "split")) == {"1": "train", "2": "validation"}
    assert Caption.objects.get(language="zh").text == "一个穿红衣服的男人"
    assert set(Box.objects.values_list("source", flat=True)) == {"whole"}


def test_synth_pedes_gives_attributes_prompts_and_the_first_records_to_the_test(
    tmp_path, do_import
):
    folder_of(tmp_path, 3)
    about = {"captions": ["She walks."], "prompt_caption": ["A photo of a woman."]}
    path = annotations(
        tmp_path / "synthpedes-dataset.json",
        [
            {
                "id": number,
                "file_path": f"00{number}.jpg",
                "attributes": ["woman,unknown,red coat, unknown shoes,black bag"],
                **about,
            }
            for number in range(3)
        ],
    )
    do_import("synth_pedes", path, test_records=2)
    assert dict(Identity.objects.values_list("key", "split")) == {
        "0": "test",
        "1": "test",
        "2": "train",
    }
    kinds = Caption.objects.filter(box__identity__key="0").values_list("kind", "text")
    assert set(kinds) == {
        ("caption", "She walks."),
        ("prompt", "A photo of a woman."),
        ("attributes", "woman,red coat,black bag"),
    }


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (person(path="../secret.jpg"), "`..`"),
        (person(path="/etc/passwd"), "absolute"),
        (person(path="C:\\pictures\\a.jpg"), "absolute"),
        (person(path="missing.jpg"), "no such file"),
        (person(path="folder"), "not a file"),
        (person(path="link.jpg"), "through a link"),
        (person(path=""), "empty"),
        (person(path="a\x00.jpg"), "NUL"),
        (person(path=7), "file_path is missing or not text"),
        (person(id="7"), "id is text, not a whole number"),
        (person(id=1.5), "id is the number 1.5"),
        (person(id=True), "id is true or false"),
        (person(id=None), "id is missing"),
        (person(id=-1), "id is negative"),
        ("[1, 2]", "not an object"),
        ('{"id": 1, "file_path": }', "broken JSON"),
    ],
)
def test_a_record_that_cannot_be_used_is_named_with_its_line(tmp_path, do_import, record, reason):
    root = folder_of(tmp_path / "imgs", 1)
    (root / "folder").mkdir()
    (tmp_path / "secret.jpg").write_bytes(coded(pixels(seed=3)))
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    path = annotations(tmp_path / "a.json", [person(5, "000.jpg"), record, person(5, "000.jpg")])
    job = do_import("cuhk_pedes", path, images=root)
    ((item, why),) = failures(job).items()
    assert item.startswith("line 3, record 2")
    assert reason in why
    assert (job.done, job.failed, Image.objects.count()) == (2, 1, 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("x" * 100_000, "caption 2 has 100000 characters; the limit is 2000"),
        ("  ", "caption 2 is empty"),
        (7, "caption 2 is the number 7, not text"),
        ("a\x00b", "caption 2 holds a NUL"),
        ("half \ud800 pair", "caption 2 holds a NUL or a broken character"),
    ],
)
def test_a_bad_caption_is_refused_and_the_rest_of_its_record_kept(tmp_path, do_import, bad, reason):
    folder_of(tmp_path, 1)
    # Escaped, because half of a surrogate pair cannot be written as UTF-8.
    row = json.dumps(person(1, "000.jpg", ["good", bad, "good too"]))
    path = annotations(tmp_path / "a.json", [row])
    job = do_import("cuhk_pedes", path)
    ((item, why),) = failures(job).items()
    assert item == "line 2, record 1: 000.jpg"
    assert why.startswith(reason)
    assert why.endswith("the rest was imported")
    assert set(Caption.objects.values_list("text", flat=True)) == {"good", "good too"}


def test_2000_chinese_characters_fit(tmp_path, do_import):
    folder_of(tmp_path, 1)
    # Without repetition, which an index row could be shortened by.
    letters = random.Random(1)
    text = "".join(chr(letters.randrange(0x4E00, 0x9FA5)) for _ in range(2000))
    job = do_import("cuhk_pedes", annotations(tmp_path / "a.json", [person(1, "000.jpg", [text])]))
    assert job.failed == 0
    assert Caption.objects.get().text == text


def test_a_person_in_two_splits_stays_in_the_first_and_is_noted(tmp_path, do_import):
    folder_of(tmp_path, 2)
    rows = [person(1, "000.jpg", split="test"), person(1, "001.jpg", split="train")]
    job = do_import("cuhk_pedes", annotations(tmp_path / "a.json", rows))
    assert Identity.objects.get().split == "test"
    ((item, note),) = job.result["notes"]
    assert item.startswith("line 3")
    assert "stays in test" in note
    assert job.failed == 0


def test_one_picture_cannot_be_two_people(tmp_path, do_import):
    folder_of(tmp_path, 1)
    rows = [person(1, "000.jpg", ["first"]), person(2, "000.jpg", ["second"])]
    path = annotations(tmp_path / "a.json", rows)
    for _ in range(2):
        job = do_import("cuhk_pedes", path)
        ((item, why),) = failures(job).items()
        assert item.startswith("line 3")
        assert "person 1 already, not 2" in why
        assert counts() == {"Image": 1, "Box": 1, "Caption": 1, "Identity": 1}


def test_a_duplicate_record_adds_only_its_new_captions(tmp_path, do_import):
    folder_of(tmp_path, 1)
    rows = [person(1, "000.jpg", ["a", "b"]), person(1, "000.jpg", ["b", "c"])]
    job = do_import("cuhk_pedes", annotations(tmp_path / "a.json", rows))
    assert job.failed == 0
    assert counts() == {"Image": 1, "Box": 1, "Caption": 3, "Identity": 1}


def test_a_picture_that_was_only_itself_gets_the_name_that_a_later_source_gives(
    tmp_path, do_import
):
    folder_of(tmp_path / "imgs", 2)
    do_import("folder", tmp_path / "imgs")
    path = annotations(tmp_path / "a.json", [person(7, "000.jpg")])
    do_import("cuhk_pedes", path, images=tmp_path / "imgs")
    assert Identity.objects.filter(key="7", split="train").exists()
    assert counts()["Identity"] == 2
    do_import("folder", tmp_path / "imgs")
    assert counts()["Identity"] == 2


def test_a_video_gives_frames_at_the_rate_with_camera_and_time(tmp_path, do_import):
    path = files.video(tmp_path / "door.avi", frames=20, fps=10)
    job = do_import("video", path, fps=5, start="2024-03-01T08:00:00+01:00")
    images = list(Image.objects.order_by("taken_at"))
    assert len(images) == job.done == job.total == 10
    assert {image.camera.name for image in images} == {"door"}
    seconds = [(image.taken_at - images[0].taken_at).total_seconds() for image in images]
    assert seconds == pytest.approx([n * 0.2 for n in range(10)])
    assert images[0].taken_at.isoformat() == "2024-03-01T07:00:00+00:00"
    assert images[1].name == "door-000002.jpg"
    assert Box.objects.count() == 0


def test_importing_a_video_again_adds_nothing(tmp_path, do_import):
    path = files.video(tmp_path / "door.avi")
    do_import("video", path)
    before = Image.objects.count()
    do_import("video", path)
    assert Image.objects.count() == before == 4


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("list.mp4", b"#EXTM3U\n/etc/passwd\n", "is not a video"),
        ("cut.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(50), "can be decoded"),
    ],
)
def test_what_is_no_video_is_refused_before_anything_is_made(
    tmp_path, do_import, name, data, reason
):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadSource, match=reason):
        do_import("video", tmp_path / name)
    assert not Dataset.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("format", ["folder", "cuhk_pedes"])
def test_a_source_that_holds_nothing_makes_no_dataset(tmp_path, do_import, format):
    source = tmp_path if format == "folder" else tmp_path / "empty.json"
    if source != tmp_path:
        source.write_bytes(b"")
    with pytest.raises(BadSource, match="nothing to import"):
        do_import(format, source)
    assert not Dataset.objects.exists()


def test_a_start_that_is_no_time_and_a_rate_of_zero_are_refused(tmp_path, do_import):
    path = files.video(tmp_path / "a.avi")
    with pytest.raises(BadSource, match="not a time"):
        do_import("video", path, start="yesterday")
    with pytest.raises(BadSource, match="cannot be taken"):
        do_import("video", path, fps=0)


def test_unknown_formats_options_names_and_paths_are_refused(tmp_path, do_import):
    files.folder_of(tmp_path, 1)
    with pytest.raises(UnknownFormat, match="no format “voc”; known are folder"):
        do_import("voc", tmp_path)
    with pytest.raises(BadSource, match="folder takes no fps"):
        do_import("folder", tmp_path, fps=2)
    with pytest.raises(BadDatasetName, match="cannot name a dataset"):
        do_import("folder", tmp_path, "../etc")
    with pytest.raises(BadSource, match="not a folder"):
        do_import("folder", tmp_path / "missing")
    with pytest.raises(BadSource, match="cannot be read"):
        do_import("cuhk_pedes", tmp_path / "missing.json")
    with pytest.raises(UnknownDataset, match="no dataset “nowhere”"):
        datasets.get("nowhere")
    assert not Dataset.objects.exists()


def test_a_dry_run_counts_and_names_refusals_and_writes_nothing(tmp_path, do_import, stored):
    folder_of(tmp_path, 3)
    (tmp_path / "bad.jpg").write_bytes(b"x")
    rows = [person(n % 2, f"00{n}.jpg", ["a", "b"]) for n in range(3)] + [person(9, "bad.jpg")]
    path = annotations(tmp_path / "a.json", rows)
    report = rehearsal.dry_run("cuhk_pedes", str(path), "set")
    assert (report.records, report.images, report.boxes, report.captions) == (4, 3, 3, 6)
    assert (report.people, report.refused, report.new_dataset) == (2, 1, True)
    assert report.refusals[0][0] == "line 5, record 4: bad.jpg"
    assert not Dataset.objects.exists()
    assert not stored()
    do_import("cuhk_pedes", path)
    report = rehearsal.dry_run("cuhk_pedes", str(path), "set")
    assert (report.images, report.known_images, report.new_dataset) == (0, 3, False)


def test_a_dry_run_promises_what_the_import_then_does(tmp_path, do_import):
    """Equal files, one picture told of as several people, captions twice, a person in two splits:
    into a new dataset, and into one that has some of it.
    """
    folder_of(tmp_path, 5)
    (tmp_path / "twin.jpg").write_bytes((tmp_path / "000.jpg").read_bytes())
    first = [person(1, "000.jpg", ["a", "a", "b"]), person(2, "001.jpg", ["c"], split="test")]
    more = [
        person(1, "twin.jpg", ["b", "d"]),
        person(7, "twin.jpg", ["e"]),
        person(2, "002.jpg", ["c"], split="train"),
        person(3, "002.jpg"),
        person(4, "003.jpg", ["f"]),
        person(4, "003.jpg", ["f"], split="val"),
    ]
    for number, rows in enumerate((first, first + more)):
        path = annotations(tmp_path / f"{number}.json", rows)
        report = rehearsal.dry_run("cuhk_pedes", str(path), "one")
        before = counts()
        job = do_import("cuhk_pedes", path, "one", images=tmp_path)
        now = counts()
        promised = {"Image": report.images, "Box": report.boxes, "Caption": report.captions}
        assert promised == {name: now[name] - before[name] for name in promised}
        assert report.people == Identity.objects.count()
        assert dict(report.refusals) == failures(job)
        assert [list(note) for note in report.notes] == job.result["notes"]
    assert report.refused == 2
    assert report.noted == 2


def test_retrying_takes_the_failed_items_only(tmp_path, do_import):
    root = folder_of(tmp_path / "in", 3)
    (root / "late.jpg").write_bytes(b"")
    job = do_import("folder", root)
    assert failures(job).keys() == {"late.jpg"}
    (root / "late.jpg").write_bytes(coded(pixels(seed=50)))
    again = do_import("folder", root, only=["late.jpg"])
    assert (again.total, again.done, again.failed) == (1, 1, 0)
    assert Image.objects.count() == 4


def test_whoever_makes_a_dataset_by_importing_may_see_it(
    tmp_path, do_import, django_user_model, settings
):
    settings.PEDSITE_IMPORT_ROOTS = [str(tmp_path)]
    user, other = (django_user_model.objects.create_user(name) for name in "ab")
    folder_of(tmp_path / "in", 1)
    do_import("folder", tmp_path / "in", user=user)
    assert Image.objects.visible_to(user).count() == 1
    assert Image.objects.visible_to(other).count() == 0


def test_the_note_of_a_job_counts_in_words(tmp_path, do_import):
    folder_of(tmp_path / "in", 1)
    assert do_import("folder", tmp_path / "in").note == "1 picture, 1 box"
