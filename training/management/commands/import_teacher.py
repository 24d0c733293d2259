from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError


class Command(BaseCommand):
    help = (
        "Makes a teacher of embeddings that were computed elsewhere: a folder with one .bin, "
        "saved by torch, for each picture of a dataset, under the path that its source gave it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="FOLDER", type=Path)
        parser.add_argument("--dataset", required=True, help="its name")
        parser.add_argument("--name", required=True, help="of the teacher")
        parser.add_argument("--model", default="", help="what computed them, for the record")
        parser.add_argument("--licence", default="", help="of the model")

    def handle(self, *, folder: Path, dataset: str, name: str, **options: Any) -> None:
        # Loads torch, which the files are read with.
        from training import teacher_exchange

        try:
            teacher, report = teacher_exchange.take(
                folder,
                datasets.get(dataset),
                name,
                model=options["model"],
                licence=options["licence"],
            )
        except (DomainError, OSError) as exc:
            raise CommandError(str(exc)) from exc
        for item, reason in report.refused:
            self.stderr.write(f"{item}: {reason}")
        words = f"{teacher.image_count} pictures\t{teacher.text_count} texts"
        self.stdout.write(f"{teacher.name}\t{teacher.dim}\t{words}\t{report.without} without")
