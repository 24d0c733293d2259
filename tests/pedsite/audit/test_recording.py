"""What is told to the log, and by whom."""

import csv
import io
import json

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from gallery.models import Dataset
from pedsite.accounts import keys
from pedsite.audit.models import Entry
from search import retrieval
from tests import world
from tests.search import rows
from tests.search.pages.asked import enroll

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_opened():
    cache.clear()


@pytest.fixture
def user():
    return world.make_user("vera", role="curator")


@pytest.fixture
def browser(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def street(user):
    dataset = world.make_dataset("street", visible_to=user)
    people = world.make_coloured_people(dataset, ["red", "blue"])
    rows.make_serving(version := world.make_version())
    rows.enroll(dataset, version)
    return people


def told(action: str) -> list[Entry]:
    return list(Entry.objects.filter(action=action).order_by("pk"))


def test_a_search_of_the_page_tells_who_asked_what_where_and_what_came(browser, user, street):
    asked = {"q": 'red +"hat"', "dataset": "street", "after": "2020-01-01", "identity": "unknown"}
    browser.get("/search/", asked, REMOTE_ADDR="192.0.2.7")
    (entry,) = told("search")
    assert (entry.username, entry.user_id, entry.via) == ("vera", user.pk, "page")
    assert entry.address == "192.0.2.7"
    assert entry.text == 'red +"hat"'
    assert entry.version == "tiny"
    assert entry.results == 0
    assert entry.detail["filters"] == {
        "datasets": ["street"],
        "after": "2020-01-01",
        "identity": "unknown",
    }


def test_a_search_by_a_box_and_one_of_a_program_are_told(client, user, street):
    key, secret = keys.issue(user, "report")
    client.post(
        "/api/v1/search",
        {"box": street["red"].pk, "text": "blue"},
        content_type="application/json",
        HTTP_AUTHORIZATION=f"Bearer {secret}",
    )
    (entry,) = told("search")
    assert (entry.via, entry.key, entry.results) == ("api", key.prefix, 1)
    assert entry.about == f"box {street['red'].pk}"
    assert entry.text == "blue"
    (use,) = told("key")
    assert (use.key, use.about) == (key.prefix, f"key {key.pk}")
    assert [entry.about for entry in told("change")] == [f"key {key.pk} issued"]


def test_a_picture_is_told_of_and_not_kept(street):
    page = retrieval.by_image(world.plain_crop("red"), user=None)
    (entry,) = told("search")
    assert (entry.about, entry.text, entry.via) == ("a picture", "", "command")
    assert entry.results == len(page.hits)
    assert entry.username.startswith("(")


def test_a_search_that_cannot_be_recorded_shows_nothing(street, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(Entry.objects, "create", fails)
    with pytest.raises(RuntimeError):
        retrieval.by_text("red", user=None)


def test_what_is_opened_is_told_once_a_minute(browser, street):
    box = street["red"]
    for path in (
        f"/boxes/{box.pk}/",
        f"/pictures/boxes/{box.pk}.jpg?h=640",
        f"/pictures/boxes/{box.pk}.jpg?h=160",
        f"/pictures/images/{box.image_id}.jpg?w=160",
        f"/api/v1/boxes/{box.pk}",
    ):
        assert browser.get(path).status_code == 200
    assert [entry.about for entry in told("open")] == [f"box {box.pk}"]
    browser.get(f"/pictures/images/{box.image_id}.jpg")
    assert told("open")[-1].about == f"image {box.image_id}"


def test_what_may_not_be_seen_is_not_opened(client, street):
    client.force_login(world.make_user("eve"))
    client.get(f"/boxes/{street['red'].pk}/")
    client.get(f"/pictures/images/{street['red'].image_id}.jpg")
    assert told("open") == []


def test_results_that_leave_are_told(browser, street):
    answer = browser.get("/search/export/csv/?q=red")
    assert answer.status_code == 200
    (entry,) = told("export")
    assert (entry.about, entry.text, entry.results) == ("search results, csv", "red", 2)
    assert set(entry.detail["boxes"]) == {box.pk for box in street.values()}


def test_a_change_that_tells_of_none_itself_is_told_by_its_route(browser, street):
    browser.post("/searches/save/", {"name": "mine", "query": "q=red"})
    (entry,) = told("change")
    assert (entry.username, entry.about) == ("vera", "POST search:save")
    browser.post(f"/searches/{99999}/delete/")
    assert len(told("change")) == 1
    browser.post(reverse("set_language"), {"language": "en"})
    assert len(told("change")) == 1


def test_a_change_in_the_administration_is_told(admin_client, street):
    dataset = Dataset.objects.get()
    url = reverse("admin:gallery_datasetgrant_add")
    user = world.make_user("late")
    answer = admin_client.post(url, {"dataset": dataset.pk, "user": user.pk})
    assert answer.status_code == 302
    entry = told("change")[-1]
    assert (entry.via, entry.about) == ("admin", "POST admin:gallery_datasetgrant_add")


def test_long_work_is_told_with_whoever_asked_for_it(street):
    enroll(world.make_dataset("other"))
    entry = told("job")[-1]
    assert entry.detail["kind"] == "enroll"
    assert entry.about.startswith("job ")


def test_logging_in_out_and_in_vain_is_told(client, user):
    client.post(reverse("login"), {"username": "vera", "password": "wrong"})
    client.post(reverse("login"), {"username": "vera", "password": "a-long-password"})
    client.post(reverse("logout"))
    assert [entry.about for entry in told("refused")] == ["login of vera"]
    assert [entry.username for entry in told("login")] == ["vera"]
    assert [entry.username for entry in told("logout")] == ["vera"]


@pytest.mark.parametrize(
    ("proxies", "said", "address"),
    [
        (0, "203.0.113.9", "192.0.2.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "10.1.1.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.4, 203.0.113.9", "198.51.100.4"),
        (2, "203.0.113.9", "192.0.2.7"),
        (1, "nonsense", None),
    ],
)
def test_the_address_is_the_one_that_our_own_proxies_saw(
    browser, user, settings, proxies, said, address
):
    settings.PEDSITE_PROXIES = proxies
    browser.post(reverse("logout"), REMOTE_ADDR="192.0.2.7", HTTP_X_FORWARDED_FOR=said)
    assert told("logout")[0].address == address


# Looking things up


@pytest.fixture
def admin_user_client():
    client = Client()
    client.force_login(world.make_user("ada", role="admin"))
    return client


PLACES = ["/audit/", "/audit/{}/", "/audit/export.csv", "/audit/export.json"]
API = ["/api/v1/audit", "/api/v1/audit/{}", "/api/v1/audit/chain"]


@pytest.mark.parametrize("role", ["viewer", "reviewer", "curator", "operator"])
@pytest.mark.parametrize("path", PLACES + API)
def test_only_administrators_look_at_the_log(client, role, path):
    client.force_login(world.make_user(role=role))
    assert client.get(path.format(Entry.objects.latest("pk").pk)).status_code == 403


@pytest.mark.parametrize("path", PLACES)
def test_the_log_needs_a_login(client, path):
    assert client.get(path.format(1)).status_code == 302


def test_the_page_looks_things_up(admin_user_client, browser, street):
    browser.get("/search/", {"q": "red"})
    browser.get("/search/", {"q": "blue <script>"})

    def shown(**asked):
        return [entry.text for entry in admin_user_client.get("/audit/", asked).context["entries"]]

    assert shown(action="search") == ["blue <script>", "red"]
    assert shown(who="vera", words="RED") == ["red"]
    assert shown(who="ada", words="red") == []
    assert shown(action="search", before="2020-01-01") == []
    assert shown(words="\0") == []
    page = admin_user_client.get("/audit/").content.decode()
    assert "blue &lt;script&gt;" in page
    assert admin_user_client.get("/audit/", {"after": "x"}).status_code == 400
    assert admin_user_client.get("/audit/999999999/").status_code == 404


def test_pages_of_the_log_go_on_where_the_last_ended(admin_user_client, monkeypatch, street):
    monkeypatch.setattr("pedsite.audit.views.SIZE", 2)
    for text in ("red", "blue", "red hat"):
        retrieval.by_text(text, user=None)
    first = admin_user_client.get("/audit/", {"action": "search"})
    assert [entry.text for entry in first.context["entries"]] == ["red hat", "blue"]
    rest = admin_user_client.get("/audit/", {"action": "search", "until": first.context["older"]})
    assert [entry.text for entry in rest.context["entries"]] == ["red"]
    assert rest.context["older"] is None


def test_programs_look_things_up(admin_user_client, browser, street):
    browser.get("/search/", {"q": "red"})
    found = admin_user_client.get("/api/v1/audit", {"action": "search"}).json()["results"]
    assert [entry["text"] for entry in found] == ["red"]
    one = admin_user_client.get(f"/api/v1/audit/{found[0]['id']}").json()
    assert one["username"] == "vera"
    told = admin_user_client.get("/api/v1/audit/chain").json()
    assert told["waiting"] == 0
    assert told["head"].count(":") == 1
    assert admin_user_client.get("/api/v1/audit", {"action": "x"}).status_code == 400


def test_files_hold_what_the_page_shows_and_are_told_of(admin_user_client, tmp_path, street):
    retrieval.by_text("=red", user=None)
    path = "/audit/export.{}?action=search"
    table = b"".join(admin_user_client.get(path.format("csv")).streaming_content)
    (row,) = csv.DictReader(io.StringIO(table.decode("utf-8-sig")))
    assert row["text"] == "'=red"
    assert len(row["hash"]) == 64
    objects = json.loads(b"".join(admin_user_client.get(path.format("json")).streaming_content))
    assert [one["text"] for one in objects] == ["=red"]
    assert [entry.about for entry in told("export")] == ["audit log, csv", "audit log, json"]
    assert admin_user_client.get("/audit/export.exe").status_code == 404
    call_command("export_audit", tmp_path / "log.json", "--action", "search")
    assert json.loads((tmp_path / "log.json").read_text())[0]["hash"] == row["hash"]


def test_the_administration_shows_the_log_and_changes_nothing(admin_client):
    entry = Entry.objects.latest("pk")
    url = reverse("admin:audit_entry_change", args=[entry.pk])
    assert admin_client.get(reverse("admin:audit_entry_changelist")).status_code == 200
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"text": "x"}).status_code == 403
    assert admin_client.get(reverse("admin:audit_entry_add")).status_code == 403
    assert (
        admin_client.post(reverse("admin:audit_entry_delete", args=[entry.pk])).status_code == 403
    )
