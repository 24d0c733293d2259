from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import generations
from training import versions


class Command(BaseCommand):
    help = "Deletes the vectors and indexes of a version that answers nothing; the version stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers")

    def handle(self, *, version_name: str, queue: bool, **options: Any) -> None:
        try:
            job = generations.request_deletion(versions.get(version_name), queue=queue)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"Job {job.pk} is queued.")
            return
        job = work.run_here(job, generations.step, self.stderr)
        if job.state != Job.State.DONE:
            raise CommandError(job.error or f"Job {job.pk} is {job.state}.")
        self.stdout.write(f"{job.done} vectors of {version_name} deleted.")
