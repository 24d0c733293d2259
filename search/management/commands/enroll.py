import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import enrollment
from training import versions

SHOWN_FAILURES = 20


class Command(BaseCommand):
    help = "Gives every box of a dataset its vector, so that it can be found."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True, help="name of the dataset")
        parser.add_argument(
            "--model", help="name of a model version; default: those that serve, or the newest"
        )
        parser.add_argument(
            "--queue", action="store_true", help="let the workers do it, and print the job's number"
        )

    def handle(self, *, dataset: str, model: str | None, queue: bool, **options: Any) -> None:
        began = time.monotonic()
        try:
            job = enrollment.request(
                datasets.get(dataset), versions.get(model) if model else None, queue=queue
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"Job {job.pk} is queued.")
            return
        job = work.run_here(job, enrollment.step, self.stderr)
        for failure in job.failures.all()[:SHOWN_FAILURES]:
            self.stderr.write(str(failure))
        if job.state != Job.State.DONE:
            raise CommandError(job.error or f"Job {job.pk} is {job.state}.")
        new, seconds = job.done - job.skipped, time.monotonic() - began
        names = ", ".join(job.params["version_names"])
        self.stdout.write(
            f"{dataset}: {new} new vectors of {names} in {seconds:.1f} s, "
            f"{job.skipped} there before, {job.failed} failed."
        )
