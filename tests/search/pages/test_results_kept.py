"""Results put together by person, in order of time, as files, and searches that are kept."""

import csv
import datetime as dt
import io
import json
import zipfile

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.urls import reverse

from search import calibration, grouping, retrieval, saved
from search.errors import NameTaken, TooManySaved, UnknownSearch, Unsavable
from search.models import SavedSearch
from tests import world
from tests.search import rows
from tests.search.pages.asked import Page, text_of
from training.models import ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return world.make_user("ming")


@pytest.fixture
def browser(client, user):
    client.force_login(user)
    return client


@pytest.fixture
def street(user):
    """Two named people seen three and two times, and two boxes of nobody that are one picture."""
    dataset = world.make_dataset("street", visible_to=user)
    cameras = [world.make_camera(dataset, name) for name in ("north", "south")]
    boxes: dict[str, list] = {}
    sightings = [("anna", "red", 3), ("anna", "red", 1), ("anna", "red", 2), ("bo", "blue", 5)]
    sightings += [("bo", "blue", 4), ("", "green", 6), ("", "green", 0)]
    people = {name: world.make_identity(dataset, name) for name in ("anna", "bo")}
    for number, (name, colour, hour) in enumerate(sightings):
        taken = dt.datetime(2026, 3, 14, hour + 8, tzinfo=dt.UTC) if hour else None
        image = world.make_image(
            dataset,
            world.plain_crop(colour, 32 + number, 16),
            camera=cameras[number % 2],
            taken_at=taken,
            name=f"=cmd{number}.png",
        )
        boxes.setdefault(name, []).append(world.make_box(image, identity=people.get(name)))
    # A crowd of strangers, without which nothing is known of what is nearly equal.
    rng = np.random.default_rng(0)
    strangers = world.make_dataset("strangers")
    for _ in range(40):
        pixels = rng.integers(0, 256, (4, 2, 3)).repeat(8, axis=0).repeat(8, axis=1)
        world.make_box(world.make_image(strangers, pixels.astype(np.uint8)))
    rows.make_serving(version := world.make_version())
    rows.enroll(dataset, version)
    rows.enroll(strangers, version)
    return boxes


def ask(text: str = "red", **options) -> retrieval.Page:
    options = {"user": None, "filters": retrieval.Filters(datasets=["street"])} | options
    return retrieval.by_text(text, **options)


def encoder():
    return ModelVersion.objects.get().image_encoder


def test_hits_go_by_identity_and_by_being_nearly_equal(street):
    groups = grouping.by_person(ask().hits, encoder())
    found = {frozenset(hit.box.pk for hit in group.hits) for group in groups}
    assert found == {frozenset(box.pk for box in boxes) for boxes in street.values()}
    anna = groups[0]
    assert anna.best.rank == 1
    # Within a group by time, whatever the rank; those without a time last.
    assert [hit.box for hit in anna.hits] == [street["anna"][n] for n in (1, 2, 0)]
    assert anna.cameras == ["south", "north"]
    assert (anna.first.hour, anna.last.hour) == (9, 11)


def test_groups_go_by_their_best_or_by_when_they_were_seen(street):
    def names(order: str) -> list[str]:
        groups = grouping.by_person(ask().hits, encoder(), order)
        return [group.best.box.identity.key if group.best.box.identity else "" for group in groups]

    assert names("")[0] == "anna"
    assert names("oldest") == ["anna", "bo", ""]
    assert names("newest") == ["", "bo", "anna"]


def test_hits_by_time_keep_those_without_one_at_the_end(street):
    hits = ask().hits
    hours = [
        hit.box.image.taken_at.hour if hit.box.image.taken_at else None
        for hit in grouping.by_time(hits)
    ]
    assert hours == [9, 10, 11, 12, 13, 14, None]
    assert grouping.by_time(hits, newest_first=True)[0].box.image.taken_at.hour == 14


