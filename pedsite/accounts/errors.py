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
