"""Messages arrive once or say why not; a dead address is left alone, and its owner told."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.test import override_settings
from django.utils import timezone

from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.jobs.models import Job
from pedsite.webhooks import hooks, outbox, signing
from pedsite.webhooks.models import Delivery, Event, Webhook
from tests.world import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return make_user("vera")


@pytest.fixture
def made(owner, receiver, queue):
    return hooks.make(owner, receiver.url)


def deliver_due(times: int = 1) -> None:
    """What workers do after the longest wait, so many times."""
    for _ in range(times):
        past = timezone.now() - timedelta(seconds=1)
        Webhook.objects.exclude(resting_until=None).update(resting_until=past)
        Delivery.objects.filter(state="waiting").update(due_at=past)
        for delivery in Delivery.objects.filter(state="waiting"):
            outbox.deliver(str(delivery.pk))


def finish_job(user: User | None, step=lambda at: False) -> Job:
    job = work.request("import", task="gallery.import_dataset", params={}, user=user, queue=False)
    return work.execute(job.pk, step)


def test_a_finished_job_is_told_signed_as_the_recipe_says(
    made, owner, receiver, queue, django_capture_on_commit_callbacks
):
    _webhook, secret = made
    with django_capture_on_commit_callbacks(execute=True):
        job = finish_job(owner)
    outbox.deliver(queue[0])
    headers, body = receiver.heard[0]
    # The recipe, as the README has it.
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == wanted
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
    told = json.loads(body)
    assert told["id"] == headers["webhook-id"] == queue[0]
    assert told["type"] == "job.finished"
    assert told["data"] == {
        "job": job.pk,
        "kind": "import",
        "state": "done",
        "total": None,
        "done": 0,
        "failed": 0,
        "url": f"/api/v1/jobs/{job.pk}",
    }


def test_every_way_a_job_ends_is_told_once(made, owner, queue):
    def fails(at):
        raise ValueError("no")

    finish_job(owner, fails)
    waiting = work.request("import", task="gallery.import_dataset", params={}, user=owner)
    work.cancel(waiting)
    finish_job(owner)
    states = [each.data["state"] for each in Delivery.objects.order_by("created_at")]
    assert states == ["failed", "cancelled", "done"]


def test_others_jobs_are_told_to_operators_only(made, owner, queue):
    finish_job(make_user("otto"))
    assert not Delivery.objects.exists()
    User.objects.filter(pk=owner.pk).update(role=User.Role.OPERATOR)
    finish_job(None)
    assert Delivery.objects.count() == 1


def test_whoever_may_not_log_in_hears_nothing(made, owner, receiver, queue):
    finish_job(owner)
    User.objects.update(is_active=False)
    outbox.deliver(str(Delivery.objects.get().pk))
    finish_job(owner)
    assert receiver.heard == []
    assert Delivery.objects.count() == 1


def test_a_message_that_two_workers_take_is_sent_once(made, owner, receiver, queue):
    finish_job(owner)
    delivery = Delivery.objects.get()
    # The second worker comes while the first waits for the answer.
    receiver.before = lambda handler: None
    assert outbox.claim(delivery.pk, "first")
    outbox.deliver(str(delivery.pk))
    assert receiver.heard == []
    Delivery.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    outbox.deliver(str(delivery.pk))
    outbox.deliver(str(delivery.pk))
    assert len(receiver.heard) == 1


def test_a_failed_message_comes_again_under_its_id_after_a_longer_and_longer_wait(
    made, owner, receiver, queue
):
    receiver.status = 500
    finish_job(owner)
    for _ in range(3):
        deliver_due()
    receiver.status = 200
    deliver_due()
    assert {headers["webhook-id"] for headers, _ in receiver.heard} == {
        str(Delivery.objects.get().pk)
    }
    assert len(receiver.heard) == 4
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.status) == ("delivered", 4, 200)
    waits = [outbox.wait_after(n).total_seconds() for n in (1, 2, 3, 7, 50)]
    assert waits == [30, 120, 480, 28800, 28800]
    assert Webhook.objects.get().failures == 0


def test_a_failed_webhook_rests_and_is_then_tried_with_one_message(made, owner, receiver, queue):
    receiver.status = 503
    for _ in range(3):
        finish_job(owner)
    first, second, third = Delivery.objects.order_by("created_at")
    outbox.deliver(str(first.pk))
    outbox.deliver(str(second.pk))
    assert len(receiver.heard) == 1
    assert outbox.sweep() == 0
    Webhook.objects.update(resting_until=timezone.now())
    queue.clear()
    assert outbox.sweep() == 1
    assert queue[0] in (str(second.pk), str(third.pk))


def test_a_dead_webhook_is_turned_off_says_so_and_keeps_what_waits(made, owner, receiver, queue):
    receiver.status = 500
    finish_job(owner)
    deliver_due(outbox.MOST_ATTEMPTS)
    webhook = Webhook.objects.get()
    assert not webhook.is_on
    assert webhook.off_reason == "It answers 500."
    deliver_due()
    assert len(receiver.heard) == outbox.MOST_ATTEMPTS
    receiver.status = 200
    hooks.turn_on(webhook)
    outbox.deliver(str(Delivery.objects.get().pk))
    assert Delivery.objects.get().state == "delivered"


def test_a_message_that_fails_while_others_arrive_is_given_up(made, owner, receiver, queue):
    finish_job(owner)
    Delivery.objects.update(attempts=outbox.MOST_ATTEMPTS - 1)
    receiver.status = 422
    deliver_due()
    assert Delivery.objects.get().state == "failed"
    assert Webhook.objects.get().is_on


def test_an_address_that_says_it_is_gone_is_turned_off_at_once(made, owner, receiver, queue):
    receiver.status = 410
    finish_job(owner)
    deliver_due()
    assert not Webhook.objects.get().is_on


def test_for_a_day_after_a_change_messages_are_signed_with_both_secrets(made, queue):
    webhook, old = made
    new = hooks.rotate(webhook)
    assert signing.secrets_in_force(webhook) == [new, old]
    webhook.rotated_at -= timedelta(days=1)
    assert signing.secrets_in_force(webhook) == [new]


def test_no_secret_is_stored_and_another_site_key_turns_off_instead_of_signing_wrongly(
    made, owner, receiver, queue, settings
):
    webhook, secret = made
    row = Webhook.objects.values().get()
    assert not any(secret.removeprefix("whsec_")[:20] in str(value) for value in row.values())
    former = settings.SECRET_KEY
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[former]):
        assert signing.secrets_in_force(webhook) == [secret]
    finish_job(owner)
    with override_settings(SECRET_KEY="another"):
        deliver_due()
    assert receiver.heard == []
    assert "SECRET_KEY" in Webhook.objects.get().off_reason


def test_the_same_is_told_once(made, queue):
    webhook, _secret = made
    first = outbox.put(webhook, Event.PING, "ping:1", {})
    assert outbox.put(webhook, Event.PING, "ping:1", {}) == first
    assert Delivery.objects.count() == 1


def test_old_messages_are_forgotten(made, queue):
    webhook, _secret = made
    hooks.ping(webhook)
    Delivery.objects.update(created_at=timezone.now() - outbox.KEPT - timedelta(days=1))
    outbox.sweep()
    assert not Delivery.objects.exists()
