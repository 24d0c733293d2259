"""The Celery application: tasks of every app, configuration from Django's settings."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pedsite.settings")

app = Celery("pedsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
