import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from training import evaluations, versions
from training.ml.pairs import PROTOCOLS
from training.models import Evaluation

# In the order that they are read; the database keeps none.
METRICS = ("r1", "r5", "r10", "map", "minp")


class Command(BaseCommand):
    help = (
        "Measures a version on a split of a dataset. The same measurement of unchanged data is "
        "shown again, not made again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument("--dataset", required=True, help="its name")
        parser.add_argument("--split", required=True, choices=evaluations.SPLITS)
        parser.add_argument("--protocol", choices=PROTOCOLS, default=PROTOCOLS[0])
        parser.add_argument(
            "--language",
            choices=evaluations.LANGUAGES,
            default="",
            help="of the captions that ask; default all",
        )
        parser.add_argument(
            "--json", dest="file", type=Path, metavar="FILE", help="write the numbers there"
        )
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def handle(
        self, *, version_name: str, dataset: str, file: Path | None, queue: bool, **options: Any
    ) -> None:
        wanted = {name: options[name] for name in ("protocol", "language")}
        try:
            evaluation = evaluations.request(
                versions.get(version_name),
                datasets.get(dataset),
                options["split"],
                queue=queue,
                **wanted,
            )
        except DomainError as exc:
            raise CommandError(str(exc)) from exc
        if queue:
            self.stdout.write(f"Job {evaluation.job_id} queued: evaluation {evaluation.pk}")
            return
        job = work.run_here(evaluation.job, evaluations.step, self.stderr)
        if job.state != Job.State.DONE:
            raise CommandError(job.error or f"Evaluation {evaluation.pk} is {job.state}.")
        evaluation = evaluations.get(evaluation.pk)
        self._print(evaluation)
        if file is not None:
            _write(file, evaluation.metrics)

    def _print(self, evaluation: Evaluation) -> None:
        metrics = evaluation.metrics
        self.stdout.write(f"Evaluation {evaluation.pk}: {evaluation}")
        if evaluation.look and not evaluation.is_first_look:
            self.stdout.write(f"look {evaluation.look} at this test split: no longer a test")
        for direction in ("t2i", "i2t", "i2i"):
            for name in METRICS if direction in metrics else ():
                found = metrics[direction][name]
                self.stdout.write(f"{direction}\t{name}\t{_with_interval(found)}")
        checked = metrics["verification"]
        for name, count in checked["pairs"].items():
            self.stdout.write(f"pairs\t{name}\t{count}")
        eer = checked["eer"]
        self.stdout.write(f"eer\t{_with_interval(eer)}\tthreshold {eer['threshold']:.6f}")
        for level, found in checked["frr_at_far"].items():
            threshold = f"threshold {found['threshold']:.6f}"
            self.stdout.write(f"frr at far {level}\t{_with_interval(found)}\t{threshold}")
        if "layout" in checked:
            self.stdout.write(checked["layout"])


def _with_interval(found: dict[str, Any]) -> str:
    spread = found["interval"]
    return f"{found['value']:.4f}" + (f" [{spread[0]:.4f}, {spread[1]:.4f}]" if spread else "")


def _write(path: Path, metrics: dict[str, Any]) -> None:
    try:
        path.write_text(json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as exc:
        raise CommandError(f"{path} cannot be written: {exc}") from exc
