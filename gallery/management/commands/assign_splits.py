"""Puts the people of a dataset who have no split into one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets, splits
from pedsite.api import DomainError


class Command(BaseCommand):
    help = "Shares people without a split out over train, validation and test, by person."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument("--train", type=float, default=70, help="its share, in any unit")
        parser.add_argument("--validation", type=float, default=10)
        parser.add_argument("--test", type=float, default=20)
        parser.add_argument("--seed", type=int, default=0, help="the same gives the same")

    def handle(self, *, dataset: str, seed: int, **options: Any) -> None:
        shares = {name: options[name] for name in splits.NAMES}
        try:
            done = splits.assign(datasets.get(dataset), shares, None, seed=seed)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        for name in splits.NAMES:
            self.stdout.write(f"{name}\t{done.people[name]}\t{done.new[name]} new")
