"""Imports pictures and annotations into a dataset."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from gallery import ingest, rehearsal
from gallery.formats import FORMATS
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job

SHOWN = 20


class Command(BaseCommand):
    help = "Imports pictures and their annotations; running it again adds only what is new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", help=f"one of {', '.join(FORMATS)}")
        parser.add_argument("path", help="file or folder; for drawn SEED:IDENTITIES, such as 7:250")
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument(
            "--images", metavar="DIR", help="where an annotation file's pictures are"
        )
        parser.add_argument("--dry-run", action="store_true", help="check all, write nothing")
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers")
        parser.add_argument("--fps", type=float, help="video: frames a second to take (default 2)")
        parser.add_argument("--start", metavar="ISO", help="video: time of its first frame")
        parser.add_argument(
            "--test-records", type=int, metavar="N", help="synth_pedes: first N are for testing"
        )
        parser.add_argument(
            "--category",
            metavar="NAME",
            help="coco: of the boxes (default person, if there is one)",
        )

    def handle(self, *, format: str, path: str, dataset: str, images: str | None, **options: Any):
        names = ("fps", "start", "test_records", "category")
        given = {name: options[name] for name in names if options[name] is not None}
        try:
            if options["dry_run"]:
                return self._dry_run(format, path, dataset, images, given)
            job = ingest.request(
                format, path, dataset, images, queue=options["queue"], options=given
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if job.params["created"]:
            self.stdout.write(f"Made the dataset {dataset}.")
        if options["queue"]:
            self.stdout.write(f"Job {job.pk} is queued.")
            return None
        self._report(work.run_here(job, ingest.Importer(), self.stderr))
        return None

    def _dry_run(
        self, format: str, path: str, dataset: str, images: str | None, options: dict[str, Any]
    ) -> None:
        with tqdm(desc="check", file=self.stderr, unit="", disable=None) as bar:

            def watch(done: int, total: int | None) -> None:
                bar.total = total
                bar.update(done - bar.n)

            report = rehearsal.dry_run(format, path, dataset, images, options=options, watch=watch)
        new = "is new" if report.new_dataset else "is there already"
        self.stdout.write(
            f"Nothing was written. The dataset {dataset} {new}.\n"
            f"{report.records} records: {report.images} new pictures, {report.known_images} known "
            f"ones, {report.boxes} boxes, {report.captions} captions, {report.people} people, "
            f"{report.cameras} cameras; {report.refused} refused wholly or in part."
        )
        self._list(report.refusals, report.refused)
        self._list(report.notes, report.noted)

    def _report(self, job: Job) -> None:
        if job.state == Job.State.FAILED:
            raise CommandError(job.error)
        result = job.result
        self.stdout.write(
            f"{result.get('images', 0)} new pictures, {result.get('known_images', 0)} known ones, "
            f"{result.get('boxes', 0)} boxes, {result.get('captions', 0)} captions, "
            f"{result.get('identities', 0)} people, {result.get('cameras', 0)} cameras; "
            f"{job.failed} records refused wholly or in part."
        )
        self._list(list(job.failures.values_list("item", "reason")[:SHOWN]), job.failed)
        self._list(result.get("notes", []), result.get("noted", 0))
        if job.state != Job.State.DONE:
            raise CommandError(f"The job is {job.state}; the same command goes on from here.")
        if job.failed and not (result.get("images") or result.get("known_images")):
            raise CommandError("Nothing was imported: every record was refused.")

    def _list(self, told: list[tuple[str, str]], count: int) -> None:
        for item, text in told:
            self.stdout.write(f"  {item}: {text}")
        if count > len(told):
            self.stdout.write(f"  … and {count - len(told)} more")
