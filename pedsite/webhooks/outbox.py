"""Messages on their way: written with what they tell of, claimed by one worker, tried again.

At least once: a worker that dies between the answer and the note of it leaves its lease to expire,
and the message goes out again under the same id.
"""

import json
import logging
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from pedsite.webhooks import reach, signing
from pedsite.webhooks.errors import Unreachable
from pedsite.webhooks.models import Delivery, Event, Webhook

logger = logging.getLogger(__name__)

DELIVER, SWEEP = "webhooks.deliver", "webhooks.sweep"
# Longer than any attempt.
LEASE = timedelta(seconds=4 * reach.TOTAL_S)
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=8)
# 30 s, 2 min, 8 min, half an hour, two hours, eight, eight: a day. Then a webhook is turned off,
# and a message that fails while others arrive is given up.
MOST_ATTEMPTS = 8
# Of one webhook in one round; of one that failed last, a single one tries whether it is back.
AT_A_TIME = 20
KEPT = timedelta(days=30)
GONE = 410


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt: the HTTP status, if any came; why it did not arrive, if it did not;
    and whether no further attempt can be of use."""

    status: int | None = None
    problem: str = ""
    is_final: bool = False


def listeners(event: Event) -> QuerySet[Webhook]:
    """Webhooks that are on and ask for an event, of owners who may log in."""
    return Webhook.objects.filter(
        off_at=None, owner__is_active=True, events__contains=[event.value]
    ).select_related("owner")


def announce(event: Event, webhooks: Iterable[Webhook], key: str, data: dict[str, Any]) -> None:
    """Tell some webhooks, in the transaction of what happened.

    Args:
        webhooks: of `listeners(event)` those whose owner may know.
        key: names what happened; a second message with it is not written.
    """
    for webhook in webhooks:
        put(webhook, event, key, data)


@transaction.atomic
def put(webhook: Webhook, event: Event, key: str, data: dict[str, Any]) -> Delivery:
    """One message, or the one that told the same already; sent once the transaction commits."""
    delivery, is_new = Delivery.objects.get_or_create(
        webhook=webhook, key=key, defaults={"event": event, "data": data}
    )
    if is_new:
        transaction.on_commit(lambda: send(delivery.pk))
    return delivery


def send(delivery_id: uuid.UUID) -> None:
    """Ask a worker to deliver it; harmless when one does already."""
    current_app.send_task(DELIVER, args=[str(delivery_id)])


def send_sweep() -> None:
    current_app.send_task(SWEEP)


def sweep() -> int:
    """Send what is due again, and forget what is old. Returns: how many were sent."""
    now = timezone.now()
    Delivery.objects.filter(created_at__lt=now - KEPT).delete()
    due = Delivery.objects.filter(state=Delivery.State.WAITING, due_at__lte=now).filter(
        Q(lease_until=None) | Q(lease_until__lt=now)
    )
    sent = 0
    for webhook in Webhook.objects.filter(off_at=None, pk__in=due.values("webhook")):
        if webhook.is_resting:
            continue
        most = 1 if webhook.failures else AT_A_TIME
        for pk in (
            due.filter(webhook=webhook).order_by("due_at").values_list("pk", flat=True)[:most]
        ):
            send(pk)
            sent += 1
    return sent


def deliver(delivery_id: str) -> None:
    """One attempt; none if it is not due, another worker makes it, or its webhook is off."""
    found = Delivery.objects.select_related("webhook__owner").filter(pk=delivery_id).first()
    if found is None or not found.webhook.is_on or found.webhook.is_resting:
        return
    if not found.webhook.owner.is_active:
        return
    key = uuid.uuid4().hex
    began = timezone.now()
    if not claim(found.pk, key):
        return
    found.refresh_from_db(fields=["attempts"])
    outcome = _attempt(found)
    if outcome.problem:
        _failed(found, key, outcome, began)
    else:
        _arrived(found, key, outcome)


def claim(delivery_id: uuid.UUID, key: str) -> bool:
    """Takes the lease of a message that is due and nobody's; True if this caller has it now.

    Every condition is one of the row itself: PostgreSQL looks at these again when two ask at a
    time, and not at those of other tables.
    """
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    due = Delivery.objects.filter(free, pk=delivery_id, state="waiting", due_at__lte=now)
    return due.update(lease_key=key, lease_until=now + LEASE, attempts=F("attempts") + 1) == 1


def message(delivery: Delivery) -> bytes:
    """The body: id, type, when, and what. Ids and addresses below the site, never pictures."""
    told = {
        "id": str(delivery.pk),
        "type": delivery.event,
        "at": delivery.created_at.isoformat(),
        "data": delivery.data,
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def wait_after(failures: int) -> timedelta:
    """How long to wait after so many failures in a row, at least one."""
    return min(FIRST_WAIT * 4 ** (min(failures, 10) - 1), LONGEST_WAIT)


def _attempt(delivery: Delivery) -> Outcome:
    secrets = signing.secrets_in_force(delivery.webhook)
    if not secrets:
        lost = _("SECRET_KEY of this site was changed: make another secret.")
        return Outcome(problem=lost, is_final=True)
    body, stamp = message(delivery), int(timezone.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "pedsite-webhooks/1",
        "webhook-id": str(delivery.pk),
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(
            signing.sign(secret, str(delivery.pk), stamp, body) for secret in secrets
        ),
    }
    try:
        status = reach.post(delivery.webhook.url, body, headers)
    except Unreachable as exc:
        return Outcome(problem=str(exc))
    if 200 <= status < 300:
        return Outcome(status)
    if 300 <= status < 400:
        return Outcome(status, _("It redirects elsewhere, which is not followed."))
    return Outcome(status, _("It answers %(status)s.") % {"status": status}, status == GONE)


def _arrived(delivery: Delivery, key: str, outcome: Outcome) -> None:
    now = timezone.now()
    Delivery.objects.filter(pk=delivery.pk, lease_key=key).update(
        state=Delivery.State.DELIVERED,
        delivered_at=now,
        status=outcome.status,
        problem="",
        lease_key="",
        lease_until=None,
    )
    Webhook.objects.filter(pk=delivery.webhook_id).update(
        failures=0, resting_until=None, heard_at=now
    )


@transaction.atomic
def _failed(delivery: Delivery, key: str, outcome: Outcome, began: datetime) -> None:
    now = timezone.now()
    webhook = Webhook.objects.select_for_update().get(pk=delivery.webhook_id)
    # Attempts at the same time that fail together are one failure.
    if webhook.resting_until is None or webhook.resting_until <= began:
        webhook.failures += 1
        webhook.resting_until = now + wait_after(webhook.failures)
    if webhook.is_on and (outcome.is_final or webhook.failures >= MOST_ATTEMPTS):
        webhook.off_at, webhook.off_reason = now, outcome.problem[:300]
        logger.warning("webhook %s is turned off: %s", webhook.pk, outcome.problem)
    webhook.save(update_fields=["failures", "resting_until", "off_at", "off_reason"])
    # What waits for a webhook that is off is sent when it is on again.
    given_up = webhook.is_on and delivery.attempts >= MOST_ATTEMPTS
    Delivery.objects.filter(pk=delivery.pk, lease_key=key).update(
        state=Delivery.State.FAILED if given_up else Delivery.State.WAITING,
        due_at=now + wait_after(delivery.attempts),
        status=outcome.status,
        problem=outcome.problem[:300],
        lease_key="",
        lease_until=None,
    )
