"""Celery entry points of the log."""

from celery import shared_task

from pedsite.audit import chain


@shared_task(name="audit.link")
def link() -> None:
    chain.link()
