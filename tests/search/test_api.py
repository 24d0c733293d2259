"""POST /api/v1/search as a program sees it."""

import datetime as dt
import io
import json
import struct
import zlib

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image as Picture

from pedsite.accounts import keys
from pedsite.jobs.models import Job
from search import answers, calibration
from tests import world
from tests.search import rows
from training.models import ModelVersion

pytestmark = pytest.mark.django_db


@pytest.fixture
def url():
    return reverse("api:search")


@pytest.fixture
def reader():
    return world.make_user()


@pytest.fixture
def people(reader):
    """Six people of one colour each, enrolled, seen by one camera on one day."""
    dataset = world.make_dataset("street", visible_to=reader)
    camera = world.make_camera(dataset, "north")
    noon = dt.datetime(2026, 3, 14, 12, tzinfo=dt.UTC)
    boxes = world.make_coloured_people(dataset)
    dataset.images.update(camera=camera, taken_at=noon)
    rows.make_serving(version := world.make_version())
    rows.enroll(dataset, version)
    return boxes


@pytest.fixture
def ask(client, reader, people, url):
    client.force_login(reader)

    def ask(**data):
        return client.post(url, data, content_type="application/json")

    return ask


def png(pixels: np.ndarray, mode: str = "RGB", **options) -> bytes:
    out = io.BytesIO()
    Picture.fromarray(pixels).convert(mode).save(out, "PNG", **options)
    return out.getvalue()


