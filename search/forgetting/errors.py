"""What can be wrong with a removal; each error says it in words for whoever asked."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class NotForgettable(DomainError):
    code = "not-forgettable"


class MayNotRemove(DomainError):
    code = "forbidden"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("Only administrators remove people and pictures for good."))


class NotConfirmed(DomainError):
    code = "not-confirmed"

    def __init__(self, word: str) -> None:
        super().__init__(_("Type “%(word)s” to confirm: there is no way back.") % {"word": word})


class UnknownRemoval(DomainError):
    code = "unknown-removal"
    status = 404

    def __init__(self, pk: int) -> None:
        super().__init__(_("There is no removal %(pk)d.") % {"pk": pk})


class NotAllGone(DomainError):
    code = "not-all-gone"

    def __init__(self, what: str) -> None:
        super().__init__(
            _("Traces are left (%(what)s). Ask for the removal again: it goes on.") % {"what": what}
        )
