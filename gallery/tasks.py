"""Celery entry points: each takes a job's id and hands the job its step."""

from celery import shared_task

from gallery import detection, ingest
from pedsite.jobs import work


@shared_task(name=ingest.TASK)
def import_dataset(job_id: int) -> None:
    work.execute(job_id, ingest.Importer())


@shared_task(name=detection.TASK)
def detect_people(job_id: int) -> None:
    work.execute(job_id, detection.step)
