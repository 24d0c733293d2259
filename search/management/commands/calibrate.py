from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import calibration
from search.models import Calibration
from training import versions


class Command(BaseCommand):
    help = "Measures what a version's scores are worth: how often a wrong box scores as much."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument(
            "--dataset",
            default=calibration.DRAWN,
            metavar="NAME|drawn:SEED:COUNT",
            help="an enrolled dataset with known identities, or drawn people "
            f"({calibration.DRAWN}); what the version is used on",
        )
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def handle(self, *, version_name: str, dataset: str, queue: bool, **options: Any) -> None:
        try:
            version = versions.get(version_name)
            job = calibration.request(version, dataset, queue=queue)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"{job} is queued.")
            return
        job = work.run_here(job, calibration.step, self.stderr)
        if job.state != Job.State.DONE:
            raise CommandError(f"{job} {job.state}: {job.error}")
        for row in Calibration.objects.filter(version=version).order_by("-pk")[:2]:
            least = round(1 / row.rates[-1])
            self.stdout.write(
                f"{version}: {row.query_kind} queries calibrated on {row.pairs:,} pairs, "
                f"down to 1 false accept in {least:,}."
            )
