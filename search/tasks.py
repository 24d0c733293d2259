"""Celery entry points: each takes an id and calls one domain function."""

from celery import shared_task

from pedsite.jobs import work
from search import enrollment


@shared_task(name=enrollment.TASK, acks_late=True)
def enroll(job_id: int) -> None:
    work.execute(job_id, enrollment.step)
