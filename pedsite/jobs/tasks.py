"""Celery entry points of the ground."""

from celery import shared_task

from pedsite.jobs import watch


@shared_task(name="jobs.watchdog")
def watchdog() -> None:
    watch.revive()
