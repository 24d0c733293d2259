"""What can be wrong with captions; each error says it in words for a user."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class UnknownCaption(DomainError):
    code = "unknown-caption"
    status = 404

    def __init__(self, pk: object) -> None:
        super().__init__(_("There is no caption %(pk)s.") % {"pk": pk})


class BadCaption(DomainError):
    """Words that cannot be a caption, or that cannot be looked for; the message says why."""

    code = "bad-caption"
    status = 422


class NoCaptions(DomainError):
    """None was chosen, or too many."""

    code = "no-captions"
    status = 422


class CaptionIsThere(DomainError):
    code = "caption-is-there"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("The box has this caption already."))