def huge_png(side: int = 20_000) -> bytes:
    """A PNG of a few bytes that says it is side x side pixels large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_a_field_that_there_is_not_is_refused_rather_than_passed_over(ask):
    response = ask(text="red", dataset=["street"])
    assert response.status_code == 400
    assert "dataset" in json.dumps(response.json()["errors"])


def test_words_find_people(ask, people):
    answer = ask(text="red", limit=2).json()
    assert set(answer) == {
        "version", "measured_on", "mode", "exact", "searched", "waiting", "failed", "failures",
        "expected_false_hits", "next", "hits",
    }  # fmt: skip
    assert (answer["version"], answer["searched"], answer["waiting"]) == ("tiny", 6, 0)
    first = answer["hits"][0]
    box = people["red"]
    assert first == {
        "rank": 1,
        "score": pytest.approx(1, abs=0.05),
        "box": box.pk,
        "image": "red.png",
        "bbox": [0, 0, box.right, box.bottom],
        "dataset": "street",
        "camera": "north",
        "taken_at": "2026-03-14T12:00:00Z",
        "crop_url": f"http://testserver{reverse('gallery:crop', args=[box.pk])}",
        "frame_url": f"http://testserver{reverse('gallery:frame', args=[box.image_id])}",
        "phrases": [{"phrase": "red", "role": "weigh", "shown": pytest.approx(1, abs=0.05)}],
        "false_accept_rate": None,
        "confident": None,
    }


def test_the_next_page_follows(ask, people):
    seen, cursor = [], ""
    while cursor is not None:
        answer = ask(text="red", limit=4, cursor=cursor).json()
        seen += [hit["box"] for hit in answer["hits"]]
        cursor = answer["next"]
    assert sorted(seen) == sorted(box.pk for box in people.values())


def test_a_box_finds_its_like(ask, people):
    hits = ask(box=people["red"].pk).json()["hits"]
    assert len(hits) == 5
    assert people["red"].pk not in [hit["box"] for hit in hits]


def test_an_uploaded_picture_finds_its_like(client, reader, people, url):
    client.force_login(reader)
    file = SimpleUploadedFile("../../x.html", png(world.plain_crop("blue", 80, 40)))
    answer = client.post(url, {"image": file, "datasets": ["street"], "limit": 1})
    assert answer.json()["hits"][0]["box"] == people["blue"].pk


def test_filters_narrow(ask):
    for filters, count in (
        ({"datasets": ["street"]}, 6),
        ({"cameras": ["north"]}, 6),
        ({"after": "2026-03-14", "before": "2026-03-14"}, 6),
        ({"after": "2026-03-15"}, 0),
        ({"before": "2026-03-13"}, 0),
        ({"before": "2026-03-14T11:59:59Z"}, 0),
        ({"after": "2026-03-14T20:00:00+08:00"}, 6),
        ({"after": None, "before": ""}, 6),
    ):
        assert ask(text="red", **filters).json()["searched"] == count


BAD_QUESTIONS = [
    ({"text": ""}, 400, "blank-query", "empty"),
    ({"text": "  "}, 400, "blank-query", "empty"),
    ({"text": "x" * 501}, 400, "query-too-long", "501"),
    ({"text": "red", "datasets": ["nowhere"]}, 404, "unknown-dataset", "nowhere"),
    ({"text": "red", "cameras": ["nowhere"]}, 404, "unknown-camera", "nowhere"),
    ({"text": "red", "version": "nobody"}, 404, "unknown-version", "nobody"),
    ({"text": "red", "cursor": "made-up"}, 400, "stale-cursor", "another search"),
    ({"box": 10**15}, 404, "unknown-box", str(10**15)),
    ({"box": 2**63}, 400, "invalid", "box"),
    ({"box": "x"}, 400, "invalid", "box"),
    ({}, 400, "invalid", "at least one"),
    ({"text": "red", "limit": 0}, 400, "invalid", "limit"),
    ({"text": "red", "limit": 101}, 400, "invalid", "limit"),
    ({"text": "red", "after": "yesterday"}, 400, "invalid", "after"),
    ({"text": "red", "after": "2026-02-30"}, 400, "invalid", "after"),
    ({"text": "red", "after": 7}, 400, "invalid", "after"),
    ({"text": "red\0"}, 400, "invalid", "text"),
    ({"text": ["red"]}, 400, "invalid", "text"),
]


def test_a_bad_question_is_refused_in_words(ask):
    for data, status, code, word in BAD_QUESTIONS:
        answer = ask(**data)
        assert (answer.status_code, answer.json()["code"]) == (status, code), data
        assert answer["Content-Type"] == "application/problem+json"
        assert word in str(answer.json())


def test_a_bad_picture_is_refused_in_words(client, reader, people, url):
    client.force_login(reader)
    for data, word in (
        (b"", "empty"),
        (b"hello", "Not a picture"),
        (b"GIF89a<html><script>alert(1)</script>", ""),
        (png(np.zeros((50, 50, 3), np.uint8))[:60], ""),
        (huge_png(), "50 megapixels"),
    ):
        answer = client.post(url, {"image": SimpleUploadedFile("x.png", data)})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad-image"), data[:40]
        assert word in answer.json()["detail"]


def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    client, reader, people, url, settings
):
    settings.MAX_PICTURE_BYTES = 1000
    client.force_login(reader)
    answer = client.post(url, {"image": SimpleUploadedFile("x.png", b"x" * 1001)})
    assert (answer.status_code, answer.json()["code"]) == (413, "picture-too-large")


def test_pictures_of_every_mode_are_read(client, reader, people, url):
    client.force_login(reader)
    deep = io.BytesIO()
    Picture.fromarray(np.full((40, 20), 60_000, np.uint16)).save(deep, "PNG")
    modes = ("L", "LA", "P", "RGBA", "1")
    for data in (deep.getvalue(), *(png(world.plain_crop("white"), mode) for mode in modes)):
        answer = client.post(url, {"image": SimpleUploadedFile("x.png", data), "limit": 1})
        assert answer.json()["hits"][0]["box"] == people["white"].pk


def test_words_are_refused_where_only_an_image_tower_serves(client, reader, url):
    world.make_dataset("street", visible_to=reader)
    rows.make_serving(name="eyes", image_only=True)
    client.force_login(reader)
    named = client.post(url, {"text": "red", "version": "eyes"}, content_type="application/json")
    assert (named.status_code, named.json()["code"]) == (400, "image-only-version")
    served = client.post(url, {"text": "red"}, content_type="application/json")
    assert (served.status_code, served.json()["code"]) == (409, "nothing-serves")


def test_only_granted_datasets_answer(client, people, url):
    stranger = world.make_user()
    client.force_login(stranger)
    answer = client.post(url, {"text": "red"}, content_type="application/json").json()
    assert (answer["hits"], answer["searched"], answer["waiting"]) == ([], 0, 0)
    box = client.post(url, {"box": people["red"].pk}, content_type="application/json")
    assert box.status_code == 404


def test_a_key_opens_the_search_and_nobody_is_let_in_without(client, reader, people, url):
    assert client.post(url, {"text": "red"}, content_type="application/json").status_code in (
        401,
        403,
    )
    _key, secret = keys.issue(reader, "camera room")
    answer = client.post(
        url,
        {"text": "red"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.json()["hits"][0]["box"] == people["red"].pk


def test_the_schema_documents_the_search(client):
    schema = client.get(reverse("api-schema"), {"format": "json"}).json()
    operation = schema["paths"]["/api/v1/search"]["post"]
    assert set(operation["requestBody"]["content"]) == {"application/json", "multipart/form-data"}
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    assert any("红" in str(example) for example in examples.values())


def test_an_answer_tells_what_failed_and_an_operator_retries_it(ask, client, people):
    dataset = people["red"].image.dataset
    torn = world.make_box(
        world.make_image(dataset, world.plain_crop("red", 50, 20), name="torn.png")
    )
    with default_storage.open(torn.image.file.name, "wb") as file:
        file.write(b"no picture")
    rows.enroll(dataset, ModelVersion.objects.get())
    world.make_box(world.make_image(dataset))
    answer = ask(text="red").json()
    assert (answer["searched"], answer["waiting"], answer["failed"]) == (6, 1, 1)
    (failure,) = answer["failures"]
    assert (failure["boxes"], failure["examples"]) == (1, ["torn.png"])
    again = {"version": answer["version"], "datasets": ["street"]}
    url = reverse("api:search-retry")
    refused = client.post(url, again, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "may-not-enroll")
    client.force_login(world.make_user(role="admin"))
    accepted = client.post(url, again, content_type="application/json")
    assert accepted.status_code == 202
    (job,) = accepted.json()["jobs"]
    assert Job.objects.get(pk=job).params["dataset"] == dataset.pk


def test_an_image_words_and_a_box_are_asked_with_at_once(ask, client, people, url):
    picture = SimpleUploadedFile("green.png", png(world.plain_crop("green", 40, 20)))
    mixed = {"text": "red", "image": picture, "image_weight": "5"}
    answer = client.post(url, mixed).json()
    assert answer["hits"][0]["box"] == people["green"].pk
    answer = ask(text="red", box=people["blue"].pk, box_weight=0.2).json()
    boxes = [hit["box"] for hit in answer["hits"]]
    assert boxes[0] == people["red"].pk
    assert people["blue"].pk not in boxes


def test_tokens_and_fields_narrow_alike_and_bad_ones_are_named(ask, people):
    found = {"text": "red -blue", "hours": "11:00-13:00", "identity": "unknown"}
    assert ask(**found).json()["searched"] == len(people)
    assert ask(text="red time:11-13 identity:unknown").json()["searched"] == len(people)
    assert ask(text="red", hours="13:00-11:00").json()["searched"] == 0
    assert ask(text="red", captions=["hat"]).json()["searched"] == 0
    assert ask(text="red", review="approved").json()["searched"] == 0
    for wrong in ({"hours": "noon"}, {"identity": "bob"}, {"review": "hidden"}, {"far": 2}):
        refused = ask(text="red", **wrong)
        assert refused.status_code == 400
        assert set(wrong) <= set(refused.json()["errors"])
    assert ask(text="camra:3 red").json()["code"] == "unknown-token"
    assert ask(text="after:soon red").json()["code"] == "bad-token"


def test_hits_tell_what_they_show_of_each_phrase(ask, people):
    hit = ask(text="red, blue").json()["hits"][0]
    assert [(each["phrase"], each["role"]) for each in hit["phrases"]] == [
        ("red", "weigh"),
        ("blue", "weigh"),
    ]
    assert (hit["false_accept_rate"], hit["confident"]) == (None, None)


def test_a_calibrated_version_tells_rates(ask, people):
    scores = np.random.default_rng(0).normal(size=5000)
    measured = rows.measured(scores)
    calibration.store(ModelVersion.objects.get(), measured, "test")
    answer = ask(text="red", far=0.25).json()
    assert answer["expected_false_hits"] == pytest.approx(1.5)
    rates = [hit["false_accept_rate"] for hit in answer["hits"]]
    assert rates == sorted(rates)
    assert [hit["confident"] for hit in answer["hits"]] == [rate <= 0.25 for rate in rates]
    assert answer["hits"][0]["confident"]


def test_a_batch_gives_one_answer_each_and_goes_on_past_bad_ones(client, ask, people):
    queries = [
        {"text": "red", "limit": 1},
        {"text": " "},
        {"text": "blue", "limt": 1},
        "red",
        {"text": "camra:3"},
        {"box": people["red"].pk + 1000},
        {"text": "blue", "limit": 1},
    ]
    url = reverse("api:search-batch")
    response = client.post(url, {"queries": queries}, content_type="application/json")
    answers = response.json()["answers"]
    assert [each["status"] for each in answers] == [200, 400, 400, 400, 400, 404, 200]
    assert answers[0]["page"]["hits"][0]["box"] == people["red"].pk
    assert answers[-1]["page"]["hits"][0]["box"] == people["blue"].pk
    assert answers[1]["problem"]["code"] == "blank-query"
    assert "limt" in answers[2]["problem"]["errors"]
    assert answers[4]["problem"]["code"] == "unknown-token"
    for refused in ({}, {"queries": []}, {"queries": [{"text": "red"}] * 51}):
        assert client.post(url, refused, content_type="application/json").status_code == 400


def test_an_answer_has_the_fields_that_its_description_names(ask):
    page = ask(text="a person in a red coat").json()
    hit = page["hits"][0]
    assert list(page) == list(answers.SearchPage().fields)
    assert list(hit) == list(answers.Hit().fields)
    assert list(hit["phrases"][0]) == list(answers.PhraseEvidence().fields)
