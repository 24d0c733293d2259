"""What takes several calls: whole lists, waiting for a job, uploads that go on, imports."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pedsite.client.generated import Import, JobOutput, Operations, Upload
from pedsite.client.transport import Problem, Unreachable

OVER = ("done", "failed", "cancelled")
# Attempts to go on with an upload after no answer came, a second and more apart.
RESUMES = 8


class JobFailed(Exception):
    """A job that was waited for failed or was cancelled."""

    def __init__(self, job: JobOutput) -> None:
        self.job = job
        super().__init__(f"Job {job['id']} is {job['state']}: {job['error']}")


class Client(Operations):
    """A pedsite, as one user sees it: `Client(url, key)`."""

    def every(self, operation: Callable[..., Any], *args: Any, **kwargs: Any) -> Iterator[Any]:
        """All rows of a list that comes in pages: `site.every(site.jobs, state="failed")`."""
        while True:
            page = operation(*args, **kwargs)
            yield from page["results"]
            if not page["next"]:
                return
            kwargs["cursor"] = parse_qs(urlsplit(page["next"]).query)["cursor"][0]

    def wait(
        self,
        job_id: int,
        *,
        timeout: float | None = None,
        poll: float = 1.0,
        seen: Callable[[JobOutput], None] = lambda job: None,
    ) -> JobOutput:
        """The job, when it is done.

        Args:
            timeout: seconds; none waits for ever.
            seen: called with the job each time that it is looked at.

        Raises: JobFailed; TimeoutError; Problem, Unreachable.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            job = self.job(job_id)
            seen(job)
            if job["state"] == "done":
                return job
            if job["state"] in OVER:
                raise JobFailed(job)
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"Job {job_id} is {job['state']} after {timeout} s")
            time.sleep(poll)

    def upload_file(
        self, path: Path, *, seen: Callable[[Upload], None] = lambda upload: None
    ) -> Upload:
        """Send a file in pieces. Where the line breaks it asks how far it came, and goes on.

        Raises: Problem, Unreachable.
        """
        upload = self.upload_begin(name=path.name, size=path.stat().st_size)
        failures = 0
        with path.open("rb") as file:
            while not upload["is_whole"]:
                begin = upload["received"]
                file.seek(begin)
                piece = file.read(upload["piece"])
                try:
                    upload = self.upload_piece(upload["id"], piece, upload_offset=begin)
                    failures = 0
                except (Unreachable, Problem) as exc:
                    failures += 1
                    if failures > RESUMES or (isinstance(exc, Problem) and exc.status != 409):
                        raise
                    time.sleep(min(2.0**failures, 30))
                    upload = self.upload(upload["id"])
                seen(upload)
        return upload

    def import_file(self, path: Path, dataset: str, *, poll: float = 1.0, **choices: Any) -> Import:
        """Upload a file, have it checked, import it, and wait until it is in the dataset.

        Args:
            choices: as `import_begin` takes them: format, images, options.

        Raises: JobFailed, of the check too; Problem, Unreachable.
        """
        upload = self.upload_file(path)
        begun = self.import_begin(dataset=dataset, upload=upload["id"], **choices)
        return self._through(begun, poll)

    def import_folder(
        self, folder: str, dataset: str, *, poll: float = 1.0, **choices: Any
    ) -> Import:
        """As `import_file`, of a folder of the server."""
        return self._through(self.import_begin(dataset=dataset, folder=folder, **choices), poll)

    def _through(self, begun: Import, poll: float) -> Import:
        check = begun["check_job"]
        if check:
            self.wait(check["id"], poll=poll)
        confirmed = self.import_confirm(begun["id"])
        if confirmed["job"]:
            self.wait(confirmed["job"]["id"], poll=poll)
        return self.import_(begun["id"])
