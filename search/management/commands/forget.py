import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search.forgetting import removal
from search.forgetting.models import Removal


class Command(BaseCommand):
    help = (
        "Removes the person whom a box shows, for good: boxes, their pixels in frames, captions, "
        "vectors, judgements, exports, codes, caches. Prints what went, who had held it, and what "
        "was looked for afterwards. Interrupted, --again goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--box", type=int, help="number of a box of the person")
        what.add_argument("--again", type=int, metavar="REMOVAL", help="go on with this removal")
        parser.add_argument(
            "--confirm", default="", help="key of the person's identity, or the box's number"
        )
        parser.add_argument("--purpose", default="", help="why, for the report and the audit log")
        parser.add_argument("--queue", action="store_true", help="hand the job to the workers")

    def handle(
        self,
        *,
        box: int | None,
        again: int | None,
        confirm: str,
        purpose: str,
        queue: bool,
        **options: Any,
    ) -> None:
        try:
            if again is not None:
                made = removal.again(removal.find(again), None, queue=queue)
            else:
                made = removal.forget(box or 0, None, typed=confirm, purpose=purpose, queue=queue)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"Removal {made.pk} is queued as job {made.job_id}.")
            return
        job = work.run_here(made.job, removal.step, self.stderr)
        made = Removal.objects.get(pk=made.pk)
        self.stdout.write(json.dumps(made.report, indent=1, ensure_ascii=False))
        if job.state != Job.State.DONE:
            raise CommandError(f"{job.error or job.state} Go on with --again {made.pk}.")
