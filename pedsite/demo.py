"""From an empty folder to a site that finds people: what `make demo` does, and resumes."""

import os
import secrets
import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import psutil
from django.conf import settings
from django.core.management import call_command
from django.db.models import Q

from gallery import datasets, ingest
from gallery.errors import UnknownDataset
from gallery.models import Box, Dataset
from pedsite import processes
from pedsite.accounts.models import User
from pedsite.api import DomainError
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import calibration, enrollment, serving
from training import versions
from training.models import ModelVersion

DATASET = "demo"
# Far from every seed that a model was trained or measured on, and with somebody for the words that
# the search page offers to try.
PEOPLE = "20260140:250"
USER = "admin"
# What is left of the 20 s that Ctrl-C may take goes to the services.
STOP_S = 8.0
PORT_S = 15.0
WEB_S = 40.0
# A process that ends by itself is started again, so often within a minute.
RESTARTS = 3


class DemoFailed(DomainError):
    code = "demo-failed"


class Demo:
    """One run of the demo: its steps in order, each with the seconds since the start."""

    def __init__(self, port: int, stream: TextIO) -> None:
        self.port = port
        self.stream = stream
        self.began = psutil.Process().create_time()
        self.children: list[processes.Process] = []
        self.restarts: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def run(self) -> None:
        """Makes everything ready, says so, and stays until it is interrupted.

        Raises:
            DemoFailed: a step failed, or a process ended; the text says where to look.
        """
        # A shell without job control starts what runs in its background deaf to Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self._prepare()
            self._say(f"Ready: {self.url}", f"user {USER}, password {_password()}")
            self.stream.write("Ctrl-C stops everything; `make demo` goes on from here.\n")
            self.stream.flush()
            self._stay()
        finally:
            processes.stop(self.children, STOP_S)

    def _prepare(self) -> None:
        self._say("services", f"PostgreSQL and Valkey run, data in {settings.DATA_DIR}")
        _wait_for_port(self.port)
        call_command("migrate", verbosity=0, interactive=False)
        user = _admin()
        self._say("database", "migrated, administrator there")
        self._start("worker")
        version = versions.install_shipped()
        self._say("model", f"{version.name} installed")
        _drop_unfinished(version, user)
        dataset = self._draw(user)
        self._start("web", "--bind", f"127.0.0.1:{self.port}")
        self._enroll(dataset, version, user)
        serving.start_if_none(version, user)
        # Half a minute of the worker; until then the pages show plain cosines.
        calibration.start_if_none(version, user)
        self._wait(self._answers, WEB_S, "The web server does not answer")

    def _draw(self, user: User) -> Dataset:
        """The drawn gallery, complete; what an earlier run drew is not drawn again."""
        if not _is_drawn():
            job = ingest.request("drawn", PEOPLE, DATASET, user=user, queue=False)
            self._finished(work.run_here(job, ingest.Importer(), self.stream))
        dataset = datasets.get(DATASET)
        boxes = Box.objects.filter(image__dataset=dataset)
        self._say("gallery", f"{boxes.count():,} pictures of drawn people")
        return dataset

    def _enroll(self, dataset: Dataset, version: ModelVersion, user: User) -> None:
        """Vectors of all boxes, through the worker."""
        if enrollment.waiting(dataset, version.image_encoder).exists():
            job = enrollment.request(dataset, version, user)
            self._finished(work.follow(job, self.stream, check=self._check_children))
        self._say("vectors", "every picture can be found")

    def _finished(self, job: Job) -> None:
        if job.state == Job.State.CANCELLED:
            raise KeyboardInterrupt
        if job.state != Job.State.DONE:
            raise DemoFailed(f"{job} {job.state}: {job.error}")

    def _start(self, *arguments: str) -> None:
        log = settings.DATA_DIR / "logs" / f"{arguments[0]}.log"
        self.children.append(processes.Process(arguments, log))

    def _check_children(self) -> None:
        """Starts a process again that was killed; its jobs go on when their lease is over.

        Raises:
            DemoFailed: it keeps ending.
        """
        for dead in [child for child in self.children if not child.is_alive]:
            now = time.monotonic()
            self.restarts = [at for at in self.restarts if now - at < 60] + [now]
            if len(self.restarts) > RESTARTS:
                raise DemoFailed(f"The {dead.name} process keeps ending, see {dead.log}")
            self._say(dead.name, f"ended by itself, started again, see {dead.log}")
            self.children.remove(dead)
            self._start(*dead.arguments)

    def _stay(self) -> None:
        while True:
            self._check_children()
            time.sleep(0.5)

    def _wait(self, done: Callable[[], bool], seconds: float, text: str) -> None:
        until = time.monotonic() + seconds
        while not done():
            self._check_children()
            if time.monotonic() > until:
                raise DemoFailed(f"{text} after {seconds:.0f} s, see {settings.DATA_DIR / 'logs'}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}health/live", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _say(self, what: str, text: str) -> None:
        lead = f"{what:<10}" if not what.startswith("Ready") else f"{what} "
        self.stream.write(f"{lead} {text} ({time.time() - self.began:.1f} s)\n")
        self.stream.flush()


def _is_drawn() -> bool:
    try:
        dataset = datasets.get(DATASET)
    except UnknownDataset:
        return False
    done = Job.objects.filter(kind=ingest.KIND, state=Job.State.DONE)
    return done.filter(params__dataset=dataset.pk).exists()


def _drop_unfinished(version: ModelVersion, user: User) -> None:
    """Ends what a killed run left half done; the steps are asked for again and go on from there.

    Only the demo's own: the administrator's drawing of its gallery, and the enrollment of that with
    the shipped version alone. What else is done to the dataset goes on with the workers.
    """
    drawn = {"format": "drawn", "path": PEOPLE}
    drawing = Q(kind=ingest.KIND, params__contains=drawn)
    enrolling = Q(kind=enrollment.KIND, params__versions=[version.pk])
    mine = Job.objects.unfinished().filter(
        created_by=user, params__dataset_name=DATASET, retry_of=None
    )
    for job in mine.filter(drawing | enrolling):
        work.cancel(job)


def _password() -> str:
    """The administrator's password, made at the first run, readable by its owner only."""
    file: Path = settings.DATA_DIR / "admin_password"
    if file.exists():
        return file.read_text().strip()
    password = secrets.token_urlsafe(12)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(password + "\n")
    return password


def _admin() -> User:
    """The administrator, able to log in with the password of this folder."""
    user = User.objects.filter(username=USER).first()
    if user is None:
        return User.objects.create_superuser(USER, password=_password(), role=User.Role.ADMIN)
    if not user.check_password(_password()):
        user.set_password(_password())
        user.save(update_fields=["password"])
    return user


def _wait_for_port(port: int) -> None:
    """Returns when the port is free; a run that was killed lets go of it within seconds.

    Raises:
        DemoFailed: another program keeps it.
    """
    until = time.monotonic() + PORT_S
    while True:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
                return
            except OSError as exc:
                if time.monotonic() > until:
                    text = f"Port {port} is taken ({exc.strerror}); choose another with PORT="
                    raise DemoFailed(text) from exc
        time.sleep(0.3)
