import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from search import drawn_card, strangers
from training import versions
from training.ml.runtime import Bundle, TowerError


class Command(BaseCommand):
    help = (
        "Measures on drawn people whether evidence, clause order and confidence hold, or how far "
        "confidence does in a dataset of yours."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument(
            "--dataset", help="enrolled; how often its strangers pass for each other, without names"
        )
        parser.add_argument(
            "--crops", type=int, default=drawn_card.CROPS, help="drawn in all (%(default)s)"
        )
        parser.add_argument(
            "--queries", type=int, default=drawn_card.QUERIES, help="a language (%(default)s)"
        )
        parser.add_argument("--work", type=Path, help="keep what is drawn in this folder")

    def handle(
        self,
        *,
        version_name: str,
        dataset: str | None,
        crops: int,
        queries: int,
        work: Path | None,
        **options: Any,
    ) -> None:
        try:
            version = versions.get(version_name)
            if dataset is not None:
                found = strangers.measure(version, datasets.get(dataset), queries)
                self.stdout.write(strangers.card(found))
                return
            with tempfile.TemporaryDirectory(prefix="pedsite-measure-") as folder:
                versions.export(version, Path(folder) / "model")
                bundle = Bundle.read(Path(folder) / "model")
                numbers = drawn_card.measure(
                    bundle,
                    work or Path(folder),
                    crops=crops,
                    queries=queries,
                    tell=lambda text: self.stderr.write(f"{text} ..."),
                )
        except (DomainError, TowerError, ValueError) as exc:
            raise CommandError(str(exc)) from exc
        self.stdout.write(drawn_card.card(numbers))
