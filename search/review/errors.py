"""What can be wrong with a decision; each error says it in words for a user."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class MayNotReview(DomainError):
    code = "may-not-review"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("Only reviewers judge results and work on cases."))


class Unjudgeable(DomainError):
    """A question that a second reviewer could not be shown."""

    code = "unjudgeable"

    def __init__(self) -> None:
        super().__init__(
            _(
                "Results are judged for words, for one box, or for both. A picture is kept for an "
                "hour only: search by one of the boxes found instead."
            )
        )


class UnknownFinding(DomainError):
    code = "unknown-finding"
    status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such finding, or you may not see it."))


class TooManyAtOnce(DomainError):
    code = "too-many-at-once"

    def __init__(self, most: int) -> None:
        super().__init__(_("At most %(most)d results can be judged at once.") % {"most": most})


class NothingChosen(DomainError):
    code = "nothing-chosen"

    def __init__(self) -> None:
        super().__init__(_("Choose at least one result."))


class UnknownVerdict(DomainError):
    code = "unknown-verdict"

    def __init__(self) -> None:
        super().__init__(_("A verdict is confirmed, rejected, unsure or unreviewed."))


class NothingToUndo(DomainError):
    code = "nothing-to-undo"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("There is nothing to undo: it was undone, or decided anew since."))


class NotDisputed(DomainError):
    code = "not-disputed"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("The reviewers do not differ here, or it was decided meanwhile."))


class IsAParty(DomainError):
    """A disagreement is decided by somebody who has not judged."""

    code = "is-a-party"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("You judged this result yourself: somebody else has to decide."))


class NoAdjudication(DomainError):
    code = "no-adjudication"
    status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such decision of yours, or it was taken back."))
