"""The pages and the API of generations."""

import pytest

from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import comparisons, generations, serving
from search.models import Comparison
from tests import world
from tests.search import rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset():
    dataset = world.make_dataset("street")
    world.make_coloured_people(dataset)
    return dataset


@pytest.fixture
def old(dataset):
    version = world.make_version("before")
    rows.enroll(dataset, version)
    return version


@pytest.fixture
def new(dataset, old):
    version = world.make_version("candidate", seed=1)
    rows.enroll(dataset, version)
    return version


@pytest.fixture
def operator(client):
    client.force_login(world.make_user(role="admin"))
    return client


def read(client, url: str) -> str:
    page = client.get(url, follow=True)
    assert page.status_code == 200, url
    return page.content.decode()


def test_the_list_tells_who_serves_and_what_is_covered(operator, new):
    page = read(operator, "/generations/")
    assert "candidate" in page
    assert "6 of 6" in page
    assert "serves" in page
    assert 'aria-current="page"' in page


def test_a_version_is_enrolled_switched_and_rolled_back_from_its_page(operator, dataset, old):
    new = world.make_version("candidate", seed=1)
    url = "/generations/candidate/"
    assert "Enroll 6" in read(operator, url)
    assert (
        "1 enrollments are queued." in operator.post(f"{url}enroll/", follow=True).content.decode()
    )
    rows.enroll(dataset, new)
    for job in generations.of(new).work:
        work.cancel(job)
    page = read(operator, url)
    assert "golden inputs give the vectors of the export" in page
    assert "Type candidate to switch nevertheless" in page
    said = operator.post(f"{url}switch/", {"confirm": "wrong"}, follow=True).content.decode()
    assert "was not confirmed" in said
    assert serving.current("text") == old
    said = operator.post(f"{url}switch/", {"confirm": "candidate"}, follow=True).content.decode()
    assert "answers from now on" in said
    assert serving.current("text") == new
    assert "Before it, before answered" in read(operator, url)
    assert "answers again" in operator.post(f"{url}roll-back/", follow=True).content.decode()
    assert serving.current("text") == old


def test_vectors_are_deleted_after_the_name_was_typed(operator, new):
    url = "/generations/candidate/"
    assert "Type candidate to confirm" in read(operator, url)
    said = operator.post(f"{url}delete/", {"confirm": ""}, follow=True).content.decode()
    assert "Type the name" in said
    assert not generations.of(new).work
    operator.post(f"{url}delete/", {"confirm": "candidate"})
    assert generations.of(new).state == "deleting"
    said = operator.post("/generations/before/delete/", {"confirm": "before"}, follow=True)
    assert "answer searches" in said.content.decode()


def test_a_comparison_is_asked_for_and_read(operator, old, new):
    reply = operator.post(
        "/generations/candidate/compare/", {"old": "before", "texts": "red\r\nblue\r\n"}
    )
    made = Comparison.objects.get()
    assert reply.url == made.get_absolute_url()
    assert "still being made" in read(operator, reply.url)
    work.execute(made.job_id, comparisons.step)
    page = read(operator, reply.url)
    assert "2 questions asked of both" in page
    assert "0.60" in page
    said = operator.post("/generations/candidate/compare/", {"old": "candidate"}, follow=True)
    assert "two different versions" in said.content.decode()
    answer = operator.get(f"/api/v1/comparisons/{made.pk}").json()
    assert (answer["old"], answer["new"], answer["state"]) == ("before", "candidate", "done")
    assert answer["overlap"] == 0.6
    assert len(answer["changes"]) == 2


def test_nobody_else_sees_the_pages(client, old):
    urls = ["/generations/", "/generations/before/"]
    for url in urls:
        assert client.get(url).status_code == 302
    client.force_login(world.make_user())
    for url in urls:
        assert client.get(url).status_code == 403
    assert client.post("/generations/before/enroll/").status_code == 403
    assert client.get("/api/v1/generations").status_code == 403
    assert client.post("/api/v1/generations/before/enroll").status_code == 403
    assert "/generations/" not in client.get("/models/").content.decode()


def test_an_unknown_version_is_not_found(operator):
    assert operator.get("/generations/nobody/").status_code == 404
    assert operator.get("/api/v1/generations/nobody/gate").status_code == 404


def test_the_api_does_what_the_page_does(operator, dataset, old):
    new = world.make_version("candidate", seed=1)
    url = "/api/v1/generations"
    first, second = operator.get(url).json()
    assert (first["version"], first["state"], first["serves"]) == (
        "before", "serving", ["picture", "text"],
    )  # fmt: skip
    assert (second["version"], second["enrolled"], second["waiting"]) == ("candidate", 0, 6)
    assert second["index"] is None
    queued = operator.post(f"{url}/candidate/enroll")
    assert queued.status_code == 202
    rows.enroll(dataset, new)
    work.cancel(Job.objects.get(pk=queued.json()["jobs"][0]))
    checks = {
        check["title"]: check["result"] for check in operator.get(f"{url}/candidate/gate").json()
    }
    assert checks["Self-test"] == checks["Coverage"] == "passed"
    refused = operator.post(f"{url}/candidate/switch")
    assert (refused.status_code, refused.json()["code"]) == (409, "unconfirmed")
    done = operator.post(
        f"{url}/candidate/switch", {"confirmed": True}, content_type="application/json"
    )
    assert {row["version"] for row in done.json()} == {"candidate"}
    back = operator.post(f"{url}/candidate/roll-back")
    assert {row["version"] for row in back.json()} == {"before"}
    deleted = operator.post(f"{url}/candidate/delete")
    assert deleted.status_code == 202
    assert operator.post(f"{url}/before/delete").json()["code"] == "still-serves"
