"""Ways of searching a version's vectors, compared: what they find, what they cost."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gallery import datasets
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import inspections, tables
from search.models import Inspection, QueryKind
from training import versions


class Command(BaseCommand):
    help = (
        "Compares exact search, HNSW, PQ, OPQ and LOPQ over the enrolled vectors of a dataset: "
        "recall of the nearest, mAP, memory, time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version_name", metavar="VERSION")
        parser.add_argument("--dataset", required=True, help="name of an enrolled dataset")
        parser.add_argument(
            "--ask", choices=QueryKind.values, default="picture", help="boxes or captions ask"
        )
        parser.add_argument("--language", default="", help="of the captions that ask: en, zh")
        parser.add_argument(
            "--protocol",
            choices=Inspection.Protocol.values,
            default="leave_one_out",
            help="what a box that asks does not find: itself; its person by its own camera, as in "
            "person re-identification; any box that asks, and small classes, as in GeM validation",
        )
        parser.add_argument("--smallest-class", type=int, default=inspections.SMALLEST_CLASS)
        parser.add_argument("--queries", type=int, default=inspections.QUERIES)
        parser.add_argument("--top", type=int, default=inspections.TOP, help="k: hits that count")
        parser.add_argument(
            "--rerank",
            type=int,
            default=inspections.RERANKED,
            help="candidates of the codes that are compared exactly (%(default)s)",
        )
        parser.add_argument(
            "--bytes",
            default="",
            metavar="N[,N...]",
            help="length of a code; default: a sixteenth of the vector, at least 64",
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here too")

    def handle(self, *, version_name: str, dataset: str, **options: Any) -> None:
        try:
            lengths = [int(length) for length in options["bytes"].split(",") if length]
            made = inspections.request(
                versions.get(version_name),
                datasets.get(dataset),
                asked_with=options["ask"],
                protocol=options["protocol"],
                queries=options["queries"],
                top=options["top"],
                reranked=options["rerank"],
                lengths=lengths,
                language=options["language"],
                smallest_class=options["smallest_class"],
                seed=options["seed"],
                queue=False,
            )
        except (DomainError, ValueError) as exc:
            raise CommandError(str(exc)) from exc
        job = work.run_here(made.job, inspections.step, self.stderr)
        if job.state != Job.State.DONE:
            raise CommandError(job.error or f"Job {job.pk} is {job.state}.")
        made.refresh_from_db()
        self.stdout.write(tables.text(made))
        if options["json"]:
            options["json"].write_text(json.dumps(tables.plain(made), indent=2) + "\n", "utf-8")
