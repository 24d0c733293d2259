import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from pedsite import leash
from pedsite.celery import app


class Command(BaseCommand):
    help = "Works on queued jobs: import, detection, enrollment, training."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--queues", default="default,enroll,training")
        parser.add_argument("--concurrency", type=int, default=2, help="jobs at the same time")
        parser.add_argument(
            "--no-beat",
            action="store_true",
            help="leave the timetable, which revives lost jobs, to another worker",
        )
        parser.add_argument(
            "--nice",
            type=int,
            default=10,
            help="how far jobs stand back behind web processes on the same machine, 0 to 19",
        )
        parser.add_argument("--parent", type=int, help="process id; end when it is gone")

    def handle(
        self,
        *,
        queues: str,
        concurrency: int,
        no_beat: bool,
        nice: int,
        parent: int | None,
        **options: Any,
    ) -> None:
        # An enrollment keeps every core busy for hours; a search wants one for milliseconds.
        os.nice(max(0, nice))
        if parent:
            leash.follow_parent(parent)
        # Children must not inherit a connection that the checks opened.
        connections.close_all()
        arguments = ["worker", "--queues", queues, "--concurrency", str(concurrency)]
        arguments += ["--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        arguments += ["--hostname", f"worker-{os.getpid()}@%h"]
        if not no_beat:
            timetable = settings.DATA_DIR / "run" / "timetable"
            timetable.parent.mkdir(parents=True, exist_ok=True)
            arguments += ["--beat", "--schedule-filename", str(timetable)]
        app.worker_main(arguments)
