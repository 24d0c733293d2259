"""What can be wrong with a search or an enrollment; each error says it in words for a user."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class BlankQuery(DomainError):
    """Nothing is asked, or only where and when to look."""

    code = "blank-query"

    def __init__(self, is_narrowed: bool = False) -> None:
        told = (
            _("Describe a person as well: only filters are given.")
            if is_narrowed
            else _("Describe a person: the query is empty.")
        )
        super().__init__(told)


class PurposeNeeded(DomainError):
    """The site wants to know why, and nobody said."""

    code = "purpose-needed"

    def __init__(self) -> None:
        super().__init__(
            _("This site records why people are searched for: give a reason or a case number.")
        )


class QueryTooLong(DomainError):
    code = "query-too-long"

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            _("The query has %(length)d characters; at most %(limit)d are read.")
            % {"length": length, "limit": limit}
        )


class UnreadableQuery(DomainError):
    """Control characters, NUL among them, halves of a surrogate pair, or signs alone."""

    code = "unreadable-query"

    def __init__(self) -> None:
        super().__init__(_("The query holds no words, or characters that are not text."))


class ImageOnlyVersion(DomainError):
    code = "image-only-version"

    def __init__(self, version: str) -> None:
        super().__init__(
            _("Version “%(version)s” reads pictures only: it has no text encoder.")
            % {"version": version}
        )


class NothingServes(DomainError):
    code = "nothing-serves"
    status = 409

    def __init__(self, query_kind: str, dataset_kind: str) -> None:
        super().__init__(
            _("No model version answers %(query)s queries about “%(kind)s” yet.")
            % {"query": query_kind, "kind": dataset_kind}
        )


class NotEnrolled(DomainError):
    """A version that has not embedded a single box cannot serve."""

    code = "not-enrolled"
    status = 409

    def __init__(self, version: str, dataset_kind: str) -> None:
        super().__init__(
            _("Version “%(version)s” has not enrolled any “%(kind)s” box.")
            % {"version": version, "kind": dataset_kind}
        )


class MayNotSwitch(DomainError):
    code = "may-not-switch"
    status = 403

    def __init__(self) -> None:
        super().__init__(
            _("Only operators and administrators enroll, compare, switch and delete versions.")
        )


class Unconfirmed(DomainError):
    """A version that would take over with something known against it."""

    code = "unconfirmed"
    status = 409

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(
            _("This stands against the switch, and was not confirmed: %(reasons)s")
            % {"reasons": " · ".join(reasons)}
        )


class NothingBefore(DomainError):
    code = "nothing-before"
    status = 409

    def __init__(self, version: str) -> None:
        super().__init__(
            _("Nothing answered before “%(version)s”: there is no way back.") % {"version": version}
        )


class StillServes(DomainError):
    """The vectors of a version are needed."""

    code = "still-serves"
    status = 409

    def __init__(self, version: str) -> None:
        super().__init__(
            _("The vectors of “%(version)s” answer searches or are being made.")
            % {"version": version}
        )


class BeingDeleted(DomainError):
    code = "being-deleted"
    status = 409

    def __init__(self, version: str) -> None:
        super().__init__(
            _("The vectors of “%(version)s” are being deleted.") % {"version": version}
        )


class TooBusy(DomainError):
    """As many searches as can be served run, and as many as may wait do."""

    code = "too-busy"
    status = 503

    def __init__(self, retry_after: int) -> None:
        super().__init__(_("Too many searches at the same time. Try again in a moment."))
        self.retry_after = retry_after


class EngineSilent(DomainError):
    """Milvus does not answer, or with an error."""

    code = "engine-silent"
    status = 503
    retry_after = 10

    def __init__(self, reason: str) -> None:
        super().__init__(
            _("The vector engine Milvus failed: %(reason)s") % {"reason": reason.strip()}
        )


class BadComparison(DomainError):
    """Versions or questions that cannot be compared."""

    code = "bad-comparison"


class StaleCursor(DomainError):
    """A cursor that was made for another query or version, or is damaged or too old."""

    code = "stale-cursor"

    def __init__(self) -> None:
        super().__init__(_("This page belongs to another search; start again from the first."))


class TooDeep(DomainError):
    code = "too-deep"

    def __init__(self, limit: int) -> None:
        super().__init__(
            _("Only the first %(limit)d hits can be paged through; add a word or a filter.")
            % {"limit": limit}
        )


class BadLimit(DomainError):
    code = "bad-limit"

    def __init__(self, limit: int, most: int) -> None:
        super().__init__(
            _("%(limit)d hits were asked for; from 1 to %(most)d can be given at once.")
            % {"limit": limit, "most": most}
        )


class UnknownMode(DomainError):
    code = "unknown-mode"

    def __init__(self, mode: str) -> None:
        super().__init__(
            _("“%(mode)s” is no way to search; there are fast, thorough and exact.")
            % {"mode": mode}
        )


class UnknownCamera(DomainError):
    code = "unknown-camera"
    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(_("There is no camera “%(name)s”.") % {"name": name})


class MixedKinds(DomainError):
    """Datasets of two kinds are served by two versions, whose scores do not compare."""

    code = "mixed-kinds"

    def __init__(self, kinds: list[str]) -> None:
        super().__init__(
            _("These datasets are of different kinds (%(kinds)s); search them one by one.")
            % {"kinds": ", ".join(kinds)}
        )


class UnknownKindOfQuery(DomainError):
    code = "unknown-query-kind"

    def __init__(self, kind: str) -> None:
        super().__init__(
            _("“%(kind)s” is no kind of query; there are text and picture.") % {"kind": kind}
        )


class NothingToEnroll(DomainError):
    """No version was named, and none exists that could be taken instead."""

    code = "no-version"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("There is no model version yet: train or register one first."))


class MayNotEnroll(DomainError):
    code = "may-not-enroll"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("Only operators and administrators may enroll pictures."))


class NothingWaits(DomainError):
    """No box lacks a vector, or a job is at those that do."""

    code = "nothing-waits"
    status = 409

    def __init__(self) -> None:
        super().__init__(_("Nothing is left to enroll, or a job is at it already."))


class UnknownToken(DomainError):
    """A word before a colon that names no filter; `near` is one that it may have been meant for."""

    code = "unknown-token"

    def __init__(self, name: str, near: str = "") -> None:
        told = _("There is no filter “%(name)s:”.") % {"name": name}
        if near:
            told += " " + _("Did you mean “%(near)s:”?") % {"near": near}
        else:
            told += " " + _("Put a space after the colon if it is part of the description.")
        super().__init__(told)


class BadToken(DomainError):
    """A filter's value, or a weight, that cannot be read."""

    code = "bad-token"

    def __init__(self, token: str, example: str) -> None:
        super().__init__(
            _("“%(token)s” cannot be read; write it like %(example)s.")
            % {"token": token, "example": example}
        )


