"""The way of an import through its pages: brought, checked, confirmed, undone."""

import csv
import io
import json
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from gallery import imports, ingest, sources, undo, uploads
from gallery.errors import NotNow, NotYourDataset
from gallery.models import Addition, Box, Caption, Dataset, Identity, Image, Import, Review, Upload
from pedsite.jobs import work
from tests import world
from tests.gallery.files import annotations, coded, folder_of, huge_png, pixels
from tests.gallery.importing import checked, imported, page, run, undone, zip_of


@pytest.fixture
def curator(client, db):
    user = world.make_user("curator", role="curator")
    client.force_login(user)
    return user


@pytest.fixture
def root(tmp_path, settings):
    (tmp_path / "open").mkdir()
    settings.PEDSITE_IMPORT_ROOTS = [str(tmp_path / "open")]
    return tmp_path / "open"


@pytest.fixture
def people(root):
    """Six people with captions, of whom two records are refused."""
    folder_of(root / "set" / "imgs", 6)
    rows = [
        {"id": n // 2, "file_path": f"{n:03d}.jpg", "captions": [f"caption {n}"], "split": "train"}
        for n in range(6)
    ]
    rows[2]["file_path"] = "../../../etc/passwd"
    rows[4]["captions"] = ["fine", ""]
    return annotations(root / "set" / "reid_raw.json", rows).parent


def test_a_folder_of_the_server_is_checked_confirmed_and_imported(client, curator, people):
    form = {"folder": "set", "dataset": "street"}
    response = client.post(reverse("gallery:import-new"), form)
    found = Import.objects.get()
    assert response.url == reverse("gallery:import", args=[found.pk])
    assert "Being checked" in page(client, found)
    found = checked(found)
    assert Image.objects.count() == Dataset.objects.count() == 0
    text = page(client, found)
    assert "CUHK-PEDES" in text
    assert "2 records refused" in text
    assert "absolute" in text or "`..`" in text
    assert text.count("data:image/jpeg;base64,") == 5
    client.post(reverse("gallery:import-confirm", args=[found.pk]))
    found.refresh_from_db()
    run(found.job, ingest.Importer())
    assert (Image.objects.count(), Caption.objects.count()) == (5, 5)
    assert Dataset.objects.visible_to(curator).get().name == "street"
    assert "What was added" in page(client, found)


def test_the_check_counts_what_the_import_then_adds(curator, people):
    found = imported(curator, folder="set")
    told, done = found.report, found.job.result
    assert (told["records"], told["refused"]) == (6, found.job.failed) == (6, 2)
    for name in ("images", "boxes", "captions", "cameras"):
        assert told[name] == done.get(name, 0)
    assert told["people"] == done["identities"]


def test_a_zip_sent_with_the_form_needs_no_script(client, curator, stored):
    data = zip_of([(f"mine/{n}.jpg", coded(pixels(seed=n))) for n in range(3)])
    file = SimpleUploadedFile("mine.zip", data)
    client.post(reverse("gallery:import-new"), {"file": file, "dataset": "street"})
    found = checked(Import.objects.get())
    assert (found.stage, found.format, found.path) == ("checked", "folder", "mine")
    run(imports.confirm(found.pk, curator), ingest.Importer())
    assert sorted(Image.objects.values_list("name", flat=True)) == ["0.jpg", "1.jpg", "2.jpg"]


def test_another_machine_unpacks_the_upload_for_itself(curator, settings, tmp_path):
    data = zip_of([("a.jpg", coded())])
    upload = uploads.store(curator, "a.zip", len(data), [data])
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
    settings.PEDSITE_WORK_DIR = tmp_path / "other"
    run(imports.confirm(found.pk, curator), ingest.Importer())
    assert Image.objects.count() == 1


@pytest.mark.parametrize(
    ("members", "words"),
    [([("../evil.jpg", b"x")], "leads out"), ([("zeros", bytes(60 * 2**20))], "a bomb")],
)
def test_a_hostile_archive_is_refused_on_its_page_and_leaves_nothing_unpacked(
    client, curator, members, words, settings
):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    upload = uploads.store(curator, "a.zip", out.tell(), [out.getvalue()])
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
    assert found.stage == "unreadable"
    assert words in page(client, found)
    assert list((settings.PEDSITE_WORK_DIR / "uploads").glob(f"{upload.key}*")) == []
    with pytest.raises(NotNow):
        imports.confirm(found.pk, curator)


def test_a_pixel_bomb_in_an_archive_is_one_refusal(curator):
    data = zip_of([("bomb.png", huge_png()), ("good.jpg", coded())])
    upload = uploads.store(curator, "a.zip", len(data), [data])
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
    assert (found.report["images"], found.report["refused"]) == (1, 1)
    assert "megapixels" in found.check_job.failures.get().reason


def test_a_video_a_picture_and_an_archive_in_folders_are_told_apart(curator, tmp_path):
    from tests.gallery.files import video

    film = video(tmp_path / "gate.avi").read_bytes()
    classes = zip_of([(f"in/{n}/a.jpg", coded(pixels(seed=n))) for n in range(2)])
    for name, data, wanted in (
        ("gate.avi", film, "video"),
        ("classes.zip", classes, "folder_per_class"),
        ("one.zip", zip_of([("a.jpg", coded())]), "folder"),
    ):
        upload = uploads.store(curator, name, len(data), [data])
        found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
        assert (found.stage, found.format) == ("checked", wanted), found.check_job.error


def test_the_format_may_be_chosen_afterwards(client, curator, root):
    folder_of(root / "in" / "anna", 2)
    folder_of(root / "in" / "ben", 2, start=2)
    found = checked(imports.begin(curator, imports.Wish(dataset="x", folder="in")))
    assert found.format == "folder_per_class"
    form = {"dataset": "y", "format": "folder"}
    client.post(reverse("gallery:import-check", args=[found.pk]), form)
    found = checked(Import.objects.get())
    assert (found.format, found.dataset_name, found.report["people"]) == ("folder", "y", 4)


def test_what_was_confirmed_is_imported_once(curator, people):
    found = imported(curator, folder="set")
    with pytest.raises(NotNow):
        imports.confirm(found.pk, curator)
    with pytest.raises(NotNow):
        imports.check_again(found.pk, curator, imports.Wish(dataset="z"))
    with pytest.raises(NotNow):
        imports.remove(found.pk)


def test_a_dataset_that_is_not_shared_is_neither_looked_into_nor_added_to(curator, people):
    mine = world.make_dataset("street")
    with pytest.raises(NotYourDataset):
        imports.begin(curator, imports.Wish(dataset="street", folder="set"))
    grant = world.make_grant(mine, curator)
    found = imports.begin(curator, imports.Wish(dataset="street", folder="set"))
    later = checked(imports.begin(curator, imports.Wish(dataset="street", folder="set")))
    grant.delete()
    assert "not shared" in checked(found).check_job.error
    with pytest.raises(NotYourDataset):
        imports.confirm(later.pk, curator)
    assert Image.objects.count() == 0


def test_a_link_that_was_put_there_after_the_check_leads_nowhere(curator, root, tmp_path):
    folder_of(root / "in", 1)
    found = imports.begin(curator, imports.Wish(dataset="x", folder="in"))
    (root / "in").rename(root / "away")
    (root / "in").symlink_to(folder_of(tmp_path / "secret", 2))
    assert "leads out" in checked(found).check_job.error


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_only_curators_and_those_above_them_import(client, db, role):
    client.force_login(world.make_user(role=role))
    for name in ("import-list", "import-new"):
        assert client.get(reverse(f"gallery:{name}")).status_code == 403
    assert client.post(reverse("gallery:import-new"), {}).status_code == 403


def test_the_imports_of_another_are_not_there(client, curator, people):
    other = world.make_user(role="operator")
    world.make_grant(world.make_dataset("street"), other)
    found = imported(other, folder="set")
    upload = uploads.begin(other, "a", 5)
    for name in ("import", "import-undo"):
        assert client.get(reverse(f"gallery:{name}", args=[found.pk])).status_code == 404
    for name in ("import-check", "import-confirm", "import-remove", "import-undo"):
        url = reverse(f"gallery:{name}", args=[found.pk])
        assert client.post(url, {"dataset": "x"}).status_code == 404
    url = reverse("gallery:import-result", args=[found.pk, "csv"])
    assert client.get(url).status_code == 404
    assert client.post(reverse("gallery:upload-remove", args=[upload.pk])).status_code == 404
    form = {"upload": upload.pk, "dataset": "x"}
    assert client.post(reverse("gallery:import-new"), form).status_code == 422
    assert Upload.objects.count() == 1


def test_the_form_asks_for_one_source(client, curator, root):
    file = SimpleUploadedFile("a.zip", b"PK")
    both = {"dataset": "x", "folder": "in", "file": file}
    for form in ({"dataset": "x"}, both):
        response = client.post(reverse("gallery:import-new"), form)
        assert response.status_code == 422
        assert "one of them" in response.content.decode()
    assert Upload.objects.count() == 0


def test_an_oversized_body_is_refused_before_it_is_read(client, curator, settings):
    settings.PEDSITE_UPLOAD_FORM_BYTES = 2**20
    settings.MAX_PICTURE_BYTES = 2**18
    file = SimpleUploadedFile("a.zip", bytes(5 * 2**20))
    url = reverse("gallery:import-new")
    assert client.post(url, {"file": file, "dataset": "x"}).status_code == 413
    # Who may not import may not even send what an import may.
    middle = SimpleUploadedFile("b.zip", bytes(2**20 + 2**19 + 2**18 + 2**17))
    assert client.post(url, {"file": middle, "dataset": "x"}).status_code != 413
    settings.PEDSITE_UPLOAD_FORM_BYTES = 3 * 2**20
    large = SimpleUploadedFile("c.zip", bytes(3 * 2**20))
    client.force_login(world.make_user())
    assert client.post(url, {"file": large, "dataset": "x"}).status_code == 413


def test_the_result_file_names_every_box_and_every_refusal(client, curator, people):
    found = imported(curator, folder="set")
    url = reverse("gallery:import-result", args=[found.pk, "json"])
    response = client.get(url)
    assert "attachment" in response["Content-Disposition"]
    body = json.loads(b"".join(response.streaming_content))
    good = [row for row in body["rows"] if row["outcome"] == "imported"]
    bad = [row for row in body["rows"] if row["outcome"] == "refused"]
    assert {row["box"] for row in good} == set(Box.objects.values_list("pk", flat=True))
    assert good[0]["captions"] == ["caption 0"]
    assert len(bad) == found.job.failed == 2
    assert body["counts"]["images"] == 5
    response = client.get(reverse("gallery:import-result", args=[found.pk, "csv"]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(text)))) == 7


