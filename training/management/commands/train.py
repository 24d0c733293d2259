import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from training import runs, trainer
from training.ml.recipes import RECIPES


class Command(BaseCommand):
    help = (
        "Trains a model on a dataset, or on people drawn for it, and registers it as a version. "
        "Ctrl-C keeps the last checkpoint: the same command goes on from there. Under "
        "torchrun --nproc_per_node=N the processes share each batch."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("recipe", help=f"how: {', '.join(RECIPES)}")
        parser.add_argument(
            "--dataset",
            required=True,
            help="its name, or drawn:SEED:COUNT for COUNT drawn people without rows",
        )
        parser.add_argument(
            "--snapshot",
            type=int,
            metavar="N",
            help="learn from the dataset as snapshot N has it, not as it is now",
        )
        parser.add_argument(
            "--set",
            # Not "settings": that is Django's own option.
            dest="pairs",
            action="extend",
            nargs="+",
            default=[],
            metavar="KEY=VALUE",
            help="settings that differ from the recipe's",
        )
        parser.add_argument("--name", default="", help="of the version; default RECIPE-JOB")
        parser.add_argument("--licence", default="", help="of the version")
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")
        parser.add_argument("--compile", action="store_true", help="the same as --set compile=true")

    def handle(
        self,
        *,
        recipe: str,
        dataset: str,
        snapshot: int | None,
        pairs: list[str],
        name: str,
        licence: str,
        queue: bool,
        compile: bool,
        **options: Any,
    ) -> None:
        if queue and "RANK" in os.environ:
            raise CommandError(
                "--queue leaves the training to a worker: start it without torchrun."
            )
        if int(os.environ.get("RANK", "0")) > 0:
            # torchrun started this command several times: the first asks for the run and tells
            # the others which it is.
            call_command("run_training")
            return
        if "RANK" in os.environ:
            # So torchrun ends us when another process failed. Let that be as Ctrl-C: the process
            # that trains is stopped too, and the job cancelled.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        try:
            run = runs.request(
                recipe,
                dataset,
                runs.parse_settings([*pairs, "compile=true"] if compile else pairs),
                name=name,
                licence=licence,
                queue=queue,
                snapshot=snapshot,
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"Job {run.job_id} queued: it will give version {run.version_name}")
            return
        job = work.run_here(run.job, trainer.step, self.stderr)
        if job.state != Job.State.DONE:
            raise CommandError(job.error or f"Training run {run.pk} was {job.state}.")
        self.stdout.write(f"Trained version {job.result['version']}")
        for metric, value in runs.get(run.pk).version.metrics["validation"].items():
            self.stdout.write(f"{metric}\t{value}")
