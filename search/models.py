"""Where a description leads: the vectors of boxes, and which version answers a query."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField

# Django finds models here: these are told of where they are imported from.
from search.cases.models import Case, CaseEvent, CaseExport, CaseHit, CaseNote, CaseSearch
from search.drafting.models import AttributeScale
from search.forgetting.models import Removal, RetentionRule
from search.querysets import EmbeddingQuerySet, ServingVersionQuerySet
from search.review.models import Change, Decision, Finding, Judgement, Query
from search.trial_models import Comparison, Inspection, Preference, QueryKind

__all__ = [
    "AttributeScale",
    "Background", "Calibration", "Case", "CaseEvent", "CaseExport", "CaseHit",
    "CaseNote", "CaseSearch", "Change", "CompactIndex", "Comparison", "Decision", "Embedding",
    "Finding", "IndexTuning", "Inspection", "Judgement", "Mirror", "Mode", "Preference", "Query",
    "QueryKind", "Removal", "RetentionRule", "SavedSearch", "ServingVersion", "Unmirrored",
]  # fmt: skip


class Embedding(models.Model):
    """The unit vector that one image encoder gives for one box.

    Dataset, camera and time repeat the image's, so that filters and permissions act on the row
    that the vector index scans. Rows are written by `enrollment` alone.
    """

    # Made again from the box by any enrollment, so it keeps no box from being undone.
    is_derived = True

    encoder = models.ForeignKey(
        "training.Encoder", models.CASCADE, related_name="+", db_index=False
    )
    box = models.ForeignKey("gallery.Box", models.CASCADE, related_name="embeddings")
    # Without dimensions: encoders of any width share the column. Stored inline (migration 1).
    vector = HalfVectorField()
    dataset = models.ForeignKey("gallery.Dataset", models.CASCADE, related_name="+", db_index=False)
    camera = models.ForeignKey(
        "gallery.Camera", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    taken_at = models.DateTimeField(_("taken"), null=True, blank=True)
    # The bulk load that brought it, 0 for none. An index covers the loads up to a number, so that
    # a later load writes rows that no index has to take in one by one (`search.index`).
    load = models.PositiveIntegerField(default=0, db_default=0)

    objects = EmbeddingQuerySet.as_manager()

    class Meta:
        verbose_name = _("embedding")
        verbose_name_plural = _("embeddings")
        constraints = [
            models.UniqueConstraint(name="search_embedding_once", fields=["encoder", "box"])
        ]
        # Each holds all that counting under the filters reads: the table itself stays untouched.
        indexes = [
            models.Index(
                name="search_embedding_by_dataset",
                fields=["encoder", "dataset"],
                include=["box", "camera", "taken_at"],
            ),
            models.Index(
                name="search_embedding_by_camera",
                fields=["encoder", "camera"],
                include=["box", "dataset", "taken_at"],
            ),
            models.Index(
                name="search_embedding_by_time",
                fields=["encoder", "taken_at"],
                include=["box", "dataset", "camera"],
            ),
            models.Index(
                name="search_embedding_by_load",
                fields=["encoder", "load"],
                condition=models.Q(load__gt=0),
            ),
        ]

    def __str__(self) -> str:
        return f"encoder {self.encoder_id}, box {self.box_id}"


class Mode(models.TextChoices):
    """How much work a search among many boxes is worth; among few every mode is exact."""

    FAST = "fast", _("fast")
    THOROUGH = "thorough", _("thorough")
    EXACT = "exact", _("exact")
    # By codes that take a tenth of the memory, where they were built; else as fast.
    COMPACT = "compact", _("compact")


class IndexTuning(models.Model):
    """How wide an encoder's index has to be walked, found by comparing with the exact scan.

    The newest row of an encoder is in force until the gallery has twice its rows.
    """

    encoder = models.ForeignKey("training.Encoder", models.CASCADE, related_name="+")
    rows = models.PositiveBigIntegerField(_("vectors"))
    # What asked: texts, or the vectors of boxes where no text tower is there.
    asked_with = models.CharField(_("asked with"), max_length=10, choices=QueryKind)
    # Which engine was walked: a width is worth another recall in another one.
    engine = models.CharField(_("engine"), max_length=20, default="pgvector", db_default="pgvector")
    questions = models.PositiveIntegerField(_("questions"))
    # Walked widths, rising, as {"ef", "recall", "ms"}: recall of the nearest 20 against the exact
    # scan, 0 to 1, and the median of milliseconds.
    curve = models.JSONField(_("curve"))
    # One exact scan of all these vectors, median milliseconds.
    exact_ms = models.FloatField(_("exact scan, ms"))
    # As many vectors of a filter's, scattered among others, one by one through the filter's index:
    # that takes two to three times as long. None where there is no camera to filter by.
    filtered_ms = models.FloatField(_("exact scan behind a filter, ms"), null=True)
    ef_fast = models.PositiveIntegerField(_("width when fast"))
    ef_thorough = models.PositiveIntegerField(_("width when thorough"))
    measured_at = models.DateTimeField(_("measured"), auto_now_add=True)

    class Meta:
        verbose_name = _("index tuning")
        verbose_name_plural = _("index tunings")
        indexes = [models.Index(name="search_tuning_newest", fields=["encoder", "-id"])]

    def __str__(self) -> str:
        return f"encoder {self.encoder_id} at {self.rows} vectors"

    def ef(self, mode: str) -> int:
        """The width that a mode walks with."""
        return self.ef_thorough if mode == Mode.THOROUGH else self.ef_fast

    def recall(self, mode: str) -> float:
        """What that width found of the nearest 20, 0 to 1."""
        return self._at(mode)["recall"]

    def ms(self, mode: str) -> float:
        """What that width took, median milliseconds."""
        return self._at(mode)["ms"]

    @property
    def exact_rows(self) -> int:
        """How many vectors of a filter's an exact scan compares in the time of a fast walk."""
        scan = max(self.exact_ms, self.filtered_ms or 0)
        return int(self.rows * self.ms(Mode.FAST) / scan) if scan else 0

    def _at(self, mode: str) -> dict[str, Any]:
        return next(point for point in self.curve if point["ef"] == self.ef(mode))


