"""Celery entry points: each takes an id and calls one domain function."""

from celery import shared_task

from pedsite.jobs import work
from search import (
    calibration,
    compact,
    comparisons,
    enrollment,
    features,
    generations,
    inspections,
    watching,
)
from search.cases import exports
from search.drafting import drafts
from search.engines import mirror
from search.errors import EngineSilent
from search.forgetting import removal, retention
from search.snapshots import freezing


@shared_task(name=enrollment.TASK, acks_late=True)
def enroll(job_id: int) -> None:
    work.execute(job_id, enrollment.step)


@shared_task(name=calibration.TASK)
def calibrate(job_id: int) -> None:
    # No budget: it is one piece.
    work.execute(job_id, calibration.step, budget_s=None)


@shared_task(name=features.EXPORT_TASK)
def export_features(job_id: int) -> None:
    exporter = features.Exporter()
    try:
        # No budget: what is half written could not be gone on with by another process.
        work.execute(job_id, exporter, budget_s=None)
    finally:
        exporter.close()


@shared_task(name=features.IMPORT_TASK)
def import_features(job_id: int) -> None:
    work.execute(job_id, features.Importer())


@shared_task(name=generations.TASK)
def delete_generation(job_id: int) -> None:
    work.execute(job_id, generations.step)


@shared_task(name="search.mirror")
def follow_mirrors() -> None:
    try:
        mirror.follow_all()
    except EngineSilent:
        # It is logged, nothing is lost, and the next round comes in seconds.
        return


@shared_task(name=comparisons.TASK)
def compare(job_id: int) -> None:
    work.execute(job_id, comparisons.step)


@shared_task(name=compact.TASK)
def build_compact(job_id: int) -> None:
    # No budget: it is one piece.
    work.execute(job_id, compact.step, budget_s=None)


@shared_task(name=inspections.TASK)
def inspect(job_id: int) -> None:
    # No budget: it is one piece.
    work.execute(job_id, inspections.step, budget_s=None)


@shared_task(name=freezing.TASK)
def freeze(job_id: int) -> None:
    # No budget: it is one piece.
    work.execute(job_id, freezing.step, budget_s=None)


@shared_task(name=drafts.TASK)
def draft_captions(job_id: int) -> None:
    work.execute(job_id, drafts.step)


@shared_task(name=exports.TASK)
def export_case(job_id: int) -> None:
    # No budget: it is one piece.
    work.execute(job_id, exports.step, budget_s=None)


@shared_task(name=enrollment.TELL)
def tell_matches() -> None:
    watching.tell_all()


@shared_task(name=removal.TASK)
def remove(job_id: int) -> None:
    work.execute(job_id, removal.step)


@shared_task(name="search.retain")
def retain() -> None:
    retention.apply_all()
