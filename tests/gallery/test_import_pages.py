"""What pages of imports say before and after: what is kept, what comes next, what was nothing."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from gallery import imports, ingest, undo
from gallery.errors import NotNow
from gallery.models import Dataset, Import
from pedsite.jobs import work
from pedsite.jobs.errors import NothingToRetry
from pedsite.jobs.models import Job
from search import enrollment
from tests import world
from tests.gallery.files import coded, folder_of
from tests.gallery.importing import checked, imported, page, run, sent, undone, zip_of


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
def pictures(root):
    return folder_of(root / "in", 2)


@pytest.fixture
def broken(root):
    """A checked folder of three pictures, of which none is one any more when it is imported."""
    return folder_of(root / "bad", 3)


def spoil(folder):
    for file in folder.iterdir():
        file.write_bytes(b"no picture")


# The form


def test_the_form_shows_the_upload_that_it_keeps_after_an_error(client, curator):
    upload = sent(curator, "photos.zip", zip_of([("a.jpg", coded())]))
    form = {"upload": upload.pk, "dataset": "../bad name"}
    text = client.post(reverse("gallery:import-new"), form).content.decode()
    assert "photos.zip, " in text
    assert f'name="upload" value="{upload.pk}" checked' in text
    form = {"upload": upload.pk, "dataset": "good"}
    assert client.post(reverse("gallery:import-new"), form).status_code == 302


def test_another_file_takes_the_place_of_the_upload_that_the_form_kept(client, curator):
    upload = sent(curator, "photos.zip", zip_of([("a.jpg", coded())]))
    file = SimpleUploadedFile("other.zip", zip_of([("b.jpg", coded())]))
    form = {"upload": upload.pk, "file": file, "dataset": "good"}
    assert client.post(reverse("gallery:import-new"), form).status_code == 302
    assert Import.objects.get().name == "other.zip"


def test_an_upload_that_is_gone_does_not_stay_in_the_form(client, curator):
    form = {"upload": 987654, "dataset": "good"}
    text = client.post(reverse("gallery:import-new"), form).content.decode()
    assert "The upload was removed." in text
    assert "987654" not in text


# What comes next


def test_after_an_import_a_curator_learns_that_an_operator_has_to_enroll(client, curator, pictures):
    world.make_version()
    text = page(client, imported(curator, folder="in"))
    assert "2 boxes wait to be enrolled" in text
    assert "An operator has to enroll them" in text
    assert reverse("search:retry") not in text


def test_after_an_import_an_operator_enrolls_it_from_its_page(client, db, pictures):
    version = world.make_version()
    operator = world.make_user(role="operator")
    client.force_login(operator)
    found = imported(operator, folder="in")
    text = page(client, found)
    assert 'value="dataset=street"' in text
    form = {"query": "dataset=street", "version": version.name}
    client.post(reverse("search:retry"), form)
    job = Job.objects.get(kind=enrollment.KIND)
    assert job.params["dataset_name"] == "street"
    text = page(client, found)
    assert "A job is enrolling them now." in text
    assert reverse("search:retry") not in text


def test_without_a_model_nothing_is_said_of_enrolling(client, curator, pictures):
    text = page(client, imported(curator, folder="in"))
    assert "enroll" not in text


# Nothing


def test_an_undo_that_takes_nobody_away_says_0_people(client, curator, pictures):
    found = undone(imported(curator, folder="in"), curator)
    Job.objects.filter(pk=found.undo_job.pk).update(result={"boxes": 2})
    assert "<b>0</b><span>people</span>" in page(client, found)


def test_an_import_that_brought_nothing_leaves_no_dataset(client, curator, broken):
    found = checked(imports.begin(curator, imports.Wish(dataset="street", folder="bad")))
    job = imports.confirm(found.pk, curator)
    assert Dataset.objects.count() == 1
    spoil(broken)
    job = run(job, ingest.Importer())
    assert (job.state, job.failed, job.note) == ("done", 3, "Nothing was imported.")
    assert Dataset.objects.count() == 0
    text = page(client, found)
    assert "is gone again" in text
    assert reverse("gallery:import-undo", args=[found.pk]) not in text
    with pytest.raises(NotNow):
        undo.request(found.pk, curator)
    with pytest.raises(NothingToRetry):
        work.retry_failed(job, curator)


def test_an_import_that_cannot_be_read_any_more_leaves_no_dataset(curator, broken):
    found = checked(imports.begin(curator, imports.Wish(dataset="street", folder="bad")))
    job = imports.confirm(found.pk, curator)
    broken.rename(broken.parent / "away")
    assert run(job, ingest.Importer()).state == "failed"
    assert Dataset.objects.count() == 0


def test_an_import_that_brought_nothing_leaves_what_another_one_is_about_to_fill(
    curator, broken, pictures
):
    first, second = (
        checked(imports.begin(curator, imports.Wish(dataset="street", folder=name)))
        for name in ("bad", "in")
    )
    jobs = [imports.confirm(found.pk, curator) for found in (first, second)]
    spoil(broken)
    assert [run(job, ingest.Importer()).done for job in jobs] == [0, 2]
    assert Dataset.objects.get().name == "street"


def test_an_import_that_brought_nothing_leaves_a_dataset_that_was_there(curator, broken):
    world.make_dataset("street", visible_to=curator)
    found = checked(imports.begin(curator, imports.Wish(dataset="street", folder="bad")))
    job = imports.confirm(found.pk, curator)
    spoil(broken)
    assert run(job, ingest.Importer()).note == "Nothing was imported."
    assert Dataset.objects.count() == 1


# Checks


def test_a_check_that_is_over_has_no_note_and_is_not_retried(client, curator, broken, root):
    (root / "bad" / "000.jpg").write_bytes(b"no picture")
    found = checked(imports.begin(curator, imports.Wish(dataset="x", folder="bad")))
    job = found.check_job
    assert (job.state, job.failed, job.note) == ("done", 1, "")
    text = client.get(reverse("jobs:detail", args=[job.pk])).content.decode()
    assert reverse("jobs:retry", args=[job.pk]) not in text
    assert client.post(reverse("api:job-retry", args=[job.pk])).status_code == 409


def test_a_check_that_cannot_be_read_has_no_note(curator):
    upload = sent(curator, "a.zip", b"no zip")
    found = checked(imports.begin(curator, imports.Wish(dataset="x", upload=upload)))
    assert (found.check_job.state, found.check_job.note) == ("failed", "")


def test_the_list_of_imports_holds_no_pictures_and_one_import_does(client, curator, pictures):
    found = checked(imports.begin(curator, imports.Wish(dataset="x", folder="in")))
    (line,) = client.get(reverse("api:imports")).json()["results"]
    assert line["report"]["images"] == 2
    assert "rows" not in line["report"]
    one = client.get(reverse("api:import", args=[found.pk])).json()
    assert len(one["report"]["rows"]) == 2