def collection_name() -> str:
    """A name that nothing else has, for a collection of Milvus."""
    return f"pedsite_{uuid.uuid4().hex}"


class Mirror(models.Model):
    """That the vectors of an encoder are kept in Milvus too.

    Without a foreign key: the row has to outlive its encoder until the collection is dropped.
    """

    encoder_id = models.PositiveBigIntegerField(primary_key=True)
    # Like no other: sites that share a cluster must not take each other's.
    collection = models.CharField(_("collection"), max_length=60, default=collection_name)
    # Boxes up to this one were taken over from what was there when it began.
    filled_to = models.PositiveBigIntegerField(default=0)
    is_filled = models.BooleanField(_("filled"), default=False)
    # When something last went over: a search soon after asks Milvus to wait for it.
    synced_at = models.DateTimeField(_("last change"), null=True, blank=True)

    class Meta:
        verbose_name = _("mirror")
        verbose_name_plural = _("mirrors")

    def __str__(self) -> str:
        return f"encoder {self.encoder_id}"


class Unmirrored(models.Model):
    """That one vector has to be looked at again: it came, changed, went, or its box was hidden.

    Written in the transaction that changes it, by `vectors.write` and by triggers (migration 8),
    and deleted when Milvus has what the database holds by then.
    """

    encoder_id = models.PositiveBigIntegerField()
    box_id = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("change that waits for its mirror")
        verbose_name_plural = _("changes that wait for their mirror")
        indexes = [models.Index(name="search_unmirrored_next", fields=["encoder_id", "id"])]

    def __str__(self) -> str:
        return f"encoder {self.encoder_id}, box {self.box_id}"


class CompactIndex(models.Model):
    """A file of short codes of an encoder's vectors, built by `search.compact`."""

    encoder = models.ForeignKey("training.Encoder", models.CASCADE, related_name="+")
    # Its name in storage.
    file = models.CharField(_("file"), max_length=200)
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveBigIntegerField(_("vectors"))
    # The embedding up to which it covers all; later ones are compared exactly.
    newest = models.PositiveBigIntegerField(_("newest vector"))
    code_bytes = models.PositiveIntegerField(_("bytes of a code"))
    cells = models.PositiveIntegerField(_("cells"))
    byte_size = models.PositiveBigIntegerField(_("bytes"))
    # The encoder has no other index, and is not given one.
    replaces_index = models.BooleanField(_("instead of the vector index"), default=False)
    built_at = models.DateTimeField(_("built"), auto_now_add=True)

    class Meta:
        verbose_name = _("compact codes")
        verbose_name_plural = _("compact codes")
        indexes = [models.Index(name="search_compact_newest", fields=["encoder", "-id"])]

    def __str__(self) -> str:
        return f"encoder {self.encoder_id}: {self.rows} vectors"

    @property
    def bytes_each(self) -> float:
        """Bytes a vector takes, with all that the codes need to be read."""
        return self.byte_size / max(1, self.rows)


