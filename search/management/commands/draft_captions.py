"""Drafts captions of a dataset's people, for curators to approve."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search.drafting import drafts
from search.drafting.drafts import Wish
from search.drafting.reading import CERTAINTY
from training import versions
from training.drawn import LANGUAGES


class Command(BaseCommand):
    help = "Drafts captions for boxes that lack one, from typed attributes and what a model sees."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument(
            "--language",
            action="append",
            choices=LANGUAGES,
            help="one of the languages; default: each that a box lacks",
        )
        parser.add_argument("--model", help="a model version; default: the one that serves")
        parser.add_argument("--seed", type=int, default=0, help="another gives other wordings")
        parser.add_argument(
            "--certainty",
            type=float,
            default=CERTAINTY,
            help=f"say only what is so probable; default {CERTAINTY}",
        )
        parser.add_argument(
            "--again", action="store_true", help="write drafts that nobody looked at anew"
        )
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers")

    def handle(self, *, dataset: str, model: str | None, queue: bool, **options: Any) -> None:
        try:
            wish = Wish(
                languages=options["language"] or LANGUAGES,
                version=versions.get(model) if model else None,
                seed=options["seed"],
                certainty=options["certainty"],
                again=options["again"],
            )
            job = drafts.request(datasets.get(dataset), wish, queue=queue)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"Job {job.pk} is queued.")
            return
        job = work.run_here(job, drafts.step, self.stderr)
        if job.state == Job.State.FAILED:
            raise CommandError(job.error)
        found = job.result
        self.stdout.write(
            f"{found.get('drafted', 0)} captions drafted for {job.done} boxes; "
            f"too little is known of {found.get('silent', 0)} of them."
        )
        if unknown := found.get("unknown"):
            self.stdout.write(f"Attributes that were left out: {'; '.join(unknown)}")
        if job.state != Job.State.DONE:
            raise CommandError(f"The job is {job.state}; the same command goes on from here.")
