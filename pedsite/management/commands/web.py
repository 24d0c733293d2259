from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections
from gunicorn.app.base import BaseApplication

from pedsite import leash


class Site(BaseApplication):
    """Gunicorn with settings from here instead of its command line."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from pedsite.wsgi import application

        return application


class Command(BaseCommand):
    help = "Serves the site over HTTP."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", help="address:port")
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument(
            "--threads",
            type=int,
            default=8,
            help="of each worker; searches that run or wait hold one each, pages need some too",
        )
        parser.add_argument("--parent", type=int, help="process id; end when it is gone")

    def handle(
        self, *, bind: str, workers: int, threads: int, parent: int | None, **options: Any
    ) -> None:
        if parent:
            leash.follow_parent(parent)
        # Loaded once and forked: the workers share its memory, but not its connections.
        connections.close_all()
        Site(
            {
                "bind": bind,
                "workers": workers,
                "threads": threads,
                "worker_class": "gthread",
                "preload_app": True,
                "timeout": 60,
                # A description of 800 Chinese characters fits into an address.
                "limit_request_line": 8190,
                "graceful_timeout": 5,
                "keepalive": 5,
                "pre_fork": lambda server, worker: connections.close_all(),
                "control_socket_disable": True,
            }
        ).run()
