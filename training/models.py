"""How a model comes to be (TrainingRun) and what it is (Encoder, ModelVersion)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from training.querysets import (
    EvaluationQuerySet,
    MetricPointQuerySet,
    ModelVersionQuerySet,
    TeacherQuerySet,
    TrainingRunQuerySet,
)

SHA256_HEX = r"^[0-9a-f]{64}$"


class EmbeddingSpace(models.Model):
    """Where the vectors of a family of towers live. Equal dims are not the same space."""

    # A halfvec of more than 4000 dimensions fits neither a page nor an HNSW index.
    MAX_DIM = 4000

    name = models.CharField(_("name"), max_length=100, unique=True)
    dim = models.PositiveIntegerField(_("dimensions"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("embedding space")
        verbose_name_plural = _("embedding spaces")
        constraints = [
            models.CheckConstraint(
                name="training_space_dim_in_range", condition=Q(dim__gte=1, dim__lte=4000)
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.dim})"


class Encoder(models.Model):
    """One tower of a space: an ONNX graph, and how pixels or characters reach it."""

    class Modality(models.TextChoices):
        IMAGE = "image", _("image")
        TEXT = "text", _("text")

    space = models.ForeignKey(
        EmbeddingSpace, models.PROTECT, related_name="encoders", verbose_name=_("space")
    )
    modality = models.CharField(_("modality"), max_length=5, choices=Modality)
    name = models.CharField(_("name"), max_length=120)
    # Names in storage come from the content (training.artifacts), never from whoever sent it.
    file = models.FileField(_("ONNX graph"), max_length=200)
    # The table of a character tower (.npy), or the tokenizer of another (.json).
    characters = models.FileField(_("vocabulary"), max_length=200, blank=True)
    # Inputs with their vectors, recomputed whenever the tower is loaded.
    golden = models.FileField(_("self-test"), max_length=200, blank=True)
    preprocessing = models.JSONField(_("preprocessing"), default=dict)
    sha256 = models.CharField(_("SHA-256 of the graph"), max_length=64)
    characters_sha256 = models.CharField(_("SHA-256 of the vocabulary"), max_length=64, blank=True)
    golden_sha256 = models.CharField(_("SHA-256 of the self-test"), max_length=64, blank=True)
    # Bytes of the graph and of the vocabulary together.
    byte_size = models.PositiveBigIntegerField(_("size in bytes"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("encoder")
        verbose_name_plural = _("encoders")
        constraints = [
            models.UniqueConstraint(
                name="training_encoder_once_per_space",
                fields=["space", "modality", "sha256", "characters_sha256"],
            ),
            models.CheckConstraint(
                name="training_encoder_sha256_is_hex", condition=Q(sha256__regex=SHA256_HEX)
            ),
            models.CheckConstraint(
                name="training_encoder_modality_known",
                condition=Q(modality__in=["image", "text"]),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def dim(self) -> int:
        return self.space.dim


class ModelVersion(models.Model):
    """What a search may name: an image tower and, unless image-only, a text tower beside it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    image_encoder = models.ForeignKey(
        Encoder,
        models.PROTECT,
        related_name="image_versions",
        limit_choices_to={"modality": "image"},
        verbose_name=_("image encoder"),
    )
    text_encoder = models.ForeignKey(
        Encoder,
        models.PROTECT,
        related_name="text_versions",
        limit_choices_to={"modality": "text"},
        null=True,
        blank=True,
        verbose_name=_("text encoder"),
    )
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    # As the model card has them: name -> number, or group -> {name -> number}.
    metrics = models.JSONField(_("metrics"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        constraints = [
            models.CheckConstraint(name="training_version_has_a_name", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("training:model", args=[self.name])

    def clean(self) -> None:
        """Towers pair only within one space, each in its own place.

        Raises:
            ValidationError: a tower of the wrong modality, or towers of two spaces.
        """
        if self.image_encoder_id is None:
            return  # the form reports the empty field itself
        image, text = self.image_encoder, self.text_encoder
        if image.modality != Encoder.Modality.IMAGE:
            raise ValidationError({"image_encoder": _("This is not an image tower.")})
        if text is None:
            return
        if text.modality != Encoder.Modality.TEXT:
            raise ValidationError({"text_encoder": _("This is not a text tower.")})
        if text.space_id != image.space_id:
            raise ValidationError(
                {
                    "text_encoder": _("%(text)s is of space %(theirs)s, %(image)s of %(ours)s.")
                    % {
                        "text": text.name,
                        "theirs": text.space.name,
                        "image": image.name,
                        "ours": image.space.name,
                    }
                }
            )

    @property
    def space(self) -> EmbeddingSpace:
        return self.image_encoder.space

    @property
    def dim(self) -> int:
        return self.image_encoder.space.dim

    @property
    def is_image_only(self) -> bool:
        return self.text_encoder_id is None

    @property
    def metric_rows(self) -> list[tuple[str, str, str | int | float]]:
        """Metrics as rows of (group, name, value), in the order they were written."""
        return list(_rows(self.metrics))

    @property
    def towers(self) -> list[Encoder]:
        return [tower for tower in (self.image_encoder, self.text_encoder) if tower is not None]


def _rows(metrics: dict[str, Any], group: str = "") -> Iterator[tuple[str, str, Any]]:
    for name, value in metrics.items():
        if isinstance(value, dict):
            yield from _rows(value, f"{group} {name}".strip())
        else:
            yield group, str(name), value


class TrainingRun(models.Model):
    """One training. Its state, progress and failures are its job's; it has none of its own."""

    job = models.OneToOneField(
        "jobs.Job", models.PROTECT, related_name="training_run", verbose_name=_("job")
    )
    recipe = models.CharField(_("recipe"), max_length=40)
    # The frozen TrainConfig, complete: what was not asked for stands here at its default.
    config = models.JSONField(_("configuration"))
    snapshot = models.ForeignKey(
        "gallery.Snapshot",
        models.PROTECT,
        related_name="training_runs",
        null=True,
        blank=True,
        verbose_name=_("snapshot"),
    )
    # "drawn:SEED:COUNT", pictures that are drawn while training and have no rows.
    drawn = models.CharField(_("drawn people"), max_length=60, blank=True)
    # Not unique: a run that failed leaves its name to the next.
    version_name = models.CharField(_("name of the version"), max_length=100)
    version = models.ForeignKey(
        ModelVersion,
        models.SET_NULL,
        related_name="runs",
        null=True,
        blank=True,
        verbose_name=_("version"),
    )
    # How the training computes: precision, memory format, and what was measured to choose them.
    pace = models.JSONField(_("pace"), default=dict, blank=True, editable=False)
    # Somebody asked for the run to end, with a version, when the epoch at hand is over.
    finish_requested = models.BooleanField(_("ends after this epoch"), default=False)
    # The commit of the code that it was asked of; empty where none is known.
    revision = models.CharField(_("code revision"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        constraints = [
            models.CheckConstraint(
                name="training_run_has_one_source",
                condition=Q(snapshot__isnull=False, drawn="")
                | (Q(snapshot__isnull=True) & ~Q(drawn="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipe} {self.version_name}"

    def get_absolute_url(self) -> str:
        return reverse("training:run", args=[self.pk])

    @property
    def source(self) -> str:
        """What it learns from, in words that `train --dataset` takes or a person reads."""
        return self.drawn or str(self.snapshot)


class MetricPoint(models.Model):
    """One point of one curve of a run."""

    run = models.ForeignKey(
        TrainingRun, models.CASCADE, related_name="points", verbose_name=_("run")
    )
    step = models.PositiveIntegerField(_("step"))
    name = models.CharField(_("metric"), max_length=60)
    value = models.FloatField(_("value"))

    objects = MetricPointQuerySet.as_manager()

    class Meta:
        verbose_name = _("metric point")
        verbose_name_plural = _("metric points")
        constraints = [
            # A run that resumes passes some steps twice: the second replaces the first.
            models.UniqueConstraint(
                name="training_one_value_per_step", fields=["run", "name", "step"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.step}"


class Teacher(models.Model):
    """A foreign model's vectors of a dataset, to learn from. Its state is its job's."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    # What was there when it was asked for; its vectors serve later snapshots of the dataset too.
    snapshot = models.ForeignKey(
        "gallery.Snapshot", models.CASCADE, related_name="teachers", verbose_name=_("snapshot")
    )
    # Of the boxes; empty for all.
    split = models.CharField(_("split"), max_length=10, blank=True)
    # Null for vectors that were computed elsewhere.
    job = models.OneToOneField(
        "jobs.Job",
        models.PROTECT,
        related_name="teacher",
        null=True,
        blank=True,
        verbose_name=_("job"),
    )
    # As it was asked for: an id of the hub or a folder.
    model = models.CharField(_("model"), max_length=500)
    revision = models.CharField(_("revision"), max_length=100, blank=True)
    # Whether code that comes with the model may run.
    trusted = models.BooleanField(_("its code is trusted"), default=False)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    preprocessing = models.JSONField(_("preprocessing"), default=dict, blank=True)
    # Unknown, and no files, until the vectors are there.
    dim = models.PositiveIntegerField(_("dimensions"), null=True, blank=True)
    image_count = models.PositiveIntegerField(_("pictures"), default=0)
    text_count = models.PositiveIntegerField(_("texts"), default=0)
    # Name in the store -> {"name" in storage, "sha256", "size" in bytes}.
    files = models.JSONField(_("files"), default=dict, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = TeacherQuerySet.as_manager()

    class Meta:
        verbose_name = _("teacher")
        verbose_name_plural = _("teachers")
        constraints = [
            models.CheckConstraint(name="training_teacher_has_a_name", condition=~Q(name="")),
            models.CheckConstraint(
                name="training_teacher_with_files_has_dim",
                condition=Q(files={}) | Q(dim__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_ready(self) -> bool:
        return bool(self.files)


class Evaluation(models.Model):
    """How good a version, or a teacher, is on one split of a dataset, as it was frozen.

    Its state is its job's.
    """

    class Split(models.TextChoices):
        TRAIN = "train", _("train")
        VALIDATION = "validation", _("validation")
        TEST = "test", _("test")

    class Protocol(models.TextChoices):
        ALL_PAIRS = "all_pairs", _("all pairs")
        SEQUENTIAL = "sequential", _("earlier samples only")

    job = models.OneToOneField(
        "jobs.Job", models.PROTECT, related_name="evaluation", verbose_name=_("job")
    )
    # One of the two.
    version = models.ForeignKey(
        ModelVersion,
        models.CASCADE,
        related_name="evaluations",
        null=True,
        blank=True,
        verbose_name=_("version"),
    )
    teacher = models.ForeignKey(
        Teacher,
        models.CASCADE,
        related_name="evaluations",
        null=True,
        blank=True,
        verbose_name=_("teacher"),
    )
    snapshot = models.ForeignKey(
        "gallery.Snapshot", models.CASCADE, related_name="evaluations", verbose_name=_("snapshot")
    )
    split = models.CharField(_("split"), max_length=10, choices=Split)
    protocol = models.CharField(_("protocol"), max_length=10, choices=Protocol)
    # Of the captions that ask; empty for all.
    language = models.CharField(_("language"), max_length=2, blank=True)
    # How often this version has been measured on this dataset's test split, this time included;
    # null on the other splits. Only the first look is a test: later ones may have been chosen by.
    look = models.PositiveIntegerField(_("look at the test split"), null=True, blank=True)
    # Pictures of smaller classes take no part where some of each class are held out.
    smallest_class = models.PositiveIntegerField(_("smallest class"), default=7)
    # What `evaluate --json` writes; empty until the job is done.
    metrics = models.JSONField(_("metrics"), default=dict, blank=True)
    # Points of the error curve, counts of scores, and the worst pairs by box.
    details = models.JSONField(_("details"), default=dict, blank=True)
    # The ten best of each query; large, and not read with the rest.
    predictions = models.JSONField(_("predictions"), default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        constraints = [
            models.CheckConstraint(
                name="training_evaluation_counts_looks_at_test",
                condition=Q(split="test", look__isnull=False)
                | (~Q(split="test") & Q(look__isnull=True)),
            ),
            models.CheckConstraint(
                name="training_evaluation_of_one",
                condition=Q(version__isnull=False, teacher__isnull=True)
                | Q(version__isnull=True, teacher__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} on {self.snapshot} {self.split}"

    def get_absolute_url(self) -> str:
        return reverse("training:evaluation", args=[self.pk])

    @property
    def subject(self) -> ModelVersion | Teacher:
        """What was measured."""
        found = self.version or self.teacher
        assert found is not None  # a constraint of the database
        return found

    @property
    def is_first_look(self) -> bool:
        return self.look == 1
