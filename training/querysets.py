"""Reads over many rows of this app that must be right everywhere."""

from __future__ import annotations

from collections import defaultdict
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db import models

from gallery.models import Dataset
from pedsite.accounts.models import User


class ModelVersionQuerySet(models.QuerySet):
    def with_towers(self) -> Self:
        """Both encoders and their spaces in one query; newest version first."""
        return self.select_related("image_encoder__space", "text_encoder__space").order_by("-pk")

    def answering_text(self) -> Self:
        """Versions that have a text tower, the only ones a text query may name."""
        return self.filter(text_encoder__isnull=False)


class TrainingRunQuerySet(models.QuerySet):
    def with_job(self) -> Self:
        """Runs with what a list shows of each, newest first; one query."""
        return self.select_related("job", "snapshot__dataset", "version").order_by("-pk")

    def unfinished(self) -> Self:
        """Runs that wait or train."""
        return self.filter(job__state__in=["queued", "running"])


class MetricPointQuerySet(models.QuerySet):
    def curves(self) -> dict[str, list[tuple[int, float]]]:
        """Points grouped by metric name, each list by rising step; one query."""
        grouped: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for name, step, value in self.order_by("name", "step").values_list("name", "step", "value"):
            grouped[name].append((step, value))
        return dict(grouped)


class TeacherQuerySet(models.QuerySet):
    def with_context(self) -> Self:
        """Teachers with what a list shows of each, newest first; one query."""
        return self.select_related("job", "snapshot__dataset").order_by("-pk")

    def ready(self) -> Self:
        """Those whose vectors are all there."""
        return self.exclude(files={})

    def of(self, dataset: Dataset) -> Self:
        return self.filter(snapshot__dataset=dataset)


class EvaluationQuerySet(models.QuerySet):
    def with_context(self) -> Self:
        """Evaluations with what a list shows of each, newest first; one query."""
        rows = self.select_related("job__created_by", "version", "teacher", "snapshot__dataset")
        return rows.defer("predictions").order_by("-pk")

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those on datasets that a user may see: their worst pairs show its pictures."""
        return self.filter(snapshot__dataset__in=Dataset.objects.visible_to(user))
