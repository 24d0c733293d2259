from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from search import generations
from search.scope import DEFAULT_KIND
from training import versions


class Command(BaseCommand):
    help = "Lets what answered before a version answer again, at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION", help="what answers now")
        parser.add_argument("--kind", default=DEFAULT_KIND, help="kind of dataset (person)")

    def handle(self, *, version_name: str, kind: str, **options: Any) -> None:
        try:
            for row in generations.roll_back(versions.get(version_name), None, kind):
                self.stdout.write(f"{row.version} answers {row.query_kind} queries again.")
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
