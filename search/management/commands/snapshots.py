"""Lists, freezes and compares the snapshots of a dataset."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets, snapshot_diffs, snapshots
from gallery.models import Dataset, Snapshot
from pedsite.api import DomainError
from search.snapshots import freezing


class Command(BaseCommand):
    help = (
        "Lists the snapshots of a dataset. --freeze makes one of what it holds now and of what "
        "reviewers agree on; --compare tells what differs between two."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="NAME")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--freeze", action="store_true")
        what.add_argument("--compare", nargs=2, type=int, metavar=("OLD", "NEW"))

    def handle(
        self, *, dataset: str, freeze: bool, compare: list[int] | None, **options: Any
    ) -> None:
        try:
            found = datasets.get(dataset)
            if compare:
                old, new = (snapshots.numbered(found, number) for number in compare)
                self._tell(snapshot_diffs.compare(old, new))
            elif freeze:
                self._show(freezing.freeze(found))
            else:
                self._list(found)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc

    def _list(self, dataset: Dataset) -> None:
        for one in dataset.snapshots.order_by("number"):
            self._line(one)

    def _line(self, one: Snapshot) -> None:
        told = f"{one.box_count} boxes, {one.caption_count} captions"
        self.stdout.write(f"#{one.number}\t{one.fingerprint}\t{one.created_at:%F %T}\t{told}")

    def _show(self, one: Snapshot) -> None:
        self._line(one)
        for split, counts in snapshots.counts(one).items():
            told = ", ".join(f"{number} {name}" for name, number in counts.items())
            self.stdout.write(f"{split or '-'}\t{told}")
        for group, counts in one.judged.items():
            told = ", ".join(f"{number} {name}" for name, number in counts.items())
            self.stdout.write(f"{group}\t{told or '-'}")

    def _tell(self, found: snapshot_diffs.Difference) -> None:
        for split, counts in found.counts.items():
            told = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
            self.stdout.write(f"{split or '-'}\t{told}")
        for change in found.changes:
            told = "; ".join(f"{kind}: {text}" for kind, text in change.what)
            self.stdout.write(f"box {change.box}\t{change.kind}\t{told}")
        if found.more:
            self.stdout.write(f"… and {found.more} more boxes")
        if found.is_empty:
            self.stdout.write("They hold the same.")