def test_a_spreadsheet_finds_no_formula_in_the_result(client, curator, root):
    folder_of(root / "in", 1)
    (root / "in" / "000.jpg").rename(root / "in" / "=cmd()|x.jpg")
    found = imported(curator, folder="in")
    response = client.get(reverse("gallery:import-result", args=[found.pk, "csv"]))
    assert ",'=cmd()" in b"".join(response.streaming_content).decode()


def test_a_name_that_is_a_script_stays_text_on_the_page(client, curator, root):
    folder_of(root / "in", 1)
    (root / "in" / "000.jpg").rename(root / "in" / "<script>alert(1)<script>.jpg")
    (root / "in" / "<img src=x onerror=y>").write_bytes(b"no picture")
    found = checked(imports.begin(curator, imports.Wish(dataset="x", folder="in")))
    text = page(client, found)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert" in text


# Undo


def rows():
    models = (Dataset, Image, Box, Caption, Identity)
    return {model.__name__: model.objects.count() for model in models}


def test_an_undo_takes_back_all_that_an_import_added_and_the_files(
    curator, people, stored, django_capture_on_commit_callbacks
):
    found = imported(curator, folder="set")
    assert len(stored()) == 5
    told = undo.foretell(found.job)
    assert (told.images, told.boxes, told.captions, told.identities) == (5, 5, 5, 3)
    assert told.kept_boxes == 0
    with django_capture_on_commit_callbacks() as callbacks:
        found = undone(found, curator)
    for callback in callbacks[1:]:  # all but the sending of the job
        callback()
    assert found.stage == "undone"
    assert set(rows().values()) == {0}
    assert stored() == []


