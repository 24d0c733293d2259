from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from training import teachers


class Command(BaseCommand):
    help = "Writes a teacher as one .bin of embeddings, saved by torch, for each picture."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="TEACHER")
        parser.add_argument("folder", metavar="FOLDER", type=Path)

    def handle(self, *, name: str, folder: Path, **options: Any) -> None:
        # Loads torch, which the files are written with.
        from training import teacher_exchange

        try:
            report = teacher_exchange.give(teachers.get(name), folder)
        except (DomainError, OSError) as exc:
            raise CommandError(str(exc)) from exc
        for item, reason in report.refused:
            self.stderr.write(f"{item}: {reason}")
        self.stdout.write(f"{folder}\t{report.written} written\t{report.without} without")
