"""What can be wrong with work on a case; each error says it in words for a user."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class UnknownCase(DomainError):
    code = "unknown-case"
    status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such case, or you are not a member of it."))


class UnknownEntry(DomainError):
    code = "unknown-entry"
    status = 404

    def __init__(self) -> None:
        super().__init__(_("The case has no such entry."))


class ClosedCase(DomainError):
    code = "closed-case"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("The case is closed. Open it again to change it."))


class NotTheOwner(DomainError):
    code = "not-the-owner"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("Only whoever opened the case, or an administrator, may do this."))


class BadCase(DomainError):
    """A title, search or note that is empty or too long."""

    code = "bad-case"


class NoSuchMember(DomainError):
    code = "no-such-member"

    def __init__(self, name: str) -> None:
        super().__init__(_("There is no reviewer “%(name)s”.") % {"name": name})


class TooManyInCase(DomainError):
    code = "too-many-in-case"
    status = 409

    def __init__(self, most: int) -> None:
        super().__init__(_("A case holds at most %(most)d results.") % {"most": most})


class ExportGone(DomainError):
    code = "export-gone"
    status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such export, or it holds pictures that you may not see."))
