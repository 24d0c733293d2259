"""Finds the people in a dataset's pictures."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import detection
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job

SHOWN = 20


class Command(BaseCommand):
    help = "Finds the people in a dataset's pictures; running it again doubles nobody."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument(
            "--detector",
            default="",
            metavar="FILE",
            help="an ONNX file, a transformers folder, or hog (the default, unless configured)",
        )
        parser.add_argument("--threshold", type=float, help="least score of a find, 0 to 1")
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers")

    def handle(
        self, *, dataset: str, detector: str, threshold: float | None, queue: bool, **options: Any
    ) -> None:
        try:
            job = detection.request(dataset, detector, threshold, queue=queue)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"Job {job.pk} is queued.")
            return
        job = work.run_here(job, detection.step, self.stderr)
        if job.state == Job.State.FAILED:
            raise CommandError(job.error)
        self.stdout.write(
            f"{job.result.get('boxes', 0)} people found in {job.done} pictures; "
            f"{job.failed} pictures could not be read."
        )
        for item, reason in job.failures.values_list("item", "reason")[:SHOWN]:
            self.stdout.write(f"  {item}: {reason}")
        if job.state != Job.State.DONE:
            raise CommandError(f"The job is {job.state}; the same command goes on from here.")
