"""What can be wrong with models and trainings; each error says it in words for a user."""

from django.utils.translation import gettext as _

from pedsite.api import DomainError


class UnknownVersion(DomainError):
    code = "unknown-version"
    status = 404

    def __init__(self, name: object) -> None:
        super().__init__(_("There is no model version “%(name)s”.") % {"name": name})


class BadVersionName(DomainError):
    code = "bad-version-name"
    status = 422

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name[:120]}” cannot name a model version: use 1 to 100 letters, digits "
            "and _ . - between them."
        )


class NameTaken(DomainError):
    """A name stands for one set of towers for good: vectors and logs refer to it."""

    code = "version-name-taken"
    status = 409


class BadTower(DomainError):
    """A file is not a tower that can serve; the message names the file and the reason."""

    code = "bad-tower"
    status = 422


class SpaceMismatch(DomainError):
    """Towers that do not belong into one embedding space."""

    code = "space-mismatch"
    status = 409


class PreprocessingDiffers(DomainError):
    """The same graph is stored already and is fed otherwise."""

    code = "preprocessing-differs"
    status = 409


class BadBundle(DomainError):
    """A folder is not what `export_model` writes."""

    code = "bad-bundle"
    status = 422


class CorruptArtifact(DomainError):
    """A stored file is gone or is not the one that was registered."""

    code = "corrupt-artifact"
    status = 500


class NoShippedModel(DomainError):
    code = "no-shipped-model"
    status = 404

    def __init__(self, folder: object) -> None:
        super().__init__(f"There is no shipped model: {folder} holds no model.json.")


class UnknownRecipe(DomainError):
    code = "unknown-recipe"
    status = 422


class BadSetting(DomainError):
    """A training setting that is unknown, of the wrong type or out of its range."""

    code = "bad-setting"
    status = 422


class BadTrainingData(DomainError):
    """The data cannot train this recipe; the message says what is missing."""

    code = "bad-training-data"
    status = 422


class AlreadyTraining(DomainError):
    """The same settings on the same data wait or train: a second run would learn the same."""

    code = "already-training"
    status = 409


class NothingToResume(DomainError):
    """The run waits, trains, or has given its version."""

    code = "nothing-to-resume"
    status = 409

    def __init__(self, state: object) -> None:
        super().__init__(
            _("This training cannot be resumed: it is %(state)s.") % {"state": str(state).lower()}
        )


class TrainingFailed(DomainError):
    """The training process ended without a model; the message says what it said last."""

    code = "training-failed"
    status = 500


class RunIsOver(DomainError):
    """There is nothing left to end."""

    code = "run-is-over"
    status = 409

    def __init__(self, run: object) -> None:
        super().__init__(_("Training run %(run)s is over already.") % {"run": run})


class UnknownRun(DomainError):
    code = "unknown-run"
    status = 404

    def __init__(self, pk: object) -> None:
        super().__init__(_("There is no training run %(pk)s.") % {"pk": pk})


class ConversionFailed(DomainError):
    """A converted version does not stand for the one it was made from; nothing was written."""

    code = "conversion-failed"
    status = 422


class UnknownEvaluation(DomainError):
    code = "unknown-evaluation"
    status = 404

    def __init__(self, pk: object) -> None:
        super().__init__(_("There is no evaluation %(pk)s.") % {"pk": pk})


class NothingToEvaluate(DomainError):
    """The split cannot measure this version; the message says what is missing."""

    code = "nothing-to-evaluate"
    status = 422


class UnknownTeacher(DomainError):
    code = "unknown-teacher"
    status = 404

    def __init__(self, name: object) -> None:
        super().__init__(_("There is no teacher “%(name)s”.") % {"name": name})


class TeacherNotReady(DomainError):
    """Its vectors are not all computed yet."""

    code = "teacher-not-ready"
    status = 409


class BadTeacher(DomainError):
    """A teacher cannot be asked for, or not so; the message says why."""

    code = "bad-teacher"
    status = 422


class ExtractionFailed(DomainError):
    """The process that computes a teacher's vectors ended without them; what it said last."""

    code = "extraction-failed"
    status = 500


class BadForeignModel(DomainError):
    """A model of others cannot be loaded, or cannot serve here; the message says why."""

    code = "bad-foreign-model"
    status = 422


class NothingToWeigh(DomainError):
    code = "nothing-to-weigh"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            _(
                "Only a training on a snapshot that went on from a version, and gave one, can be "
                "compared with where it began."
            )
        )
