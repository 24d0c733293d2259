import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from pedsite.demo import Demo


class Command(BaseCommand):
    help = "Starts everything with a drawn gallery and stays until Ctrl-C."
    # They import the whole site, which the steps below do anyway, and run with `migrate`.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))

    def handle(self, *, port: int, **options: Any) -> None:
        try:
            Demo(port, self.stdout._out).run()
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
