from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date

from pedsite.audit import chain, files
from pedsite.audit.journal import Action, record
from pedsite.audit.models import Entry


class Command(BaseCommand):
    help = "Writes the audit log, or what fits of it, to a new CSV or JSON file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="ends in .csv or .json")
        parser.add_argument("--who", default="", help="a user's name, or a key's prefix")
        parser.add_argument("--action", default="", choices=["", *Entry.Action.values])
        parser.add_argument("--words", default="")
        parser.add_argument("--purpose", default="")
        parser.add_argument("--after", metavar="DAY", help="2026-03-14, included")
        parser.add_argument("--before", metavar="DAY", help="2026-03-14, included")

    def handle(self, *, path: Path, after: str | None, before: str | None, **options: Any) -> None:
        form = path.suffix.removeprefix(".")
        if form not in files.FORMATS:
            raise CommandError(f"{path} has to end in .csv or .json.")
        texts = {name: options[name] for name in ("who", "action", "words", "purpose")}
        rows = Entry.objects.matching(**texts, after=_day(after), before=_day(before))
        chain.link()
        record(Action.EXPORT, user=None, about=f"audit log, {form}")
        try:
            with path.open("xb") as out:
                out.writelines(files.FORMATS[form][1](rows))
        except OSError as exc:
            raise CommandError(f"{path} cannot be written: {exc.strerror}.") from exc
        self.stdout.write(f"{rows.count()} entries in {path}")


def _day(text: str | None) -> Any:
    try:
        day = parse_date(text) if text else None
    except ValueError:
        day = None
    if text and day is None:
        raise CommandError(f"“{text}” is no day, such as 2026-03-14.")
    return day
