"""Jobs to look at, which change through their pages and never here; queues to pause."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from pedsite.jobs import queues
from pedsite.jobs.models import Job, JobFailure, PausedQueue


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


@admin.register(PausedQueue)
class PausedQueueAdmin(ModelAdmin):
    """Adding a row pauses a queue, deleting it resumes."""

    list_display = ["queue", "since", "by", "reason"]
    list_select_related = ["by"]
    fields = ["queue", "reason"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "queue":
            return forms.ChoiceField(choices=[(name, name) for name in queues.names()])
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.pk = queues.pause(obj.queue, request.user, obj.reason).pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        queues.resume(obj.queue)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for each in list(queryset):
            queues.resume(each.queue)


@admin.register(JobFailure)
class JobFailureAdmin(ReadOnly, ModelAdmin):
    list_display = ["job", "item", "reason", "created_at"]
    search_fields = ["item", "reason"]
    list_select_related = ["job"]
