"""Celery entry points: each takes a job's id and hands the job its step."""

from celery import shared_task

from gallery import detection, exports, imports, ingest, quality, sources, undo, uploads
from pedsite.jobs import work


@shared_task(name=ingest.TASK)
def import_dataset(job_id: int) -> None:
    work.execute(job_id, ingest.Importer())


@shared_task(name=imports.TASK)
def check_import(job_id: int) -> None:
    # No budget: another process would have to read it all again.
    work.execute(job_id, imports.Checker(), budget_s=None)


@shared_task(name=undo.TASK)
def undo_import(job_id: int) -> None:
    work.execute(job_id, undo.step)


@shared_task(name="gallery.expire_uploads")
def expire_uploads() -> None:
    uploads.expire()
    sources.prune()


@shared_task(name=detection.TASK)
def detect_people(job_id: int) -> None:
    work.execute(job_id, detection.step)


@shared_task(name=quality.TASK)
def measure_boxes(job_id: int) -> None:
    work.execute(job_id, quality.step)


@shared_task(name=exports.TASK)
def export_dataset(job_id: int) -> None:
    exporter = exports.Exporter()
    try:
        # No budget: what is half written could not be gone on with by another process.
        work.execute(job_id, exporter, budget_s=None)
    finally:
        exporter.close()
