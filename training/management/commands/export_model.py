from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from training import versions


class Command(BaseCommand):
    help = (
        "Writes a version's ONNX towers, character table, golden inputs and model.json into a "
        "folder, after their hashes and self-tests passed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument("outdir", type=Path, metavar="OUTDIR")

    def handle(self, *, version_name: str, outdir: Path, **options: Any) -> None:
        try:
            versions.export(versions.get(version_name), outdir)
        except (DomainError, OSError) as exc:
            raise CommandError(str(exc)) from exc
        for path in sorted(outdir.iterdir()):
            self.stdout.write(f"{path}\t{path.stat().st_size}")
