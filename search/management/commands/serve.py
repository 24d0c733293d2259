from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from search import generations
from search.errors import Unconfirmed
from search.models import QueryKind
from search.scope import DEFAULT_KIND
from training import versions


class Command(BaseCommand):
    help = "Lets a model version answer searches from now on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument(
            "--for",
            dest="query_kind",
            choices=QueryKind.values,
            help="kind of query; default: all that the version can answer",
        )
        parser.add_argument(
            "--yes", action="store_true", help="although a check of the gate does not pass"
        )
        parser.add_argument("--kind", default=DEFAULT_KIND, help="kind of dataset (person)")

    def handle(
        self, *, version_name: str, query_kind: str | None, kind: str, yes: bool, **options: Any
    ) -> None:
        try:
            version = versions.get(version_name)
            wanted = [query_kind] if query_kind else []
            for row in generations.switch(version, None, kind, query_kinds=wanted, confirmed=yes):
                self.stdout.write(f"{version} answers {row.query_kind} queries about “{kind}”.")
        except Unconfirmed as exc:
            raise CommandError(f"{exc} (--yes switches nevertheless.)") from exc
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
