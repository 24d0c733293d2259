"""Measures how wide a version's vector index has to be walked."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from search import engines, index, serving, tuning
from search.models import Mode, QueryKind
from training import versions


class Command(BaseCommand):
    help = (
        "Builds a version's vector index if it is missing, and compares walks of rising width "
        "with the exact scan."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", metavar="VERSION", help="default: what serves pictures")

    def handle(self, *, model: str | None, **options: Any) -> None:
        try:
            version = versions.get(model) if model else serving.current(QueryKind.PICTURE)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        try:
            engines.current().ensure(version.image_encoder)
            found = tuning.measure(version.image_encoder)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if found is None:
            raise CommandError(
                f"{version} has no index: every search among up to {index.threshold()} vectors "
                "is exact."
            )
        self.stdout.write("ef\trecall@20\tms")
        for point in found.curve:
            self.stdout.write(f"{point['ef']}\t{point['recall']:.4f}\t{point['ms']:.2f}")
        self.stdout.write(f"exact\t1.0000\t{found.exact_ms:.2f}")
        self.stdout.write(
            f"{found.rows} vectors, {found.questions} questions: fast walks "
            f"{found.ef(Mode.FAST)} wide, thorough {found.ef(Mode.THOROUGH)}; up to "
            f"{tuning.exact_rows(version.image_encoder)} vectors are compared all."
        )
