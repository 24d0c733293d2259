"""The log to look at, for administrators; nobody changes it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from pedsite.audit.models import Entry


@admin.register(Entry)
class EntryAdmin(ModelAdmin):
    list_display = [
        "at", "username", "key", "via", "action", "about", "text", "results", "version", "purpose",
    ]  # fmt: skip
    list_filter = ["action", "via", "at"]
    search_fields = ["username", "key", "text", "about", "purpose"]
    date_hierarchy = "at"
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_authenticated and request.user.sees_everything

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
