from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.audit import chain


class Command(BaseCommand):
    help = "Compares every entry of the audit log with its chain of hashes, and names the first "
    help += "that is not what was written. Prints the head of the chain, to be noted elsewhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            default="",
            metavar="NUMBER:HASH",
            help="a head that was noted earlier: refused unless it is still in the chain, so that "
            "nobody cut the end off",
        )

    def handle(self, *, head: str, **options: Any) -> None:
        verdict = chain.verify(head)
        if verdict.broken:
            raise CommandError(f"The audit log is broken: {verdict.broken}.")
        self.stdout.write(f"{verdict.linked} entries are as they were written.")
        if verdict.waiting:
            since = f"{verdict.oldest_waiting:%Y-%m-%d %H:%M:%S %Z}"
            self.stdout.write(f"{verdict.waiting} more wait for their links, since {since}.")
        self.stdout.write(f"head {verdict.head or '-'}")
