from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from search import serving
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
        parser.add_argument("--kind", default=DEFAULT_KIND, help="kind of dataset (person)")

    def handle(
        self, *, version_name: str, query_kind: str | None, kind: str, **options: Any
    ) -> None:
        try:
            version = versions.get(version_name)
            for each in [query_kind] if query_kind else serving.kinds_of(version):
                serving.switch_to(version, each, dataset_kind=kind)
                self.stdout.write(f"{version} answers {each} queries about “{kind}”.")
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
