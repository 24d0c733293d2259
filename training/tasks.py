"""Celery entry points of training."""

from functools import partial

from celery import shared_task

from pedsite.jobs import work
from training import child, evaluations, teachers, trainer


@shared_task(name="training.train")
def train(job_id: int) -> None:
    work.execute(job_id, partial(trainer.step, turn_s=child.TURN_S))


@shared_task(name="training.evaluate")
def evaluate(job_id: int) -> None:
    work.execute(job_id, evaluations.step)


@shared_task(name="training.extract")
def extract(job_id: int) -> None:
    work.execute(job_id, partial(teachers.step, turn_s=child.TURN_S))
