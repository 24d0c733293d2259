"""What an owner may do with webhooks: make, test, change the secret, turn on, delete."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from pedsite.webhooks import outbox, reach, signing
from pedsite.webhooks.errors import (
    TooManyWebhooks,
    UnknownDelivery,
    UnknownWebhook,
    WebhookIsOff,
    WebhooksOff,
)
from pedsite.webhooks.models import ASKED, Delivery, Event, Webhook

if TYPE_CHECKING:
    from pedsite.accounts.models import User

MOST = 20


def make(user: "User", url: str, events: Sequence[str] = ()) -> tuple[Webhook, str]:
    """A webhook and its secret, which is not shown a second time.

    Args:
        events: of `ASKED`; all of them if none is named.

    Raises:
        WebhooksOff: PEDSITE_WEBHOOK_ALLOW names nothing.
        BadAddress, TooManyWebhooks
    """
    if not settings.PEDSITE_WEBHOOK_ALLOW:
        raise WebhooksOff
    reach.parse(url)
    if user.webhooks.count() >= MOST:
        raise TooManyWebhooks(MOST)
    salt = signing.new_salt()
    secret = signing.secret_of(salt)
    wanted = [each.value for each in ASKED if not events or each in events]
    webhook = Webhook.objects.create(
        owner=user, url=url, events=wanted, salt=salt, digest=signing.digest(secret)
    )
    return webhook, secret


def find(user: "User", pk: int) -> Webhook:
    """A user's own webhook. Raises: UnknownWebhook."""
    webhook = user.webhooks.filter(pk=pk).first()
    if webhook is None:
        raise UnknownWebhook
    return webhook


def rotate(webhook: Webhook) -> str:
    """Another secret, shown once. For a day messages carry a signature of the former one too."""
    known = len(signing.secrets_in_force(webhook)) > 0
    former, salt = webhook.salt, signing.new_salt()
    secret = signing.secret_of(salt)
    webhook.former_salt = former if known else ""
    webhook.salt, webhook.digest = salt, signing.digest(secret)
    webhook.rotated_at = timezone.now()
    webhook.save(update_fields=["former_salt", "salt", "digest", "rotated_at"])
    return secret


def ping(webhook: Webhook) -> Delivery:
    """Queue a test message. Raises: WebhookIsOff."""
    if not webhook.is_on:
        raise WebhookIsOff
    return outbox.put(webhook, Event.PING, f"ping:{uuid.uuid4()}", {"webhook": webhook.pk})


@transaction.atomic
def turn_on(webhook: Webhook) -> None:
    """Try again from now on; what waited meanwhile is sent."""
    Webhook.objects.filter(pk=webhook.pk).update(
        off_at=None, off_reason="", failures=0, resting_until=None
    )
    waiting = webhook.deliveries.filter(state=Delivery.State.WAITING)
    waiting.update(due_at=timezone.now(), attempts=0)
    transaction.on_commit(outbox.send_sweep)
    webhook.refresh_from_db()


def redeliver(webhook: Webhook, delivery_id: uuid.UUID) -> Delivery:
    """Send a message again, under the id that it had.

    Raises: UnknownDelivery; WebhookIsOff.
    """
    if not webhook.is_on:
        raise WebhookIsOff
    found = webhook.deliveries.filter(pk=delivery_id)
    again = found.update(
        state=Delivery.State.WAITING, due_at=timezone.now(), attempts=0, delivered_at=None
    )
    if not again:
        raise UnknownDelivery
    outbox.send(delivery_id)
    return found.get()
