from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from training import teachers


class Command(BaseCommand):
    help = (
        "Computes a foreign image-text model's vectors of a dataset's pictures and captions, to "
        "learn from. Interrupted, the same command goes on where it was."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "model", metavar="MODEL", help="a folder that transformers saved, or an id of the hub"
        )
        parser.add_argument("--dataset", required=True, help="its name")
        parser.add_argument("--split", choices=teachers.SPLITS[1:], default="", help="default all")
        parser.add_argument("--name", default="", help="of the teacher; default MODEL-DATASET")
        parser.add_argument("--revision", default="", help="of the hub; default the newest")
        parser.add_argument(
            "--trust-remote-code",
            action="store_true",
            help="run Python code that comes with the model; read it first",
        )
        parser.add_argument("--licence", default="", help="default what the model's card says")
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def handle(
        self, *, model: str, dataset: str, trust_remote_code: bool, queue: bool, **options: Any
    ) -> None:
        wanted = {key: options[key] for key in ("split", "name", "revision", "licence")}
        try:
            teacher = teachers.request(
                model, datasets.get(dataset), trusted=trust_remote_code, queue=queue, **wanted
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue and not teacher.is_ready:
            self.stdout.write(f"Job {teacher.job_id} queued: it will give teacher {teacher.name}")
            return
        if not teacher.is_ready:
            job = work.run_here(teacher.job, teachers.step, self.stderr)
            if job.state != Job.State.DONE:
                raise CommandError(job.error or f"Teacher {teacher.name} was {job.state}.")
            teacher = teachers.get(teacher.name)
        words = f"{teacher.image_count} pictures\t{teacher.text_count} texts"
        self.stdout.write(f"{teacher.name}\t{teacher.model}\t{teacher.dim}\t{words}")
