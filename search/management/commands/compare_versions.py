"""Two versions on the same questions, from a file or the captions of the gallery."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import comparisons
from search.models import Comparison
from training import versions


class Command(BaseCommand):
    help = "Asks two versions the same, and tells what changed, who was lost, and how sure it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("old", metavar="OLD")
        parser.add_argument("new", metavar="NEW")
        parser.add_argument(
            "--queries", type=Path, help="a file of descriptions, one a line; default: captions"
        )

    def handle(self, *, old: str, new: str, queries: Path | None, **options: Any) -> None:
        try:
            texts = queries.read_text("utf-8").splitlines() if queries else []
            made = comparisons.request(versions.get(old), versions.get(new), texts, queue=False)
        except (DomainError, OSError, UnicodeDecodeError) as exc:
            raise CommandError(str(exc)) from exc
        job = work.run_here(made.job, comparisons.step, self.stderr)
        if job.state != Job.State.DONE:
            raise CommandError(job.error or f"Job {job.pk} is {job.state}.")
        self._tell(comparisons.report(Comparison.objects.get(pk=made.pk)))

    def _tell(self, report: comparisons.Report) -> None:
        self.stdout.write(
            f"{len(report.changes)} questions: {report.overlap:.3f} of the first "
            f"{comparisons.SHOWN} stayed, a hit moved {report.moved:.1f} places"
        )
        for what, found in (("first hit right", report.first), ("1 / rank", report.reciprocal)):
            if found is not None:
                ends = " to ".join(f"{end:+.4f}" for end in found.interval or ())
                self.stdout.write(
                    f"{what}: {found.old:.4f} -> {found.new:.4f}, {found.difference:+.4f} ({ends}) "
                    f"on {found.questions} questions"
                )
        for change in report.lost:
            place = change.found_new or "nowhere"
            self.stdout.write(f"lost: {change.found_old} -> {place}\t{change.text}")
