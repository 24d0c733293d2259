"""What can be wrong with drafting; each error says it in words for a user."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class NoPeople(DomainError):
    code = "no-people"
    status = 422

    def __init__(self, dataset: str, kind: str) -> None:
        super().__init__(
            _("Captions are drafted of people; dataset “%(name)s” holds “%(kind)s”.")
            % {"name": dataset, "kind": kind}
        )


class BadDraft(DomainError):
    """A language, a seed or a certainty that is none."""

    code = "bad-draft"
    status = 422
