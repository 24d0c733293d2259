"""Hosts that share a database, a queue and an S3-compatible store, and no folder."""

import io

import boto3
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.urls import reverse
from PIL import Image as Picture

from gallery import datasets, images, snapshots
from gallery.models import Image
from pedsite import doctor
from pedsite.jobs.models import Job
from search import enrollment, retrieval
from search.models import Embedding
from tests import children, world

pytestmark = pytest.mark.django_db(transaction=True)

NOWHERE = "/dev/null/no-folder-can-be-here"


@pytest.fixture(scope="module")
def store():
    """A server that speaks S3, on a port that the system chooses."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def environment(store, tmp_path) -> dict[str, str]:
    """What one more host is told: the store, and a work folder of its own."""
    return {
        "S3_BUCKET": "people",
        "S3_ENDPOINT_URL": store,
        "S3_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "a secret",
        "MEDIA_ROOT": NOWHERE,
        "PEDSITE_WORK_DIR": str(tmp_path / "other"),
    }


@pytest.fixture
def bucket(store, environment, monkeypatch, settings, tmp_path):
    """This process is a host too; the keys of all that the bucket holds."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1")
    client.create_bucket(Bucket="people")
    from pedsite.settings import _media_storage

    settings.STORAGES = {**settings.STORAGES, "default": _media_storage()}
    settings.MEDIA_ROOT = NOWHERE
    settings.PEDSITE_WORK_DIR = tmp_path / "mine"

    def keys() -> set[str]:
        listed = client.list_objects_v2(Bucket="people").get("Contents", [])
        return {entry["Key"] for entry in listed}

    yield keys
    for key in keys():
        client.delete_object(Bucket="people", Key=key)
    client.delete_bucket(Bucket="people")


WORKER = """
import sys
import django
django.setup()
from pedsite.jobs import work
from search import enrollment
work.execute(int(sys.argv[1]), enrollment.step)
"""


def test_one_host_takes_pictures_in_another_enrolls_and_a_third_serves(
    bucket, environment, client, tmp_path
):
    dataset = world.make_dataset()
    boxes = world.make_coloured_people(dataset)
    version = world.make_version()
    assert len(bucket()) >= 6 + 3  # pictures, two towers, the table of characters
    job = enrollment.request(dataset, version, queue=False)

    children.run(WORKER, str(job.pk), **environment)

    job.refresh_from_db()
    assert (job.state, job.done, job.failed) == (Job.State.DONE, 6, 0), job.error
    assert Embedding.objects.count() == 6
    # Each host has copies of the models of its own.
    assert len(list((tmp_path / "other" / "encoders").iterdir())) >= 1
    page = retrieval.by_text("green", user=None)
    assert page.hits[0].box == boxes["green"]
    assert (tmp_path / "mine" / "encoders").is_dir()

    client.force_login(world.make_user(role="admin"))
    answer = client.get(reverse("gallery:crop", args=[boxes["green"].pk]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    red, green, blue = Picture.open(io.BytesIO(answer.content)).resize((1, 1)).getpixel((0, 0))
    assert green > max(red, blue)
    # The browser gets it from the site, which asks who it is, and never from the store.
    assert b"amz" not in b"".join(map(str.encode, answer.headers.values()))
    answer = client.get(reverse("search:search"), {"q": "green"})
    assert "127.0.0.1" not in answer.content.decode().replace("http://testserver", "")


def test_files_go_with_the_rows_that_name_them(bucket):
    dataset = world.make_dataset()
    boxes = world.make_coloured_people(dataset, ["red", "green"])
    frozen = snapshots.freeze(dataset, None)
    assert [entry["box"] for entry in snapshots.read(frozen)] == [b.pk for b in boxes.values()]
    assert len(bucket()) == 3
    images.delete(list(Image.objects.filter(pk=boxes["red"].image_id)))
    assert len(bucket()) == 2
    datasets.delete(dataset)
    assert bucket() == set()


def test_an_import_stores_each_picture_once(bucket, tmp_path):
    call_command("import_dataset", "drawn", "3:4", dataset="street", stdout=io.StringIO())
    stored = bucket()
    assert len(stored) == Image.objects.count() > 0
    assert stored == set(Image.objects.values_list("file", flat=True))
    call_command("import_dataset", "drawn", "3:4", dataset="street", stdout=io.StringIO())
    assert bucket() == stored


def test_a_picture_that_the_store_lacks_is_told_and_stops_nothing(bucket, client):
    dataset = world.make_dataset()
    boxes = world.make_coloured_people(dataset, ["red", "green"])
    version = world.make_version()
    default_storage.delete(boxes["red"].image.file.name)
    job = enrollment.request(dataset, version, queue=False)
    from pedsite.jobs import work

    work.execute(job.pk, enrollment.step)
    job.refresh_from_db()
    assert (job.done, job.failed) == (1, 1)
    assert "missing" in job.failures.get().reason


def test_the_doctor_writes_reads_and_removes_a_file(bucket, settings):
    found = doctor._media()
    assert (found.what, found.state) == ("media", "ok")
    assert "people" in found.detail
    assert bucket() == set()
    wrong = settings.STORAGES["default"]["OPTIONS"] | {"bucket_name": "nobody-made-it"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": wrong},
    }
    found = doctor._media()
    assert found.state == "error"
    assert "S3_BUCKET" in found.detail
