"""What the administration shows of vectors and of who serves. Both are written elsewhere."""

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from search.models import (
    Calibration,
    CompactIndex,
    Comparison,
    Embedding,
    IndexTuning,
    Inspection,
    SavedSearch,
    ServingVersion,
)


class ReadOnly(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Embedding)
class EmbeddingAdmin(ReadOnly):
    # The vector is hundreds of numbers that tell a reader nothing.
    exclude = ["vector"]
    list_display = ["box", "encoder", "dataset", "camera", "taken_at"]
    list_filter = ["encoder", "dataset"]
    list_select_related = ["box__image", "encoder", "dataset", "camera"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).defer("vector")


@admin.register(IndexTuning)
class IndexTuningAdmin(ReadOnly):
    list_display = ["encoder", "rows", "asked_with", "ef_fast", "ef_thorough", "measured_at"]
    list_filter = ["encoder"]
    list_select_related = ["encoder"]
    ordering = ["-pk"]


@admin.register(Calibration)
class CalibrationAdmin(ReadOnly):
    exclude = ["rates", "scores", "weights"]
    list_display = ["version", "query_kind", "pairs", "source", "created_at"]
    list_filter = ["query_kind"]
    list_select_related = ["version"]
    ordering = ["-pk"]


@admin.register(SavedSearch)
class SavedSearchAdmin(ReadOnly):
    exclude = ["seen"]
    list_display = ["name", "owner", "seen_at", "created_at"]
    list_select_related = ["owner"]
    ordering = ["-pk"]


@admin.register(Comparison)
class ComparisonAdmin(ReadOnly):
    # Lists of numbers; the page of the comparison shows what they mean.
    exclude = ["questions", "datasets"]
    list_display = ["old", "new", "job", "created_by", "created_at"]
    list_select_related = ["old", "new", "job", "created_by"]


@admin.register(CompactIndex)
class CompactIndexAdmin(ReadOnly):
    list_display = ["encoder", "rows", "code_bytes", "cells", "replaces_index", "built_at"]
    list_filter = ["encoder"]
    list_select_related = ["encoder"]
    ordering = ["-pk"]


@admin.register(Inspection)
class InspectionAdmin(ReadOnly):
    # Lists of numbers; the page of the inspection shows what they mean.
    exclude = ["questions", "numbers"]
    list_display = ["version", "dataset", "asked_with", "protocol", "job", "created_at"]
    list_filter = ["asked_with", "protocol"]
    list_select_related = ["version", "dataset", "job"]

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).defer("questions", "numbers")


@admin.register(ServingVersion)
class ServingVersionAdmin(ReadOnly):
    list_display = ["version", "query_kind", "dataset_kind", "set_by", "set_at"]
    list_filter = ["query_kind", "dataset_kind"]
    list_select_related = ["version", "set_by"]
    ordering = ["-pk"]
