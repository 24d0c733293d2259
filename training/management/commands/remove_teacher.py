from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from training import teachers


class Command(BaseCommand):
    help = "Removes a teacher: its vectors, and the evaluations of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="TEACHER")

    def handle(self, *, name: str, **options: Any) -> None:
        try:
            teachers.remove(teachers.get(name))
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