def test_an_undo_in_small_batches_ends_in_the_same(curator, people, monkeypatch):
    monkeypatch.setattr(undo, "BATCH", 1)
    found = undone(imported(curator, folder="set"), curator)
    assert found.undo_job.done == 18
    assert set(rows().values()) == {0}


def test_an_undo_leaves_what_others_had(curator, people, root):
    folder_of(root / "before", 2)
    first = imported(curator, folder="before", format="folder")
    before = rows()
    found = imported(curator, folder="set")
    undone(found, curator)
    assert rows() == before
    undone(first, curator)
    assert set(rows().values()) == {0}


@pytest.mark.parametrize("change", ["approve", "move", "describe", "name", "hide a caption"])
def test_an_undo_leaves_what_was_changed_or_judged_since(client, curator, people, change):
    found = imported(curator, folder="set")
    box = Box.objects.order_by("pk").first()
    if change == "approve":
        Box.objects.filter(pk=box.pk).update(review=Review.APPROVED)
    elif change == "move":
        Box.objects.filter(pk=box.pk).update(left=1)
    elif change == "describe":
        world.make_caption(box, "typed by someone")
    elif change == "name":
        Box.objects.filter(pk=box.pk).update(identity=world.make_identity(found_dataset(), "new"))
    else:
        box.captions.update(review=Review.HIDDEN)
    captions = box.captions.count()
    told = undo.foretell(found.job)
    assert (told.boxes, told.kept_boxes, told.kept_images) == (4, 1, 1)
    text = client.get(reverse("gallery:import-undo", args=[found.pk])).content.decode()
    assert "This stays" in text
    undone(found, curator)
    assert list(Box.objects.values_list("pk", flat=True)) == [box.pk]
    assert box.captions.count() == captions
    assert Image.objects.get().pk == box.image_id
    assert Dataset.objects.count() == 1


