"""Writes a dataset to a folder, in a format that other tools read."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from gallery import exports
from gallery.formats import FORMATS, letterbox
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job

SHOWN = 20


class Command(BaseCommand):
    help = "Exports a dataset to a new folder, which appears when it is complete."

    def add_arguments(self, parser: ArgumentParser) -> None:
        known = ", ".join(name for name, kind in FORMATS.items() if kind.write)
        parser.add_argument("format", help=f"one of {known}")
        parser.add_argument("path", help="the folder to make")
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument(
            "--split", default="", metavar="S", help=f"one of {', '.join(exports.SPLITS)}"
        )
        parser.add_argument(
            "--snapshot", type=int, metavar="N", help="the dataset as snapshot N has it"
        )
        parser.add_argument("--dry-run", action="store_true", help="try all, keep nothing")
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers")

        parser.add_argument(
            "--fill", choices=letterbox.FILLS, help="image_matrix: of the bands (default Gaussian)"
        )
        parser.add_argument(
            "--resolution", type=int, metavar="N", help="image_matrix: side of a picture (224)"
        )
        parser.add_argument(
            "--min-word-count", type=int, metavar="N", help="reid_pickles: of a word to keep (3)"
        )

    def handle(self, *, format: str, path: str, dataset: str, split: str, **options: Any):
        names = ("fill", "resolution", "min_word_count")
        given = {name: options[name] for name in names if options[name] is not None}
        try:
            if options["dry_run"]:
                return self._dry_run(format, path, dataset, split, given, options["snapshot"])
            job = exports.request(
                format,
                path,
                dataset,
                split,
                queue=options["queue"],
                options=given,
                snapshot=options["snapshot"],
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if options["queue"]:
            self.stdout.write(f"Job {job.pk} is queued.")
            return None
        exporter = exports.Exporter()
        try:
            self._report(work.run_here(job, exporter, self.stderr))
        finally:
            exporter.close()
        return None

    def _dry_run(
        self,
        format: str,
        path: str,
        dataset: str,
        split: str,
        options: dict[str, Any],
        snapshot: int | None,
    ) -> None:
        with tqdm(desc="check", file=self.stderr, unit="", disable=None) as bar:

            def watch(done: int, total: int | None) -> None:
                bar.total = total
                bar.update(done - bar.n)

            report = exports.dry_run(
                format, path, dataset, split, options=options, snapshot=snapshot, watch=watch
            )
        self.stdout.write(
            f"Nothing was kept. {report.written} records would be written, "
            f"{report.refused} are refused."
        )
        self._list(report.refusals, report.refused)
        self._list(report.notes, report.noted)

    def _report(self, job: Job) -> None:
        if job.state == Job.State.FAILED:
            raise CommandError(job.error)
        if job.state != Job.State.DONE:
            raise CommandError(f"The job is {job.state}; nothing was written.")
        self.stdout.write(
            f"{job.done} records written to {job.params['path']}, {job.failed} refused."
        )
        self._list(list(job.failures.values_list("item", "reason")[:SHOWN]), job.failed)
        self._list(job.result.get("notes", []), job.result.get("noted", 0))

    def _list(self, told: list[tuple[str, str]], count: int) -> None:
        for item, text in told:
            self.stdout.write(f"  {item}: {text}")
        if count > len(told):
            self.stdout.write(f"  … and {count - len(told)} more")
