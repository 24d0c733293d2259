"""Why something cannot be done with a job."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class JobIsOver(DomainError):
    code = "job-is-over"
    status = 409

    def __init__(self, job) -> None:
        super().__init__(
            _("Job %(id)s is %(state)s already.")
            % {"id": job.pk, "state": job.get_state_display().lower()}
        )


class UnknownQueue(DomainError):
    code = "unknown-queue"
    status = 404

    def __init__(self, name: str, names: list[str]) -> None:
        super().__init__(
            _("There is no queue “%(name)s”; there are %(names)s.")
            % {"name": name, "names": ", ".join(names)}
        )


class NothingToRetry(DomainError):
    code = "nothing-to-retry"
    status = 409

    def __init__(self, job) -> None:
        super().__init__(_("Job %(id)s has no failed items to retry.") % {"id": job.pk})
