"""The Celery application: tasks of every app, configuration from Django's settings."""

import os
from typing import Any

from celery import Celery, signals

from pedsite import leash

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pedsite.settings")

app = Celery("pedsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_process_init.connect
@signals.beat_embedded_init.connect
def _follow_worker(**kwargs: Any) -> None:
    # A worker that is killed leaves its children behind, with their database connections.
    leash.follow_parent()


@signals.worker_shutting_down.connect
def _stop_soon(**kwargs: Any) -> None:
    # Not at the top: this module is read before Django's models may be.
    from pedsite.jobs import work

    work.stop_soon()