def found_dataset():
    return Dataset.objects.get()


def test_an_undo_leaves_a_picture_with_the_box_of_another(curator, people):
    found = imported(curator, folder="set")
    image = Image.objects.order_by("pk").first()
    mine = world.make_box(image, (1, 1, 5, 5))
    undone(found, curator)
    assert list(Box.objects.all()) == [mine]
    assert list(Image.objects.all()) == [image]


def test_an_undo_gives_a_box_that_was_there_whom_it_had(curator, people, root):
    imported(curator, folder="set/imgs", format="folder")
    before = sorted(Box.objects.values_list("pk", "identity__key"))
    found = imported(curator, folder="set")
    assert Box.objects.filter(identity__key="0").count() == 2
    assert undo.foretell(found.job).named == 5
    undone(found, curator)
    assert sorted(Box.objects.values_list("pk", "identity__key")) == before
    assert not Identity.objects.filter(key="0").exists()
    assert Caption.objects.count() == 0


def test_an_undo_takes_a_split_from_a_person_who_had_none(curator, people):
    first = imported(curator, folder="set")
    Identity.objects.update(split="")
    Addition.objects.all().delete()
    found = imported(curator, folder="set")
    assert set(Identity.objects.values_list("split", flat=True)) == {"train"}
    first.refresh_from_db()
    step = undo.step
    job = work.request(
        undo.KIND,
        task=undo.TASK,
        params={"import_job": found.job.pk, "dataset": Dataset.objects.get().pk},
        queue=False,
    )
    run(job, step)
    assert set(Identity.objects.values_list("split", flat=True)) == {""}
    assert Box.objects.count() == 5


def test_the_vectors_of_a_box_do_not_keep_it(curator, people):
    from search.models import Embedding

    found = imported(curator, folder="set")
    version = world.make_version()
    for box in Box.objects.select_related("image"):
        Embedding.objects.create(
            encoder=version.image_encoder,
            box=box,
            vector=[1.0] + [0.0] * 15,
            dataset_id=box.image.dataset_id,
        )
    undone(found, curator)
    assert Box.objects.count() == Embedding.objects.count() == 0


def test_an_undo_that_was_killed_goes_on(curator, people, monkeypatch):
    monkeypatch.setattr(undo, "BATCH", 2)
    found = imported(curator, folder="set")
    job = undo.request(found.pk, curator)
    take, calls = undo._take, []

    def dies(*args):
        calls.append(1)
        take(*args)
        if len(calls) == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(undo, "_take", dies)
        with pytest.raises(KeyboardInterrupt):
            work.execute(job.pk, undo.step)
    type(job).objects.filter(pk=job.pk).update(lease_key="", lease_until=None)
    work.execute(job.pk, undo.step)
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 18)
    assert set(rows().values()) == {0}


def test_a_retry_of_an_import_is_undone_with_it(curator, root):
    folder_of(root / "in", 2)
    bad = root / "in" / "late.jpg"
    bad.write_bytes(b"not yet a picture")
    found = imported(curator, folder="in")
    bad.write_bytes(coded(pixels(seed=50)))
    run(work.retry_failed(found.job, curator), ingest.Importer())
    assert Image.objects.count() == 3
    undone(found, curator)
    assert Image.objects.count() == 0


def test_an_undo_needs_a_dataset_that_is_still_shared(curator, people):
    found = imported(curator, folder="set")
    Dataset.objects.get().grants.all().delete()
    with pytest.raises(NotYourDataset):
        undo.request(found.pk, curator)


def test_an_undo_is_done_once(curator, people):
    found = undone(imported(curator, folder="set"), curator)
    with pytest.raises(NotNow):
        undo.request(found.pk, curator)


def test_the_copy_of_a_removed_import_goes_with_it(curator, stored, settings):
    data = zip_of([("a.jpg", coded())])
    upload = uploads.store(curator, "a.zip", len(data), [data])
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
    imports.remove(found.pk)
    assert (Import.objects.count(), Upload.objects.count(), stored()) == (0, 0, [])
    sources.prune()
    assert not (settings.PEDSITE_WORK_DIR / "uploads" / upload.key).exists()
