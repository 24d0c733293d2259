"""What can be wrong with a user or a key; each error says it in words for whoever asked."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from pedsite.errors import DomainError


class BadScopes(DomainError):
    code = "bad-scopes"

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__(
            _("A key needs one or more of these scopes: %(scopes)s.")
            % {"scopes": ", ".join(allowed)}
        )


class BadUser(DomainError):
    code = "bad-user"


class NotYourself(DomainError):
    """Whoever lowers themselves may leave nobody who could raise them again."""

    code = "not-yourself"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("Ask another administrator to change your own role or access."))


class LastAdministrator(DomainError):
    code = "last-administrator"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("Somebody has to administer the site: this is the last who can."))


class AboveYou(DomainError):
    """A superuser, whom only superusers change."""

    code = "above-you"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("Only a superuser changes a superuser."))
