from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from search import enrollment, serving
from search.models import QueryKind
from training import versions


class Command(BaseCommand):
    help = "Prints a SHA-256 over a dataset's boxes and vectors, and how many there are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True, help="name of the dataset")
        parser.add_argument("--model", help="name of a model version; default: serves pictures")

    def handle(self, *, dataset: str, model: str | None, **options: Any) -> None:
        try:
            rows = datasets.get(dataset)
            version = (
                versions.get(model) if model else serving.current(QueryKind.PICTURE, rows.kind)
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        digest, count = enrollment.fingerprint(rows, version.image_encoder)
        self.stdout.write(f"{digest} {count}")
