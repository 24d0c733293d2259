"""Jobs to look at; they change through their pages, never here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from pedsite.jobs.models import Job, JobFailure


class ReadOnly:
    """No way to add, change or delete."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FailureInline(ReadOnly, TabularInline):
    model = JobFailure
    fields = readonly_fields = ["item", "reason", "created_at"]
    per_page = 20
    tab = True


@admin.register(Job)
class JobAdmin(ReadOnly, ModelAdmin):
    list_display = [
        "id",
        "kind",
        "state",
        "queue",
        "done",
        "failed",
        "total",
        "created_by",
        "created_at",
    ]
    list_filter = ["state", "kind", "queue"]
    search_fields = ["kind", "note", "error"]
    list_select_related = ["created_by"]
    date_hierarchy = "created_at"
    inlines = [FailureInline]


@admin.register(JobFailure)
class JobFailureAdmin(ReadOnly, ModelAdmin):
    list_display = ["job", "item", "reason", "created_at"]
    search_fields = ["item", "reason"]
    list_select_related = ["job"]
