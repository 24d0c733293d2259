"""Webhooks of all users, to look at, and to stop by deletion."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from pedsite.webhooks.models import Delivery, Webhook


class Unchanged:
    """Nothing is added or changed here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Webhook)
class WebhookAdmin(Unchanged, ModelAdmin):
    list_display = ["url", "owner", "created_at", "heard_at", "failures", "off_at", "off_reason"]
    list_filter = [("off_at", admin.EmptyFieldListFilter)]
    list_select_related = ["owner"]
    search_fields = ["url", "owner__username"]
    exclude = ["salt", "former_salt", "digest"]


@admin.register(Delivery)
class DeliveryAdmin(Unchanged, ModelAdmin):
    list_display = ["id", "webhook", "event", "state", "attempts", "status", "problem", "due_at"]
    list_filter = ["state", "event"]
    list_select_related = ["webhook"]
    exclude = ["lease_key"]
