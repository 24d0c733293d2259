from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from pedsite import backup


class Command(BaseCommand):
    help = "Puts a backup back; stop web and worker processes first."
    # What they look at may be what is to be put back.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="that `backup` wrote")
        parser.add_argument(
            "--replace", action="store_true", help="also over a site, which is gone then"
        )

    def handle(self, *, file: Path, replace: bool, **options: Any) -> None:
        total = file.stat().st_size if file.exists() else None
        with tqdm(
            desc="restore", total=total, unit="B", unit_scale=True, file=self.stderr, disable=None
        ) as bar:
            try:
                found = backup.restore(file, replace=replace, watch=bar.update)
            except (backup.BackupError, DatabaseError, OSError) as exc:
                raise CommandError(str(exc)) from exc
        self.stdout.write(
            f"The site of {found.made_at[:19].replace('T', ' ')} is back, with "
            f"{len(found.files):,} files. `manage.py doctor` looks whether all is well."
        )
