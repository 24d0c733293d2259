"""Writes the vectors of a dataset's boxes to files that other systems read."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from gallery.formats.features import FEATURE_FORMATS
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import features
from training import versions


class Command(BaseCommand):
    help = (
        "Exports the vectors of enrolled boxes to a new folder, which appears when it is complete."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", help=f"one of {', '.join(FEATURE_FORMATS)}")
        parser.add_argument("path", help="the folder to make")
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument("--model", required=True, metavar="VERSION", help="whose vectors")
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers")

    def handle(self, *, format: str, path: str, dataset: str, model: str, **options: Any):
        try:
            job = features.request_export(
                format, path, datasets.get(dataset), versions.get(model), queue=options["queue"]
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if options["queue"]:
            self.stdout.write(f"Job {job.pk} is queued.")
            return
        exporter = features.Exporter()
        try:
            job = work.run_here(job, exporter, self.stderr)
        finally:
            exporter.close()
        if job.state != Job.State.DONE:
            raise CommandError(job.error or f"The job is {job.state}; nothing was written.")
        self.stdout.write(f"{job.done} vectors written to {job.params['path']}.")
