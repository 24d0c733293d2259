"""Celery entry points of webhooks."""

from celery import shared_task

from pedsite.webhooks import outbox


@shared_task(name=outbox.DELIVER, acks_late=True)
def deliver(delivery_id: str) -> None:
    outbox.deliver(delivery_id)


@shared_task(name=outbox.SWEEP)
def sweep() -> None:
    outbox.sweep()
