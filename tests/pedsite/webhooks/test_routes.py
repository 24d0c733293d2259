"""The pages and the API of webhooks."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from pedsite.accounts import keys
from pedsite.webhooks import hooks
from pedsite.webhooks.models import Delivery, Webhook
from tests.world import make_user

pytestmark = pytest.mark.django_db
URL = "https://hooks.example/pedsite"


@pytest.fixture(autouse=True)
def _public(settings, queue):
    settings.PEDSITE_WEBHOOK_ALLOW = ["public"]


@pytest.fixture
def owner():
    return make_user("vera")


@pytest.fixture
def page(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def program(owner):
    _key, secret = keys.issue(owner, "test")
    return Client(headers={"authorization": f"Bearer {secret}"})


def post(client, path, body=None):
    return client.post(f"/api/v1/webhooks{path}", body or {}, content_type="application/json")


def test_a_program_makes_tests_rotates_and_deletes_one(program):
    made = post(program, "", {"url": URL, "events": ["job.finished"]})
    assert made.status_code == 201
    secret, pk = made.json()["secret"], made.json()["id"]
    assert secret.startswith("whsec_")
    shown = program.get(f"/api/v1/webhooks/{pk}").json()
    assert (shown["url"], shown["events"], shown["is_on"]) == (URL, ["job.finished"], True)
    assert "secret" not in shown
    sent = post(program, f"/{pk}/ping")
    assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
    listed = program.get(f"/api/v1/webhooks/{pk}/deliveries").json()["results"]
    assert [each["event"] for each in listed] == ["ping"]
    assert program.get(f"/api/v1/webhooks/{pk}/deliveries?state=failed").json()["results"] == []
    assert post(program, f"/{pk}/secret").json()["secret"] != secret
    Delivery.objects.update(state="failed", attempts=8)
    again = post(program, f"/{pk}/deliveries/{sent.json()['id']}/again")
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (
        202,
        "waiting",
        0,
    )
    assert post(program, f"/{pk}/deliveries/{uuid.uuid4()}/again").status_code == 404
    assert program.delete(f"/api/v1/webhooks/{pk}").status_code == 204
    assert program.get("/api/v1/webhooks").json()["results"] == []


def test_one_that_is_off_refuses_tests_until_it_is_turned_on(program, owner):
    webhook, _secret = hooks.make(owner, URL)
    Webhook.objects.update(off_reason="It answers 500.", off_at=webhook.created_at, failures=8)
    refused = post(program, f"/{webhook.pk}/ping")
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook-is-off")
    assert program.get(f"/api/v1/webhooks/{webhook.pk}").json()["off_reason"] == "It answers 500."
    assert post(program, f"/{webhook.pk}/on").json()["is_on"]
    assert post(program, f"/{webhook.pk}/ping").status_code == 202


def test_another_users_webhook_is_not_there(program):
    theirs, _secret = hooks.make(make_user("otto"), URL)
    sent = hooks.ping(theirs)
    paths = ["", "/secret", "/ping", "/on", f"/deliveries/{sent.pk}/again"]
    for path in paths[1:]:
        assert post(program, f"/{theirs.pk}{path}").status_code == 404, path
    for path in ("", "/deliveries"):
        assert program.get(f"/api/v1/webhooks/{theirs.pk}{path}").status_code == 404, path
    assert program.delete(f"/api/v1/webhooks/{theirs.pk}").status_code == 404
    assert program.get("/api/v1/webhooks").json()["results"] == []
    own, _secret = hooks.make(make_user("xi"), URL)
    other = hooks.ping(own)
    assert Webhook.objects.filter(pk=theirs.pk).exists()
    assert post(program, f"/{own.pk}/deliveries/{other.pk}/again").status_code == 404


def test_a_message_of_another_webhook_is_not_sent_through_ones_own(program, owner):
    own, _secret = hooks.make(owner, URL)
    theirs, _secret = hooks.make(make_user("otto"), URL)
    sent = hooks.ping(theirs)
    assert post(program, f"/{own.pk}/deliveries/{sent.pk}/again").status_code == 404


def test_an_inner_address_is_refused_in_words(program):
    refused = post(program, "", {"url": "http://169.254.169.254/latest/"})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad-address")
    assert "169.254.169.254" in refused.json()["detail"]


def test_nothing_is_made_where_the_site_sends_nothing(program, page, settings):
    settings.PEDSITE_WEBHOOK_ALLOW = []
    refused = post(program, "", {"url": URL})
    assert (refused.status_code, refused.json()["code"]) == (403, "webhooks-off")
    text = page.get(reverse("webhooks:list")).content.decode()
    assert "PEDSITE_WEBHOOK_ALLOW" in text
    assert "Make a webhook" not in text


def test_nobody_has_more_than_twenty(program, owner):
    for _ in range(hooks.MOST):
        hooks.make(owner, URL)
    assert post(program, "", {"url": URL}).json()["code"] == "too-many-webhooks"


def test_the_page_makes_one_and_shows_its_secret_once(page):
    events = ["job.finished"]
    answer = page.post(reverse("webhooks:list"), {"url": URL, "events": events})
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert secret not in page.get(reverse("webhooks:list")).content.decode()
    webhook = Webhook.objects.get()
    shown = page.get(reverse("webhooks:detail", args=[webhook.pk])).content.decode()
    assert URL in shown
    assert secret not in shown
    rotated = page.post(reverse("webhooks:rotate", args=[webhook.pk]))
    assert rotated.context["secret"] not in ("", secret)
    bad = page.post(reverse("webhooks:list"), {"url": "http://[::1]/", "events": events})
    assert "no address that webhooks" in bad.content.decode()


def test_the_page_tells_of_one_that_is_off_and_turns_it_on(page, owner):
    webhook, _secret = hooks.make(owner, URL)
    Webhook.objects.update(off_reason="It answers <b>500.", off_at=webhook.created_at)
    shown = page.get(reverse("webhooks:detail", args=[webhook.pk])).content.decode()
    assert "It answers &lt;b&gt;500." in shown
    assert "Turned off" in page.get(reverse("webhooks:list")).content.decode()
    page.post(reverse("webhooks:on", args=[webhook.pk]))
    assert Webhook.objects.get().is_on
    page.post(reverse("webhooks:ping", args=[webhook.pk]))
    sent = Delivery.objects.get()
    Delivery.objects.update(state="delivered")
    page.post(reverse("webhooks:again", args=[webhook.pk, sent.pk]))
    assert Delivery.objects.get().state == "waiting"
    page.post(reverse("webhooks:delete", args=[webhook.pk]))
    assert not Webhook.objects.exists()


def test_pages_of_others_webhooks_are_not_there(page):
    theirs, _secret = hooks.make(make_user("otto"), URL)
    sent = hooks.ping(theirs)
    assert page.get(reverse("webhooks:detail", args=[theirs.pk])).status_code == 404
    for name in ("rotate", "ping", "on", "delete"):
        assert page.post(reverse(f"webhooks:{name}", args=[theirs.pk])).status_code == 404, name
    again = reverse("webhooks:again", args=[theirs.pk, sent.pk])
    assert page.post(again).status_code == 404


def test_a_stranger_is_asked_to_log_in():
    assert Client().get("/api/v1/webhooks").status_code == 401
    assert Client().get(reverse("webhooks:list")).status_code == 302


def test_the_admin_shows_no_salt(admin_client, owner):
    webhook, _secret = hooks.make(owner, URL)
    hooks.ping(webhook)
    for name, args in (
        ("webhooks_webhook_changelist", []),
        ("webhooks_webhook_change", [webhook.pk]),
        ("webhooks_delivery_changelist", []),
        ("webhooks_delivery_change", [Delivery.objects.get().pk]),
    ):
        answer = admin_client.get(reverse(f"admin:{name}", args=args))
        assert answer.status_code == 200
        assert webhook.salt not in answer.content.decode()
