"""What every domain raises; apart from `pedsite.api`, which loads the framework that loads keys."""


class DomainError(Exception):
    """Something a user did that cannot be done; its text is meant for them.

    Subclasses set `code` (a slug that programs may rely on) and, unless 400, `status`.
    Commands turn it into a CommandError, the API into a problem object.
    """

    code = "refused"
    status = 400
    # Seconds after which it may work; None says nothing of it.
    retry_after: int | None = None
