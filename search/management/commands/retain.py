from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search.forgetting import removal, retention
from search.forgetting.models import RetentionRule


class Command(BaseCommand):
    help = "Removes pictures that are kept for longer than the rules of their datasets allow."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dataset", help="this one only")
        parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")
        parser.add_argument("--days", help="set the rule of --dataset first; 0 is for ever")
        parser.add_argument("--queue", action="store_true", help="hand the jobs to the workers")

    def handle(
        self, *, dataset: str | None, dry_run: bool, days: str | None, queue: bool, **options: Any
    ) -> None:
        try:
            if days is not None:
                self._set(dataset, days)
            rules = RetentionRule.objects.select_related("dataset")
            if dataset is not None:
                rules = rules.filter(dataset=datasets.get(dataset))
            for rule in rules:
                self._apply(rule, dry_run, queue)
        except DomainError as exc:
            raise CommandError(str(exc)) from exc

    def _set(self, dataset: str | None, days: str) -> None:
        if dataset is None or not days.isdigit():
            raise CommandError("--days goes with --dataset, and is a whole number.")
        retention.set_rule(datasets.get(dataset), int(days) or None)

    def _apply(self, rule: RetentionRule, dry_run: bool, queue: bool) -> None:
        due = retention.due(rule)
        self.stdout.write(
            f"{rule.dataset}: {due.images} pictures with {due.boxes} boxes are older than "
            f"{rule.days} days."
        )
        while not dry_run and (made := retention.apply(rule, queue=queue)):
            if queue:
                self.stdout.write(f"Removal {made.pk} is queued as job {made.job_id}.")
                return
            job = work.run_here(made.job, removal.step, self.stderr)
            if job.state != Job.State.DONE:
                raise CommandError(job.error or f"The job is {job.state}.")
            self.stdout.write(f"Removal {made.pk} is done.")
