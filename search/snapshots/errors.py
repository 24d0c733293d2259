"""What can be wrong with a snapshot; each error says it in words for a user."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class MayNotFreeze(DomainError):
    code = "may-not-freeze"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("Only curators, operators and administrators freeze a dataset."))