def test_the_page_groups_and_sorts_what_it_shows(browser, street):
    grouped = browser.get("/search/", {"q": "red", "group": "person"}).content.decode()
    assert grouped.count('class="group"') == 3
    assert "seen 3 times" in grouped
    assert "south → north" in grouped
    # Every box once, so that stepping from one to the next comes to an end.
    boxes = Page(grouped).boxes
    assert len(boxes) == len(set(boxes)) == 7
    oldest = Page(browser.get("/search/", {"q": "red", "sort": "oldest"}).content.decode()).boxes
    assert oldest[:3] == [street["anna"][n].pk for n in (1, 2, 0)]
    assert browser.get("/search/", {"q": "red", "sort": "best"}).status_code == 400


def test_the_order_of_a_page_does_not_change_which_hits_are_on_it(browser, street, monkeypatch):
    monkeypatch.setattr("search.views.PAGE_SIZE", 4)
    by_rank = Page(browser.get("/search/", {"q": "red"}).content.decode())
    by_time = Page(browser.get("/search/", {"q": "red", "sort": "newest"}).content.decode())
    assert set(by_rank.boxes) == set(by_time.boxes)
    following = [
        Page(browser.get("/search/" + page.all("a", rel="next")[0]["href"]).content.decode())
        for page in (by_rank, by_time)
    ]
    assert set(following[0].boxes) == set(following[1].boxes)
    assert not set(following[0].boxes) & set(by_rank.boxes)


# Files


def exported(browser, form: str, **query) -> bytes:
    response = browser.get(f"/search/export/{form}/", {"q": "red", **query})
    assert response.status_code == 200
    assert "attachment" in response["Content-Disposition"]
    return b"".join(response.streaming_content)


def test_a_table_holds_every_hit_and_no_formula(browser, street):
    text = exported(browser, "csv", sort="oldest").decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text)))
    assert [row["rank"] for row in found] == [str(rank) for rank in range(1, 8)]
    assert found[0]["identity"] == "anna"
    assert found[0]["phrases"].startswith("red ")
    assert all(row["image"].startswith("'=cmd") for row in found)


def test_an_object_says_what_was_asked_by_whom_of_what(browser, street):
    told = json.loads(exported(browser, "json", dataset="street"))
    assert (told["query"], told["asked_by"], told["version"]) == ("red", "ming", "tiny")
    assert told["address"] == "http://testserver/search/?q=red&dataset=street"
    assert (told["searched"], told["waiting"], told["failed"]) == (7, 0, 0)
    assert len(told["hits"]) == 7
    assert told["hits"][0]["image"].startswith("=cmd")


def test_an_archive_holds_the_crops_and_names_those_that_it_lacks(browser, street):
    lost = street["bo"][0]
    default_storage.delete(lost.image.file.name)
    with zipfile.ZipFile(io.BytesIO(exported(browser, "zip"))) as archive:
        names = archive.namelist()
        about = json.loads(archive.read("search.json"))
        crops = [name for name in names if name.startswith("crops/")]
        picture = world.Picture.open(io.BytesIO(archive.read(crops[0])))
    assert len(crops) == 6
    assert picture.format == "JPEG"
    (missing,) = about["missing_crops"]
    assert str(lost.pk) in missing
    assert "hits.csv" in names


def test_a_file_shows_only_what_its_reader_may_see(client, street):
    client.force_login(world.make_user())
    response = client.get("/search/export/json/", {"q": "red"})
    assert json.loads(b"".join(response.streaming_content))["hits"] == []
    assert client.get("/search/export/exe/", {"q": "red"}).status_code == 404
    assert client.get("/search/export/csv/", {"q": "camra:3"}).status_code == 400
    client.logout()
    assert client.get("/search/export/csv/", {"q": "red"}).status_code == 302


# Saved searches


def arrive(street, colour: str) -> world.Box:
    """One more box in the street, enrolled."""
    dataset = street["anna"][0].image.dataset
    box = world.make_box(world.make_image(dataset, world.plain_crop(colour, 70, 20)))
    rows.enroll(dataset, ModelVersion.objects.get())
    return box


