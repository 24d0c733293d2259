from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import compact
from training import versions


class Command(BaseCommand):
    help = (
        "Writes a version's vectors as short codes, for searches in the mode compact; measure "
        "with evaluate_search what they find."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument(
            "--bytes", type=int, help="of a code; default: a sixteenth of the vector, at least 64"
        )
        parser.add_argument(
            "--instead-of-index",
            action="store_true",
            help="drop the vector index and build none again: every search that is not exact goes "
            "by the codes",
        )
        parser.add_argument("--drop", action="store_true", help="forget the codes")

    def handle(
        self,
        *,
        version_name: str,
        bytes: int | None,
        instead_of_index: bool,
        drop: bool,
        **options: Any,
    ) -> None:
        try:
            version = versions.get(version_name)
            if drop:
                had = compact.drop(version.image_encoder)
                self.stdout.write(f"{version} has no codes{' any more' if had else ''}.")
                return
            job = compact.request(
                version, length=bytes, instead_of_index=instead_of_index, queue=False
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        job = work.run_here(job, compact.step, self.stderr)
        made = compact.newest(version.image_encoder)
        if job.state != Job.State.DONE or made is None:
            raise CommandError(job.error or f"Job {job.pk} is {job.state}.")
        self.stdout.write(
            f"{version}: {made.rows:,} vectors as codes of {made.code_bytes} bytes in "
            f"{made.cells} cells; {made.byte_size:,} bytes in all, {made.bytes_each:.0f} a vector, "
            f"{4 * version.dim / made.bytes_each:.1f} times smaller than at full precision."
        )
