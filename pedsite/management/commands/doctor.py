from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite import doctor
from pedsite.api import DomainError
from training import versions
from training.models import ModelVersion


class Command(BaseCommand):
    help = "Tries everything that searches depend on: services, self-tests, coverage, indexes."
    # They are part of what is found, and must not end it.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--model", action="append", default=[], metavar="VERSION", help="test this one too"
        )
        parser.add_argument("--all", action="store_true", help="test every version")

    def handle(self, *, model: list[str], **options: Any) -> None:
        try:
            named = [versions.get(name) for name in model]
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if options["all"]:
            named = list(ModelVersion.objects.all())
        errors = 0
        for finding in doctor.examine(named):
            self.stdout.write(f"{finding.state:<8} {finding.what}: {finding.detail}")
            errors += finding.state == doctor.State.ERROR
        if errors:
            raise CommandError(f"{errors} of these keep searches from being right.")
