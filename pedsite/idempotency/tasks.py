"""Celery entry points of kept answers."""

from celery import shared_task

from pedsite.idempotency import answers


@shared_task(name="idempotency.expire")
def expire() -> None:
    answers.expire()
