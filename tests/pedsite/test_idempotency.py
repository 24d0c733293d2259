"""A request that is sent again is done once."""

import threading
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from gallery import uploads
from gallery.models import Upload
from pedsite.accounts import keys
from pedsite.audit.models import Entry
from pedsite.idempotency import answers
from pedsite.idempotency.models import KeptAnswer
from pedsite.webhooks.models import Webhook
from tests.world import make_user

BODY = {"name": "gate.mp4", "size": 1000}


@pytest.fixture
def user(db):
    return make_user("cora", role="curator")


@pytest.fixture
def program(user):
    _key, secret = keys.issue(user, "test")
    return Client(headers={"authorization": f"Bearer {secret}"})


def begin(client, key="one", body=None, path="/api/v1/uploads"):
    headers = {} if key is None else {"idempotency-key": key}
    return client.post(path, body or BODY, content_type="application/json", headers=headers)


def test_the_same_request_is_done_once_and_answered_alike(program):
    first, second = begin(program), begin(program)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second["Content-Type"] == first["Content-Type"]
    assert (second["Idempotency-Replayed"], "Idempotency-Replayed" in first) == ("true", False)
    assert Upload.objects.count() == 1
    assert Entry.objects.filter(about="POST api:uploads").count() == 1
    assert begin(program, "two").json()["id"] != first.json()["id"]
    assert begin(program, None).status_code == 201
    assert Upload.objects.count() == 3


def test_a_key_with_another_body_or_address_is_a_422(program):
    begin(program)
    for body, path in (({**BODY, "size": 5}, "/api/v1/uploads"), (BODY, "/api/v1/uploads?x=1")):
        refused = begin(program, body=body, path=path)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-taken")
        assert refused["Content-Type"] == "application/problem+json"
    assert Upload.objects.count() == 1


def test_a_second_request_while_the_first_is_at_work_is_a_409(program, monkeypatch):
    heard = []
    whole = uploads.begin

    def slowly(*args):
        heard.append(begin(program))
        return whole(*args)

    monkeypatch.setattr(uploads, "begin", slowly)
    assert begin(program).status_code == 201
    assert (heard[0].status_code, heard[0].json()["code"]) == (409, "idempotency-at-work")
    assert heard[0]["Retry-After"] == "1"
    assert len(heard) == 1


def test_one_whose_process_died_may_be_sent_again_after_its_lease(program, user):
    first = begin(program)
    KeptAnswer.objects.update(status=None, body=None)
    assert begin(program).status_code == 409
    KeptAnswer.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert begin(program).json()["id"] != first.json()["id"]


def test_keys_of_users_are_their_own(program):
    begin(program)
    _key, secret = keys.issue(make_user("otto", role="curator"), "test")
    other = Client(headers={"authorization": f"Bearer {secret}"})
    assert "Idempotency-Replayed" not in begin(other)
    assert Upload.objects.count() == 2


def test_a_key_that_was_revoked_gets_no_answer_again(program, user):
    begin(program)
    keys.revoke(user.api_keys.get())
    assert begin(program).status_code == 401


def test_what_was_refused_may_be_mended_and_sent_with_the_same_key(program):
    assert begin(program, body={"name": "x", "size": 0}).status_code == 400
    assert not KeptAnswer.objects.exists()
    assert begin(program).status_code == 201


def test_after_a_day_a_key_is_free_again(program):
    begin(program)
    KeptAnswer.objects.update(created_at=timezone.now() - answers.KEPT - timedelta(seconds=1))
    assert "Idempotency-Replayed" not in begin(program)
    KeptAnswer.objects.update(created_at=timezone.now() - answers.KEPT - timedelta(seconds=1))
    assert answers.expire() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(program, key):
    assert begin(program, key).json()["code"] == "bad-idempotency-key"


def test_a_secret_is_not_kept(program, settings):
    settings.PEDSITE_WEBHOOK_ALLOW = ["public"]
    body = {"url": "https://hooks.example/"}
    secret = begin(program, body=body, path="/api/v1/webhooks").json()["secret"]
    again = begin(program, body=body, path="/api/v1/webhooks")
    assert (again.status_code, again.json()["code"]) == (409, "idempotency-answer-not-kept")
    assert Webhook.objects.count() == 1
    assert KeptAnswer.objects.get().body is None
    assert secret not in again.content.decode()


def test_every_operation_that_shows_a_secret_says_so(db):
    """Read from the description: an answer to a POST with a field `secret`."""
    schema = Client().get(reverse("api-schema"), headers={"accept": "application/json"}).json()
    parts = schema["components"]["schemas"]
    views = {
        "/" + str(pattern.pattern): pattern.callback.cls
        for resolver in get_resolver().url_patterns
        if str(resolver.pattern) == "api/v1/"
        for pattern in resolver.url_patterns
    }
    shown = 0
    for path, operations in schema["paths"].items():
        for code, answer in operations.get("post", {}).get("responses", {}).items():
            content = answer.get("content", {}).get("application/json", {})
            name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
            if code.startswith("2") and "secret" in parts.get(name, {}).get("properties", {}):
                (view,) = [v for p, v in views.items() if _plain(p) == _plain(path[7:])]
                assert view.shows_secret, path
                shown += 1
    assert shown >= 3


def _plain(path: str) -> list[str]:
    return ["*" if part[:1] in "<{" else part for part in path.split("/")]


def test_sessions_and_pictures_work_too_and_searches_are_asked_again(client, user, program):
    client.force_login(user)
    assert begin(client).status_code == 201
    assert begin(client)["Idempotency-Replayed"]
    picture = SimpleUploadedFile("a.jpg", b"not a picture", "image/jpeg")
    asked = program.post(
        "/api/v1/search", {"image": picture}, headers={"idempotency-key": "search"}
    )
    assert asked.status_code == 422
    assert KeptAnswer.objects.count() == 1


def test_forms_with_files_are_told_apart_by_what_is_in_them(rf):
    def fingerprint(content):
        file = SimpleUploadedFile("a.jpg", content)
        request = rf.post("/api/v1/x", {"name": "a", "file": file})
        assert request.FILES["file"].read() == content
        request.FILES["file"].seek(0)
        return answers.fingerprint_of(request)

    assert fingerprint(b"one") == fingerprint(b"one")
    assert fingerprint(b"one") != fingerprint(b"two")


@pytest.mark.django_db(transaction=True)
def test_many_at_the_same_time_do_it_once():
    _key, secret = keys.issue(make_user("cora", role="curator"), "test")
    told: list[int] = []

    def send():
        client = Client(headers={"authorization": f"Bearer {secret}"})
        told.append(begin(client).status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert Upload.objects.count() == 1
    assert set(told) <= {201, 409}
