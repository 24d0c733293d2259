"""Datasets, grants, cameras and snapshots in the admin; what is curated has a file of its own."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from gallery import datasets
from gallery.curation_admin import OfVisibleDatasets, OnlyRead
from gallery.models import Box, Camera, Dataset, DatasetGrant, Image, Snapshot


class GrantInline(TabularInline):
    model = DatasetGrant
    autocomplete_fields = ["user", "group"]
    extra = 0
    tab = True


class CameraInline(TabularInline):
    model = Camera
    extra = 0
    tab = True


@admin.register(Dataset)
class DatasetAdmin(ModelAdmin):
    list_display = ["name", "title", "kind", "image_count", "box_count", "licence", "created_at"]
    list_filter = ["kind"]
    search_fields = ["name", "title", "source"]
    readonly_fields = ["created_by", "created_at"]
    inlines = [GrantInline, CameraInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).visible_to(request.user).with_counts()

    @admin.display(description=_("images"))
    def image_count(self, dataset: Dataset) -> int:
        return dataset.image_count

    @admin.display(description=_("boxes"))
    def box_count(self, dataset: Dataset) -> int:
        return dataset.box_count

    def get_deleted_objects(
        self, objs: Iterable[Dataset], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        # Counted instead of listed, since a dataset may have a million boxes; and no permission is
        # asked for each model in it: who may delete a dataset may delete what is in it.
        objs = list(objs)
        counts = {
            str(Dataset._meta.verbose_name_plural): len(objs),
            str(Box._meta.verbose_name_plural): Box.objects.filter(image__dataset__in=objs).count(),
            str(Image._meta.verbose_name_plural): Image.objects.filter(dataset__in=objs).count(),
        }
        return [str(one) for one in objs], counts, set(), []

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def delete_model(self, request: HttpRequest, obj: Dataset) -> None:
        datasets.delete(obj)


@admin.register(DatasetGrant)
class DatasetGrantAdmin(OfVisibleDatasets, ModelAdmin):
    list_display = ["dataset", "user", "group", "role", "created_at"]
    list_filter = ["dataset"]
    list_select_related = ["dataset", "user", "group"]
    autocomplete_fields = ["dataset", "user", "group"]


@admin.register(Camera)
class CameraAdmin(OfVisibleDatasets, ModelAdmin):
    list_display = ["name", "dataset"]
    list_filter = ["dataset"]
    list_select_related = ["dataset"]
    search_fields = ["name"]
    autocomplete_fields = ["dataset"]


@admin.register(Snapshot)
class SnapshotAdmin(OfVisibleDatasets, OnlyRead, ModelAdmin):
    list_display = ["dataset", "number", "box_count", "caption_count", "created_at", "created_by"]
    list_filter = ["dataset"]
    list_select_related = ["dataset", "created_by"]
