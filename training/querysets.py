"""Reads over many rows of this app that must be right everywhere."""

from __future__ import annotations

from collections import defaultdict
from typing import Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, F, Window
from django.db.models.functions import Mod, RowNumber

from gallery.models import Dataset
from pedsite.accounts.models import User
from pedsite.jobs.models import Job


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
        return self.select_related("job__created_by", "snapshot__dataset", "version").order_by(
            "-pk"
        )

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Runs whose job a user may see: all for operators, their own for anyone else."""
        return self.filter(job__in=Job.objects.visible_to(user))

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

    def thinned(self, most: int) -> Self:
        """About `most` points of each curve, evenly chosen, the last of each among them.

        The database chooses: a long run has far more points than a page can show.
        """
        of_curve = [F("run_id"), F("name")]
        count = Window(Count("*"), partition_by=of_curve)
        place = Window(RowNumber(), partition_by=of_curve, order_by=F("step").desc())
        # Whole numbers: every third of 700 for at most 240.
        every = (F("curve_length") + most - 1) / most
        return (
            self.annotate(curve_length=count, place=place)
            .annotate(beside=Mod(F("place") - 1, every))
            .filter(beside=0)
        )


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
