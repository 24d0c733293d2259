"""Models and trainings to look at. Commands make them; a name, licence or note may be mended."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from training.models import (
    EmbeddingSpace,
    Encoder,
    Evaluation,
    MetricPoint,
    ModelVersion,
    Teacher,
    TrainingRun,
)


class MadeElsewhere:
    """No way to add by hand: files have to pass their checks first."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnly(MadeElsewhere):
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(MadeElsewhere, ModelAdmin):
    list_display = ["name", "dim", "created_at"]
    search_fields = ["name"]
    readonly_fields = ["dim", "created_at"]


@admin.register(Encoder)
class EncoderAdmin(ReadOnly, ModelAdmin):
    list_display = ["name", "modality", "space", "byte_size", "created_at"]
    list_filter = ["modality", "space"]
    list_select_related = ["space"]
    search_fields = ["name", "sha256"]


@admin.register(ModelVersion)
class ModelVersionAdmin(MadeElsewhere, ModelAdmin):
    list_display = ["name", "image_encoder", "text_encoder", "licence", "created_at"]
    list_select_related = ["image_encoder", "text_encoder"]
    search_fields = ["name", "notes"]
    # The name too: addresses, logs and folders refer to it.
    readonly_fields = ["name", "image_encoder", "text_encoder", "metrics", "created_at"]


class MetricPointInline(ReadOnly, TabularInline):
    model = MetricPoint
    fields = ["name", "step", "value"]
    ordering = ["name", "step"]
    per_page = 50
    tab = True


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnly, ModelAdmin):
    list_display = ["version_name", "recipe", "source", "state", "version", "created_at"]
    list_filter = ["recipe"]
    list_select_related = ["job", "snapshot__dataset", "version"]
    search_fields = ["version_name"]
    inlines = [MetricPointInline]

    @admin.display(ordering="job__state")
    def state(self, run: TrainingRun) -> str:
        return run.job.get_state_display()


@admin.register(MetricPoint)
class MetricPointAdmin(ReadOnly, ModelAdmin):
    list_display = ["run", "name", "step", "value"]
    list_filter = ["name"]
    list_select_related = ["run"]


@admin.register(Teacher)
class TeacherAdmin(ReadOnly, ModelAdmin):
    list_display = ["name", "dataset", "model", "dim", "image_count", "text_count", "ready"]
    list_select_related = ["snapshot__dataset"]
    search_fields = ["name", "model"]

    @admin.display(ordering="snapshot__dataset__name", description=_("dataset"))
    def dataset(self, teacher: Teacher) -> str:
        return teacher.snapshot.dataset.name

    @admin.display(boolean=True, description=_("ready"))
    def ready(self, teacher: Teacher) -> bool:
        return teacher.is_ready


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnly, ModelAdmin):
    list_display = ["subject", "dataset", "split", "language", "look", "state", "created_at"]
    list_filter = ["split", "protocol", "language"]
    list_select_related = ["job", "version", "teacher", "snapshot__dataset"]
    search_fields = ["version__name", "teacher__name", "snapshot__dataset__name"]
    # Hundreds of points and pairs, which its page draws.
    exclude = ["details"]

    @admin.display(description=_("subject"))
    def subject(self, evaluation: Evaluation) -> str:
        return evaluation.subject.name

    @admin.display(ordering="snapshot__dataset__name", description=_("dataset"))
    def dataset(self, evaluation: Evaluation) -> str:
        return evaluation.snapshot.dataset.name

    @admin.display(ordering="job__state", description=_("state"))
    def state(self, evaluation: Evaluation) -> str:
        return evaluation.job.get_state_display()