class TooFewToCalibrate(DomainError):
    """A false-accept rate of 1 in 100 needs thousands of pairs of different people."""

    code = "too-few-to-calibrate"
    status = 409

    def __init__(self, source: str) -> None:
        super().__init__(
            _(
                "“%(source)s” has too few described people to calibrate with; take a dataset with "
                "30 identities or more, or drawn:SEED:COUNT with at least 180 crops."
            )
            % {"source": source}
        )


class NotCalibrated(DomainError):
    """Nothing was promised that could be held to account."""

    code = "not-calibrated"
    status = 409

    def __init__(self, version: str) -> None:
        super().__init__(
            _("Version “%(version)s” was never calibrated: run calibrate first.")
            % {"version": version}
        )


class Unsavable(DomainError):
    code = "unsavable-search"

    def __init__(self) -> None:
        super().__init__(
            _(
                "Only a search with a name and a question can be saved, and none by a picture: "
                "pictures are kept for an hour. Search by one of the boxes found instead."
            )
        )


class NameTaken(DomainError):
    code = "name-taken"
    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(_("You have a search “%(name)s” already.") % {"name": name})


class TooManySaved(DomainError):
    code = "too-many-saved"
    status = 409

    def __init__(self, most: int) -> None:
        super().__init__(
            _("At most %(most)d searches can be saved; delete one first.") % {"most": most}
        )


class UnknownSearch(DomainError):
    code = "unknown-search"
    status = 404

    def __init__(self, pk: int) -> None:
        super().__init__(_("You have no saved search %(id)d.") % {"id": pk})


class PictureTooLarge(DomainError):
    code = "picture-too-large"
    status = 413

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            _("The picture has %(size)d MB; at most %(most)d MB are read.")
            % {"size": -(-size // 2**20), "most": most // 2**20}
        )


class ForeignVectors(DomainError):
    """Vectors of another model than the one they are said to be of."""

    code = "foreign-vectors"
    status = 422


class TooFewForCodes(DomainError):
    """Vectors that compact codes cannot be learned from, or a length that they cannot have."""

    code = "too-few-for-codes"
    status = 422

    def __init__(self, least: int, dim: int) -> None:
        super().__init__(
            _("Codes need %(least)d vectors to learn from, and have 1 to %(dim)d bytes.")
            % {"least": least, "dim": dim}
        )


class BadInspection(DomainError):
    """Vectors, questions or settings with which searching cannot be measured."""

    code = "bad-inspection"
    status = 422
