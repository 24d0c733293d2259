"""The client of the API: as complete as the description, and patient."""

import json
import subprocess
import sys

import pytest
from drf_spectacular.generators import SchemaGenerator

from gallery.models import Image, Upload
from pedsite import client_source
from pedsite.accounts import keys
from pedsite.client import Client, JobFailed, Problem, Unreachable, __main__
from pedsite.jobs import work
from pedsite.management.commands.write_client import PLACE
from tests import world
from tests.search.pages.asked import enroll


def test_the_client_has_every_operation_and_field_of_the_api():
    """Run `manage.py write_client` when this fails."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    assert client_source.write(schema) == PLACE.read_text(encoding="utf-8")
    names = {o["operationId"] for ops in schema["paths"].values() for o in ops.values()}
    assert len(names) > 80
    for name in names - {"import"}:
        assert callable(getattr(Client, name)), name


def test_it_needs_nothing_but_the_standard_library():
    script = "import sys, pedsite.client; print({'django', 'requests'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert told.stdout.strip() == "set()"


@pytest.fixture
def site(transactional_db, live_server, monkeypatch):
    """A client of a curator, and no waiting between attempts."""
    monkeypatch.setattr("pedsite.client.transport.PATIENCE", (0.0, 0.0))
    user = world.make_user("cora", role="curator")
    _key, secret = keys.issue(user, "test")
    client = Client(live_server.url, secret, timeout=20)
    client.user = user
    return client


@pytest.fixture
def square(site):
    dataset = world.make_dataset("square", visible_to=site.user)
    world.make_coloured_people(dataset, ["red", "blue"])
    enroll(dataset)
    return dataset


def test_words_pictures_and_batches_find_people_and_lists_come_whole(
    site, square, tmp_path, capsys, monkeypatch
):
    hits = site.search(text="red", limit=1)["hits"]
    assert hits[0]["image"] == "red.png"
    picture = tmp_path / "blue.png"
    with Image.objects.get(name="blue.png").file.open() as stored:
        picture.write_bytes(stored.read())
    alike = site.search(image=picture, datasets=["square"], limit=1)["hits"]
    assert alike[0]["image"] == "blue.png"
    answers = site.search_batch(queries=[{"text": "red"}, {"text": ""}])["answers"]
    assert [each["status"] for each in answers] == [200, 400]
    for number in range(3):
        world.make_dataset(f"more{number}", visible_to=site.user)
    assert len(list(site.every(site.datasets, limit=2))) == 4
    with pytest.raises(Problem) as refusal:
        site.box(10**9)
    assert (refusal.value.status, refusal.value.code) == (404, "unknown-box")
    assert __main__.main(["--url", site.url, "--key", "x", "search", "red"]) == 1
    arguments = ["--url", site.url, "--key", site._key]
    assert __main__.main([*arguments, "search", "red", "--top", "1"]) == 0
    assert "red.png" in capsys.readouterr().out
    (tmp_path / "asked.txt").write_text("red\n\nblue\n")
    assert __main__.main([*arguments, "batch", str(tmp_path / "asked.txt"), "--top", "1"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert __main__.main([*arguments, "call", "datasets", "limit=1"]) == 0
    assert len(json.loads(capsys.readouterr().out)["results"]) == 1


def test_an_upload_goes_on_where_the_line_broke(site, tmp_path, monkeypatch):
    monkeypatch.setattr("gallery.uploads.PIECE", 1000)
    monkeypatch.setattr("pedsite.client.client.time.sleep", lambda seconds: None)
    path = tmp_path / "pictures.zip"
    path.write_bytes(bytes(range(256)) * 10)
    whole, broken = site.upload_piece, []

    def breaks(*args, **kwargs):
        upload = whole(*args, **kwargs)
        if len(broken) < 2:
            broken.append(kwargs["upload_offset"])
            raise Unreachable("the line broke after the piece")
        return upload

    monkeypatch.setattr(site, "upload_piece", breaks)
    upload = site.upload_file(path)
    assert upload["is_whole"]
    assert broken == [0, 1000]
    assert Upload.objects.get().received == 2560


def test_a_job_is_waited_for_and_its_failure_raised(site):
    done = work.request("count", task="tests.count", params={}, user=site.user, queue=False)
    work.execute(done.pk, lambda at: False)
    assert site.wait(done.pk, poll=0)["state"] == "done"
    failed = work.request("count", task="tests.count", params={}, user=site.user, queue=False)
    with pytest.raises(TimeoutError):
        site.wait(failed.pk, poll=0, timeout=0)
    work.cancel(failed)
    with pytest.raises(JobFailed, match="cancelled"):
        site.wait(failed.pk, poll=0)


def test_what_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr("pedsite.client.transport.PATIENCE", (0.0,))
    with pytest.raises(Unreachable):
        Client("http://127.0.0.1:9", "x", 0.1).jobs()
    with pytest.raises(ValueError, match="no address"):
        Client("people.example", "x")
