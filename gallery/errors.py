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


class NothingSelected(DomainError):
    code = "nothing-selected"

    def __init__(self) -> None:
        super().__init__(_("Choose at least one."))


class TooManySelected(DomainError):
    code = "too-many-selected"
    status = 422

    def __init__(self, most: int) -> None:
        super().__init__(_("At most %(most)d can be changed at once.") % {"most": most})


class BadBounds(DomainError):
    """A box that is too small, or not inside its picture; the message says which."""

    code = "bad-bounds"
    status = 422


class BoxIsThere(DomainError):
    code = "box-is-there"
    status = 409

    def __init__(self, pk: int) -> None:
        super().__init__(_("Box %(number)d has exactly these bounds.") % {"number": pk})


class UnknownReview(DomainError):
    code = "unknown-review"
    status = 422

    def __init__(self) -> None:
        super().__init__(_("A box is unreviewed, approved or hidden."))


class UnknownImage(DomainError):
    code = "unknown-image"
    status = 404

    def __init__(self, pk: object) -> None:
        super().__init__(_("There is no picture %(pk)s.") % {"pk": pk})


class UnknownIdentity(DomainError):
    code = "unknown-identity"
    status = 404

    def __init__(self, pk: object) -> None:
        super().__init__(_("There is no person %(pk)s.") % {"pk": pk})


class BadKey(DomainError):
    """What cannot name a person, or names another one; the message says which."""

    code = "bad-key"
    status = 422


class SplitsDiffer(DomainError):
    """People of different splits who are to become one."""

    code = "splits-differ"
    status = 409

    def __init__(self, names: dict[str, list[str]]) -> None:
        told = "; ".join(f"{split}: {', '.join(keys[:3])}" for split, keys in names.items())
        super().__init__(
            _(
                "They are in different splits (%(told)s). Say in which one they are to be: "
                "whoever is in two lets a test be passed by heart."
            )
            % {"told": told}
        )


class BadSplit(DomainError):
    """Shares or splits that cannot be; the message says which."""

    code = "bad-split"
    status = 422


class BadMerge(DomainError):
    """People who cannot become one, or boxes that cannot leave; the message says why."""

    code = "bad-merge"
    status = 422