class ServingVersion(models.Model):
    """That a version answers one kind of query about one kind of dataset, from a moment on.

    The newest row of a pair is in force; older rows are the history to roll back to.
    """

    dataset_kind = models.CharField(_("kind of dataset"), max_length=40, default="person")
    query_kind = models.CharField(_("kind of query"), max_length=10, choices=QueryKind)
    version = models.ForeignKey(
        "training.ModelVersion",
        # What answers searches must not vanish with a click on another page.
        models.PROTECT,
        related_name="servings",
        verbose_name=_("model version"),
    )
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    set_at = models.DateTimeField(_("since"), auto_now_add=True)

    objects = ServingVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("serving version")
        verbose_name_plural = _("serving versions")
        indexes = [
            models.Index(name="search_serving_newest", fields=["dataset_kind", "query_kind", "-id"])
        ]
        constraints = [
            models.CheckConstraint(
                name="search_serving_query_kind",
                condition=models.Q(query_kind__in=QueryKind.values),
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} answers {self.query_kind} about {self.dataset_kind}"


class Background(models.Model):
    """Vectors of crops of nobody in particular, on which scores of an image encoder are read."""

    encoder = models.OneToOneField(
        "training.Encoder", models.CASCADE, related_name="+", verbose_name=_("encoder")
    )
    # Half precision, little-endian, `count` rows.
    vectors = models.BinaryField()
    count = models.PositiveIntegerField(_("boxes"))
    source = models.CharField(_("source"), max_length=200)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("background")
        verbose_name_plural = _("backgrounds")

    def __str__(self) -> str:
        return f"{self.count} of {self.source}"


def standard_deviations() -> list[float]:
    """What the first calibrations took for a score."""
    return [0.0, 1.0, 0.0]


class Calibration(models.Model):
    """How often pairs that do not belong together score above a threshold, for one version.

    The newest of a version and a kind of query is in force. `rates` fall, `scores` rise with them:
    what `weights` make of a cosine and its two places on the background (`evidence.Blend`).
    """

    version = models.ForeignKey(
        "training.ModelVersion",
        models.CASCADE,
        related_name="calibrations",
        verbose_name=_("model version"),
    )
    query_kind = models.CharField(_("kind of query"), max_length=10, choices=QueryKind)
    rates = models.JSONField()
    scores = models.JSONField()
    weights = models.JSONField(default=standard_deviations)
    pairs = models.PositiveBigIntegerField(_("impostor pairs"))
    source = models.CharField(_("source"), max_length=200)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("calibration")
        verbose_name_plural = _("calibrations")
        indexes = [
            models.Index(name="search_calibration_newest", fields=["version", "query_kind", "-id"])
        ]
        constraints = [
            models.CheckConstraint(
                name="search_calibration_query_kind",
                condition=models.Q(query_kind__in=QueryKind.values),
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}, {self.query_kind} queries, {self.pairs} pairs"


class SavedSearch(models.Model):
    """A search that its owner comes back to, and what it found when they last looked."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_searches"
    )
    name = models.CharField(_("name"), max_length=100)
    # The query string of the search page.
    query = models.TextField(_("query"))
    # Ids of the boxes that matched then.
    seen = models.JSONField(default=list)
    seen_at = models.DateTimeField(_("last seen"), auto_now_add=True)
    seen_version = models.CharField(max_length=100, blank=True)
    # Ids of boxes that webhooks were told of, the last of them, and of how many ever.
    told = models.JSONField(default=list, editable=False)
    told_count = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        constraints = [
            models.UniqueConstraint(name="search_saved_name_once", fields=["owner", "name"])
        ]

    def __str__(self) -> str:
        return self.name