def test_a_saved_search_tells_what_came_since(user, street):
    kept = saved.save(user, " red  ones ", "q=red&cursor=abc&sort=oldest&group=person")
    assert (kept.name, kept.query) == ("red ones", "q=red")
    assert (len(saved.news(kept).matches), saved.news(kept).new) == (7, [])
    box = arrive(street, "red")
    (new,) = saved.news(kept).new
    assert new.box == box
    saved.mark_seen(kept)
    assert saved.news(saved.find(user, kept.pk)).new == []


def test_only_confident_hits_are_matches_of_a_calibrated_version(user, street):
    scores = np.random.default_rng(0).normal(size=200_000) * 0.6
    measured = rows.measured(scores)
    calibration.store(ModelVersion.objects.get(), measured, "test")
    kept = saved.save(user, "red", "q=red&far=1")
    matches = {hit.box.pk for hit in saved.news(kept).matches}
    assert {box.pk for box in street["anna"]} <= matches
    assert len(matches) < 7
    arrive(street, "white")
    arrived = arrive(street, "red")
    assert arrived.pk in [hit.box.pk for hit in saved.news(kept).new]


def test_another_version_makes_only_younger_boxes_new(user, street):
    kept = saved.save(user, "red", "q=red")
    SavedSearch.objects.filter(pk=kept.pk).update(seen=[], seen_version="another")
    assert saved.news(saved.find(user, kept.pk)).new == []
    box = arrive(street, "blue")
    assert [hit.box for hit in saved.news(saved.find(user, kept.pk)).new] == [box]


def test_what_cannot_be_asked_again_is_not_saved(user, street, monkeypatch):
    for name, query in (
        ("", "q=red"),
        ("empty", ""),
        ("picture", "picture=abc&crop=1,2,3,4"),
        ("picture", "q=picture:abc"),
        ("broken", "q=red&after=soon"),
    ):
        with pytest.raises(Unsavable):
            saved.save(user, name, query)
    saved.save(user, "red", "q=red")
    with pytest.raises(NameTaken, match="red"):
        saved.save(user, "red", "q=blue")
    monkeypatch.setattr(saved, "MOST", 1)
    with pytest.raises(TooManySaved):
        saved.save(user, "blue", "q=blue")
    with pytest.raises(UnknownSearch):
        saved.find(world.make_user(), SavedSearch.objects.get().pk)


def test_saved_searches_have_a_page_of_their_own(browser, client, user, street):
    assert "No saved searches yet" in text_of(browser.get("/searches/"))
    browser.post("/searches/save/", {"name": "red", "query": "q=red"})
    kept = SavedSearch.objects.get()
    assert "7 matches now" in text_of(browser.get("/searches/"))
    arrive(street, "red")
    assert "1 new match" in text_of(browser.get("/searches/"))
    browser.post(f"/searches/{kept.pk}/seen/")
    assert "1 new match" not in text_of(browser.get("/searches/"))
    # A search that can no longer be asked says why, and does not break the page.
    SavedSearch.objects.update(query="q=red&dataset=gone")
    assert "gone" in text_of(browser.get("/searches/")) or "saved" in text_of(
        browser.get("/searches/")
    )
    client.force_login(world.make_user())
    assert client.post(f"/searches/{kept.pk}/delete/").status_code == 404
    client.force_login(user)
    client.post(f"/searches/{kept.pk}/delete/")
    assert not SavedSearch.objects.exists()


def test_programs_save_searches_too(client, user, street):
    client.force_login(user)
    url = reverse("api:saved-searches")
    made = client.post(url, {"name": "red", "query": "q=red"}, content_type="application/json")
    assert made.status_code == 201
    one = reverse("api:saved-search", args=[made.json()["id"]])
    box = arrive(street, "red")
    news = client.get(one).json()
    assert (news["name"], news["matches"], [hit["box"] for hit in news["new"]]) == (
        "red",
        8,
        [box.pk],
    )
    assert client.post(f"{one}/seen").status_code == 204
    assert client.get(one).json()["new"] == []
    assert [each["name"] for each in client.get(url).json()] == ["red"]
    taken = client.post(url, {"name": "red", "query": "q=red"}, content_type="application/json")
    assert (taken.status_code, taken.json()["code"]) == (409, "name-taken")
    assert client.delete(one).status_code == 204
    assert client.get(one).status_code == 404
