"""What the administration shows of vectors and of who serves. Both are written elsewhere."""

import datetime as dt

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from search.cases.models import Case, CaseEvent, CaseExport
from search.forgetting.models import Removal, RetentionRule
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
from search.review.models import Change, Finding, Judgement, Query


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


@admin.register(Query)
class QueryAdmin(ReadOnly):
    list_display = ["text", "like", "created_by", "created_at"]
    list_select_related = ["like", "created_by"]
    search_fields = ["text"]
    ordering = ["-pk"]


class ChangeInline(TabularInline):
    model = Change
    fields = ["decision", "before", "made_at", "undone_at"]
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Change]:
        return super().get_queryset(request).select_related("decision__reviewer")

    @admin.display(description=_("made"))
    def made_at(self, change: Change) -> dt.datetime:
        return change.decision.made_at

    @admin.display(description=_("undone"))
    def undone_at(self, change: Change) -> dt.datetime | None:
        return change.decision.undone_at


@admin.register(Judgement)
class JudgementAdmin(ReadOnly):
    list_display = ["crop", "finding", "reviewer", "verdict", "decided_at"]
    list_filter = ["verdict", "reviewer"]
    list_select_related = ["finding__query__like", "reviewer"]
    search_fields = ["finding__query__text", "reviewer__username"]
    ordering = ["-pk"]
    inlines = [ChangeInline]

    @admin.display(description=_("crop"))
    def crop(self, judgement: Judgement) -> str:
        return _thumbnail(judgement.finding.box_id)


@admin.register(Finding)
class FindingAdmin(ReadOnly):
    list_display = ["crop", "query", "box", "rank", "version", "found_at"]
    list_select_related = ["query__like", "box", "version"]
    search_fields = ["query__text"]
    ordering = ["-pk"]

    @admin.display(description=_("crop"))
    def crop(self, finding: Finding) -> str:
        return _thumbnail(finding.box_id)


class EventInline(ChangeInline):
    model = CaseEvent
    fields = ["at", "user", "what", "detail"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[CaseEvent]:
        return CaseEvent.objects.select_related("user")


@admin.register(Case)
class CaseAdmin(ReadOnly):
    list_display = ["title", "reference", "state", "created_by", "created_at"]
    list_filter = ["state"]
    list_select_related = ["created_by"]
    search_fields = ["title", "reference"]
    inlines = [EventInline]


@admin.register(CaseExport)
class CaseExportAdmin(ReadOnly):
    exclude = ["file"]
    list_display = ["case", "sha256", "byte_size", "created_by", "created_at"]
    list_select_related = ["case", "created_by"]


def _thumbnail(box_id: int) -> str:
    return format_html(
        '<img src="{}?h=64" alt="" height="64">', reverse("gallery:crop", args=[box_id])
    )


@admin.register(Removal)
class RemovalAdmin(ReadOnly):
    list_display = ["id", "why", "dataset_name", "requested_by", "requested_at", "finished_at"]
    list_filter = ["why"]
    list_select_related = ["requested_by"]
    # Who goes, while they go.
    exclude = ["plan"]


@admin.register(RetentionRule)
class RetentionRuleAdmin(ReadOnly):
    list_display = ["dataset", "days", "since", "set_by", "set_at"]
    list_select_related = ["dataset", "set_by"]
