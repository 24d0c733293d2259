"""Gives boxes the vectors that files of other systems hold."""

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

SHOWN = 20


class Command(BaseCommand):
    help = "Imports vectors of a registered version for boxes that are there; others are refused."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", help=f"one of {', '.join(FEATURE_FORMATS)}")
        parser.add_argument("path", help="file or folder")
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument(
            "--model",
            required=True,
            metavar="VERSION",
            help="whose vectors they are; some are computed anew and compared",
        )
        parser.add_argument("--dry-run", action="store_true", help="check all, write nothing")
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers")

    def handle(self, *, format: str, path: str, dataset: str, model: str, **options: Any):
        try:
            wanted = format, path, datasets.get(dataset), versions.get(model)
            if options["dry_run"]:
                report = features.dry_run(*wanted)
                self.stdout.write(
                    f"Nothing was written. {report.good} vectors fit a box, "
                    f"{report.refused} are refused."
                )
                self._list(report.refusals, report.refused)
                return
            job = features.request_import(*wanted, queue=options["queue"])
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if options["queue"]:
            self.stdout.write(f"Job {job.pk} is queued.")
            return
        job = work.run_here(job, features.Importer(), self.stderr)
        if job.state == Job.State.FAILED:
            raise CommandError(job.error)
        self.stdout.write(f"{job.done} vectors taken in, {job.failed} refused.")
        self._list(list(job.failures.values_list("item", "reason")[:SHOWN]), job.failed)
        if job.state != Job.State.DONE:
            raise CommandError(f"The job is {job.state}; the same command goes on from here.")

    def _list(self, told: list[tuple[str, str]], count: int) -> None:
        for item, reason in told:
            self.stdout.write(f"  {item}: {reason}")
        if count > len(told):
            self.stdout.write(f"  … and {count - len(told)} more")
