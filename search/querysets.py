"""Reads of vectors that must be right everywhere: what may be found, and in which order."""

from typing import TYPE_CHECKING, Self

import numpy as np
from django.db import models
from django.db.models import BinaryField, F, Func, Q, Value
from django.db.models.functions import Cast
from pgvector import HalfVector
from pgvector.django import CosineDistance, HalfVectorField

from gallery.models import Box, Dataset, Review

if TYPE_CHECKING:
    from pedsite.accounts.models import User
    from search.models import ServingVersion
    from training.models import Encoder


class EmbeddingQuerySet(models.QuerySet):
    def findable(self) -> Self:
        """Without the boxes that a reviewer hid.

        NOT IN, and not a join: Postgres hashes the few hidden ids once and keeps its choice of
        index for the rest.
        """
        return self.exclude(box__in=Box.objects.filter(review=Review.HIDDEN).values("pk"))

    def nearest_exactly(self, query: np.ndarray, encoder: "Encoder") -> Self:
        """Rows of one encoder with `distance` (cosine, 0 to 2), closest first, ties by box id.

        Without the cast that the vector index has, so that Postgres never takes it: every row
        left by the filters is compared. Slice the result.

        Raises:
            ValueError: the query is not (encoder.dim,).
        """
        distance = CosineDistance(F("vector"), _vector(query, encoder))
        return (
            self.filter(encoder_id=encoder.pk)
            .annotate(distance=distance)
            .order_by("distance", "box_id")
        )

    def nearest_by_index(self, query: np.ndarray, encoder: "Encoder") -> Self:
        """As `nearest_exactly`, but as the index walks: nearly all of the nearest, nearly sorted.

        Cast and filter repeat the encoder's partial index word for word, which is what lets
        Postgres use it: the caller adds `load__lte` of the index. Call `index.prepare` first,
        slice the result, then sort it.

        Raises:
            ValueError: the query is not (encoder.dim,).
        """
        cast = Cast("vector", HalfVectorField(dimensions=encoder.dim))
        return (
            self.filter(encoder_id=encoder.pk)
            .annotate(distance=CosineDistance(cast, _vector(query, encoder)))
            .order_by("distance")
        )

    def within(self, query: np.ndarray, least: float, most: float, name: str) -> Self:
        """Rows whose cosine with a vector lies between two bounds, -1 to 1.

        Args:
            name: of the annotation, another one for each call.
        """
        distance = CosineDistance(F("vector"), _written(query))
        rows = self.alias(**{name: distance})
        if least > -1:
            rows = rows.filter(**{f"{name}__lte": 1 - least})
        return rows.filter(**{f"{name}__gte": 1 - most}) if most < 1 else rows

    def beyond(self, distance: float, box_id: int) -> Self:
        """Rows after a hit in the order of `nearest_exactly`, whose annotation this needs."""
        return self.filter(Q(distance__gt=distance) | Q(distance=distance, box_id__gt=box_id))

    def with_bytes(self) -> Self:
        """Adds `vector_bytes`, the vector as Postgres sends it: equal vectors, equal bytes."""
        sent = Func(F("vector"), function="halfvec_send", output_field=BinaryField())
        return self.annotate(vector_bytes=sent)

    def vectors(self) -> dict[int, np.ndarray]:
        """Float32 (dim,) by box id, of rows of one encoder: read from bytes, not from text."""
        found = self.with_bytes().values_list("box_id", "vector_bytes")
        return {box_id: read_vector(sent) for box_id, sent in found}


class InspectionQuerySet(models.QuerySet):
    def visible_to(self, user: "User") -> Self:
        """Those of datasets that a user may see: they show its pictures."""
        return self.filter(dataset__in=Dataset.objects.visible_to(user))

    def with_context(self) -> Self:
        """With what a page names, and without the questions, which are long."""
        return self.select_related("version", "dataset", "job", "created_by").defer("questions")


class ServingVersionQuerySet(models.QuerySet):
    def newest(self, dataset_kind: str, query_kind: str) -> "ServingVersion | None":
        """The row in force for a kind of dataset and a kind of query, with its towers."""
        return (
            self.filter(dataset_kind=dataset_kind, query_kind=query_kind)
            .select_related(
                "version__image_encoder__space", "version__text_encoder__space", "set_by"
            )
            .order_by("-pk")
            .first()
        )

    def in_force(self) -> Self:
        """The newest row of each pair of a kind of dataset and a kind of query."""
        pair = ("dataset_kind", "query_kind")
        newest = self.model.objects.order_by(*pair, "-pk").distinct(*pair).values("pk")
        return self.filter(pk__in=newest).order_by(*pair)


def _vector(query: np.ndarray, encoder: "Encoder") -> Value:
    if query.shape != (encoder.dim,):
        raise ValueError(f"the query is {query.shape}, {encoder} has dim {encoder.dim}")
    return _written(query)


def read_vector(sent: bytes) -> np.ndarray:
    """Float32 (dim,) of what `halfvec_send` writes."""
    # The number of numbers and 16 bits that are unused come first.
    return np.frombuffer(sent, dtype=">f2", offset=4).astype(np.float32)


def _written(query: np.ndarray) -> Value:
    # Five digits tell any two half-precision numbers apart, and are half the text of repr.
    numbers = ",".join(f"{number:.5g}" for number in HalfVector(query).to_list())
    return Value(f"[{numbers}]")
