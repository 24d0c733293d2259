"""What an import reads: its upload or a folder under the roots, and never anything else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from gallery import imports, ingest, uploads
from gallery.errors import BadFolder, BadSource, BadUpload, NotNow
from gallery.formats import FORMATS
from gallery.formats.records import Unreadable
from gallery.models import Image, Import, Upload
from pedsite.jobs import work
from tests import world
from tests.gallery.files import coded, folder_of, pixels
from tests.gallery.importing import checked, page, run, sent, zip_of


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
def secret(tmp_path, monkeypatch):
    """Pictures in var/media below the working directory, which nobody may import."""
    folder_of(tmp_path / "var" / "media", 3, start=40)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "var" / "media"


@pytest.fixture
def trap(curator, secret):
    """A checked import of an upload in which the pictures lie in var/media too."""
    members = [(f"var/media/{n}.jpg", coded(pixels(seed=n))) for n in range(2)]
    upload = sent(curator, "trap.zip", zip_of(members))
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
    assert (found.stage, found.path) == ("checked", "var/media")
    return found


# An upload that is gone


def test_a_confirmed_import_whose_upload_went_reads_no_folder_of_the_server(curator, trap):
    uploads.remove(trap.upload)
    with pytest.raises(BadSource, match="upload was removed"):
        imports.confirm(trap.pk, curator)
    assert Import.objects.get().job is None


def test_a_second_check_whose_upload_went_reads_no_folder_of_the_server(curator, trap):
    uploads.remove(trap.upload)
    with pytest.raises(BadSource, match="upload was removed"):
        imports.check_again(trap.pk, curator, imports.Wish(dataset="x", format="folder"))


def test_a_check_whose_upload_went_before_its_turn_reads_no_folder_of_the_server(
    curator, secret, root
):
    upload = sent(curator, "a.zip", zip_of([("a.jpg", coded())]))
    found = imports.begin(curator, imports.Wish(dataset="x", upload=upload))
    uploads.remove(upload)
    Import.objects.update(path="var/media")
    found = checked(found)
    assert (found.stage, found.check_job.error) == ("unreadable", "The upload was removed.")


def test_a_job_whose_upload_went_before_its_turn_reads_no_folder_of_the_server(curator, trap):
    job = imports.confirm(trap.pk, curator)
    uploads.remove(trap.upload)
    assert run(job, ingest.Importer()).error == "The upload was removed."
    assert Image.objects.count() == 0


def test_a_retry_whose_upload_went_reads_no_folder_of_the_server(curator, secret):
    members = [("var/media/040.jpg", b"no picture"), ("var/media/1.jpg", coded())]
    upload = sent(curator, "a.zip", zip_of(members))
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
    job = run(imports.confirm(found.pk, curator), ingest.Importer())
    assert job.failed == 1
    uploads.remove(upload)
    again = run(work.retry_failed(job, curator), ingest.Importer())
    assert again.error == "The upload was removed."
    assert Image.objects.count() == 1


def test_a_job_that_lost_its_upload_before_jobs_remembered_it_reads_nothing(curator, secret, root):
    folder_of(root / "var" / "media", 1)
    params = {
        "format": "folder", "path": "var/media", "images": None, "options": {},
        "dataset": world.make_dataset().pk,
    }  # fmt: skip
    job = work.request(ingest.KIND, task=ingest.TASK, params=params, user=curator, queue=False)
    assert run(job, ingest.Importer()).error == "The upload was removed."


def test_the_database_keeps_no_path_of_an_upload_as_one_of_the_server(curator):
    for path in ("var/media", ""):
        with pytest.raises(IntegrityError), transaction.atomic():
            Import.objects.create(path=path, created_by=curator, dataset_name="x", name="x")


def test_an_upload_that_is_used_cannot_be_deleted_from_under_its_import(client, curator, trap):
    url = reverse("api:upload", args=[trap.upload_id])
    response = client.delete(url)
    assert (response.status_code, response.json()["code"]) == (409, "not-now")
    client.post(reverse("gallery:upload-remove", args=[trap.upload_id]))
    assert Upload.objects.count() == 1
    run(imports.confirm(trap.pk, curator), ingest.Importer())
    assert client.delete(url).status_code == 204
    assert Import.objects.get().upload is None
    assert Image.objects.count() == 2


def test_an_import_of_an_upload_that_went_meanwhile_is_not_begun(curator):
    upload = sent(curator, "a.zip", zip_of([("a.jpg", coded())]))
    uploads.give_up(upload)
    with pytest.raises(BadUpload, match="upload was removed"):
        imports.begin(curator, imports.Wish(dataset="x", upload=upload))
    with pytest.raises(NotNow, match="not whole"):
        imports.begin(curator, imports.Wish(dataset="x", upload=uploads.begin(curator, "a", 5)))


def test_an_import_says_that_its_upload_expired_while_it_waited(client, curator, trap):
    Upload.objects.update(touched_at=timezone.now() - timedelta(days=site.PEDSITE_UPLOAD_DAYS + 1))
    assert uploads.expire() == 1
    text = page(client, trap)
    assert "The upload was removed" in text
    assert reverse("gallery:import-confirm", args=[trap.pk]) not in text
    assert reverse("gallery:import-check", args=[trap.pk]) not in text
    assert reverse("gallery:import-remove", args=[trap.pk]) in text
    assert client.get(reverse("api:import", args=[trap.pk])).json()["upload_is_gone"] is True


# A folder of the server


def confirmed(curator, root):
    folder_of(root / "in", 2)
    found = checked(imports.begin(curator, imports.Wish(dataset="x", folder="in")))
    return imports.confirm(found.pk, curator)


def test_a_folder_that_left_the_roots_after_its_import_was_confirmed_is_not_read(
    curator, root, tmp_path
):
    job = confirmed(curator, root)
    (root / "in").rename(root / "away")
    (root / "in").symlink_to(folder_of(tmp_path / "secret", 2))
    assert "leads out" in run(job, ingest.Importer()).error
    assert Image.objects.count() == 0


def test_a_root_that_was_closed_after_an_import_was_confirmed_is_not_read(curator, root, settings):
    job = confirmed(curator, root)
    settings.PEDSITE_IMPORT_ROOTS = []
    assert "PEDSITE_IMPORT_ROOTS" in run(job, ingest.Importer()).error
    assert Image.objects.count() == 0


def test_nobody_asks_for_an_import_of_a_folder_outside_the_roots(curator, root, secret):
    with pytest.raises(BadFolder):
        ingest.request("folder", str(secret), "x", user=curator)


def test_a_command_reads_any_folder_of_whoever_runs_it(db, root, secret):
    call_command("import_dataset", "folder", "var/media", dataset="x")
    assert Image.objects.count() == 3


# What the pages and the API say


@pytest.mark.parametrize("name", ["trunc.zip", "NOTZIP.ZIP", "a.tar", "a.tgz", "a.tar.xz"])
@pytest.mark.parametrize("data", [b"some words", zip_of([("a.jpg", coded())])[:-60]])
def test_a_file_that_is_called_an_archive_and_is_none_is_no_bad_picture(curator, name, data):
    upload = sent(curator, name, data)
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
    assert found.stage == "unreadable"
    assert f"{name} is not a readable archive" in found.check_job.error


@pytest.mark.parametrize(
    ("members", "format", "words"),
    [
        ([], "", "photos.zip holds nothing to import."),
        ([("street/a.jpg", coded())], "cuhk_pedes", "street cannot be read: Is a directory."),
        ([("street/a.jpg", coded())], "video", "street is not a file."),
    ],
)
def test_what_cannot_be_read_is_told_without_the_folders_of_the_server(
    client, curator, members, format, words, settings
):
    upload = sent(curator, "photos.zip", zip_of(members))
    wish = imports.Wish(dataset="x", upload=upload, format=format)
    found = checked(imports.begin(curator, wish))
    assert found.check_job.error == words
    for url in (reverse("api:import", args=[found.pk]), found.check_job.pk):
        url = url if isinstance(url, str) else reverse("api:job", args=[url])
        assert str(settings.PEDSITE_WORK_DIR) not in client.get(url).content.decode()
    assert str(settings.PEDSITE_WORK_DIR) not in page(client, found)


def test_an_import_job_tells_of_its_source_without_the_folders_of_the_server(curator, monkeypatch):
    upload = sent(curator, "a.zip", zip_of([("in/a.jpg", coded())]))
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))

    def broken(path, images, **rest):
        raise Unreadable(f"{path} and “{path}/b” are gone.")
        yield

    monkeypatch.setitem(FORMATS, "folder", replace(FORMATS["folder"], read=broken))
    job = run(imports.confirm(found.pk, curator), ingest.Importer())
    assert job.error == "in and “in/b” are gone."
