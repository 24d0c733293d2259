"""What can be wrong with pictures, datasets and files; each error says it in words for a user."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from pedsite.api import DomainError

if TYPE_CHECKING:
    from django.db.models import Model


class BadImage(DomainError):
    """Bytes that are not a picture that can be used; the message says why."""

    code = "bad-image"
    status = 422


class UnknownDataset(DomainError):
    code = "unknown-dataset"
    status = 404

    def __init__(self, name: object) -> None:
        super().__init__(_("There is no dataset “%(name)s”.") % {"name": name})


class BadDatasetName(DomainError):
    code = "bad-dataset-name"
    status = 422


class UnknownBox(DomainError):
    code = "unknown-box"
    status = 404

    def __init__(self, pk: object) -> None:
        super().__init__(_("There is no box %(pk)s.") % {"pk": pk})


class UnknownFormat(DomainError):
    code = "unknown-format"
    status = 422

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"There is no format “{name}”; known are {', '.join(known)}.")


class BadSource(DomainError):
    """An annotation file, folder or video that cannot be read at all."""

    code = "bad-source"
    status = 422


class BadTarget(DomainError):
    """A place where nothing can be exported to."""

    code = "bad-target"
    status = 422


class BadDetector(DomainError):
    """A detector that does not load, or whose outputs have no known layout."""

    code = "bad-detector"
    status = 422


class NotYourDataset(DomainError):
    code = "not-your-dataset"
    status = 403

    def __init__(self, name: str) -> None:
        super().__init__(
            _("A dataset “%(name)s” is there, but not shared with you.") % {"name": name}
        )


class BadFolder(DomainError):
    """A folder of the server that may not be imported from."""

    code = "bad-folder"
    status = 422


class BadArchive(DomainError):
    """An archive that is not unpacked; the message names the member and says why."""

    code = "bad-archive"
    status = 422


class BadUpload(DomainError):
    code = "bad-upload"
    status = 422


class UploadTooLarge(DomainError):
    code = "upload-too-large"
    status = 413


class WrongOffset(DomainError):
    """A piece that does not begin where the upload ends; the message says where that is."""

    code = "wrong-offset"
    status = 409

    def __init__(self, received: int) -> None:
        super().__init__(_("The upload goes on at byte %(received)d.") % {"received": received})


class NotNow(DomainError):
    """An import that is not at the stage for what was asked."""

    code = "not-now"
    status = 409


class MayNotCurate(DomainError):
    code = "may-not-curate"
    status = 403

    def __init__(self) -> None:
        super().__init__(_("Only curators, operators and administrators may do this."))


class GoneMeanwhile(DomainError):
    """A row that is not in the dataset, or not any more."""

    code = "gone"
    status = 404

    def __init__(self, model: "type[Model]", pk: int) -> None:
        super().__init__(
            _("There is no %(what)s %(number)d in this dataset.")
            % {"what": model._meta.verbose_name, "number": pk}
        )


class UnknownAction(DomainError):
    code = "unknown-action"
    status = 404

    def __init__(self, pk: object) -> None:
        super().__init__(_("There is no action %(pk)s.") % {"pk": pk})


class NothingToUndo(DomainError):
    """All of it was changed since, or undone; the message says why."""

    code = "nothing-to-undo"
    status = 409


class UnknownSnapshot(DomainError):
    code = "unknown-snapshot"
    status = 404

    def __init__(self, pk: int) -> None:
        super().__init__(_("There is no snapshot %(pk)s, or you may not see it.") % {"pk": pk})


class NotOneDataset(DomainError):
    code = "not-one-dataset"

    def __init__(self) -> None:
        super().__init__(_("Only snapshots of one dataset can be compared."))
