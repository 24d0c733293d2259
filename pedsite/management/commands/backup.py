from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from pedsite import backup


class Command(BaseCommand):
    help = "Stores the database and all pictures and models in one file, while the site runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="to write, such as site-2026-03-14.tar")
        parser.add_argument(
            "--without-media",
            action="store_true",
            help="the database alone, where the bucket keeps versions of its own",
        )

    def handle(self, *, file: Path, without_media: bool, **options: Any) -> None:
        with tqdm(desc="backup", unit="B", unit_scale=True, file=self.stderr, disable=None) as bar:
            if not without_media:
                bar.total = backup.size()
            try:
                made = backup.write(file, with_media=not without_media, watch=bar.update)
            except (backup.BackupError, OSError) as exc:
                raise CommandError(str(exc)) from exc
        self.stdout.write(
            f"{file}: {file.stat().st_size:,} bytes, the database and {len(made.files):,} files. "
            f"It holds hashes of passwords and keys: keep it as safe as the site."
        )
