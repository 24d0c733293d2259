"""The gallery in the admin: looking, reviewing, granting, and deletes that take the files along."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline

from gallery import captions, datasets, images
from gallery.models import (
    Box,
    Camera,
    Caption,
    Dataset,
    DatasetGrant,
    Identity,
    Image,
    Review,
    Snapshot,
)
from pedsite.api import DomainError

THUMBNAIL = 72


class OfVisibleDatasets:
    """Rows of datasets that the user may see; `path` leads from a row to its dataset."""

    path = "dataset"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        visible = Dataset.objects.visible_to(request.user)
        return super().get_queryset(request).filter(**{f"{self.path}__in": visible})


class NotAdded:
    """Rows that only imports and jobs make."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Deletes:
    """Deletes through the domain, whose functions take files and dependent rows along.

    The page before counts instead of listing, since a dataset may have a million boxes, and
    asks no permission for each dependent model: who may delete a picture may delete what is
    known of it.
    """

    def get_deleted_objects(
        self, objs: Iterable[Model], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        objs = list(objs)
        model = self.model
        path = "image" if model is Image else "image__dataset"
        counts = {
            str(model._meta.verbose_name_plural): len(objs),
            str(Box._meta.verbose_name_plural): Box.objects.filter(**{f"{path}__in": objs}).count(),
        }
        if model is Dataset:
            images_of = Image.objects.filter(dataset__in=objs)
            counts[str(Image._meta.verbose_name_plural)] = images_of.count()
        return [str(one) for one in objs], counts, set(), []

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            self.delete_model(request, row)


@admin.action(description=_("Approve"))
def approve(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    queryset.update(review=Review.APPROVED)


@admin.action(description=_("Hide"))
def hide(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    queryset.update(review=Review.HIDDEN)


@admin.action(description=_("Approve"))
def approve_captions(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    _decide(modeladmin, request, queryset, Review.APPROVED)


@admin.action(description=_("Reject"))
def reject_captions(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    _decide(modeladmin, request, queryset, Review.HIDDEN)


def _decide(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet, verdict: str) -> None:
    """As on the page of the captions: curators only, written down, undone there."""
    try:
        captions.decide(list(queryset.values_list("pk", flat=True)), verdict, request.user)
    except DomainError as exc:
        modeladmin.message_user(request, str(exc), messages.ERROR)


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
class DatasetAdmin(Deletes, ModelAdmin):
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


class BoxInline(NotAdded, TabularInline):
    model = Box
    ordering = ["pk"]
    fields = ["thumbnail", "source", "score", "identity", "review"]
    readonly_fields = ["thumbnail", "source", "score"]
    autocomplete_fields = ["identity"]
    show_change_link = True
    extra = 0
    per_page = 20

    @admin.display(description=_("picture"))
    def thumbnail(self, box: Box) -> SafeString:
        return _crop(box)


@admin.register(Image)
class ImageAdmin(OfVisibleDatasets, NotAdded, Deletes, ModelAdmin):
    list_display = ["thumbnail", "name", "dataset", "camera", "taken_at", "width", "height"]
    list_display_links = ["thumbnail", "name"]
    list_filter = ["dataset", "camera", "taken_at"]
    list_select_related = ["dataset", "camera"]
    search_fields = ["name", "sha256"]
    readonly_fields = ["preview", "dataset", "sha256", "name", "width", "height", "created_at"]
    autocomplete_fields = ["camera"]
    show_full_result_count = False
    inlines = [BoxInline]

    @admin.display(description=_("picture"))
    def thumbnail(self, image: Image) -> SafeString:
        return _picture(reverse("gallery:frame", args=[image.pk]) + "?w=160", THUMBNAIL)

    @admin.display(description=_("picture"))
    def preview(self, image: Image) -> SafeString:
        return _picture(reverse("gallery:frame", args=[image.pk]) + "?w=640", 360)

    def delete_model(self, request: HttpRequest, obj: Image) -> None:
        images.delete([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        images.delete(list(queryset))


@admin.register(Identity)
class IdentityAdmin(OfVisibleDatasets, ModelAdmin):
    list_display = ["key", "dataset", "split"]
    list_filter = ["dataset", "split"]
    list_select_related = ["dataset"]
    search_fields = ["key"]
    autocomplete_fields = ["dataset"]
    show_full_result_count = False


class CaptionInline(NotAdded, TabularInline):
    model = Caption
    fields = ["kind", "language", "text", "source", "drafted_by", "review"]
    readonly_fields = fields
    can_delete = False
    show_change_link = True
    extra = 0


@admin.register(Box)
class BoxAdmin(OfVisibleDatasets, NotAdded, ModelAdmin):
    path = "image__dataset"
    list_display = ["thumbnail", "image", "source", "score", "identity", "review", "created_at"]
    list_display_links = ["thumbnail", "image"]
    list_filter = ["source", "review", "image__dataset"]
    list_select_related = ["image", "identity"]
    search_fields = ["image__name", "identity__key"]
    readonly_fields = [
        "preview", "image", "left", "top", "right", "bottom", "source", "score", "created_at",
    ]  # fmt: skip
    autocomplete_fields = ["identity"]
    show_full_result_count = False
    actions = [approve, hide]
    inlines = [CaptionInline]

    @admin.display(description=_("picture"))
    def thumbnail(self, box: Box) -> SafeString:
        return _crop(box)

    @admin.display(description=_("picture"))
    def preview(self, box: Box) -> SafeString:
        return _picture(reverse("gallery:crop", args=[box.pk]) + "?h=512", 320)


@admin.register(Caption)
class CaptionAdmin(OfVisibleDatasets, NotAdded, ModelAdmin):
    path = "box__image__dataset"
    list_display = ["thumbnail", "text", "kind", "language", "source", "review"]
    list_display_links = ["thumbnail", "text"]
    list_filter = ["kind", "language", "source", "drafted_by", "review", "box__image__dataset"]
    list_select_related = ["box"]
    search_fields = ["text"]
    readonly_fields = ["box", "kind", "language", "source", "drafted_by", "created_at"]
    show_full_result_count = False
    actions = [approve_captions, reject_captions]

    def save_model(self, request: HttpRequest, obj: Caption, form: Any, change: bool) -> None:
        try:
            if "text" in form.changed_data:
                captions.edit(obj.pk, obj.text, request.user)
            if "review" in form.changed_data:
                captions.decide([obj.pk], obj.review, request.user)
        except DomainError as exc:
            self.message_user(request, str(exc), messages.ERROR)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Rejecting does, and can be undone.
        return False

    @admin.display(description=_("picture"))
    def thumbnail(self, caption: Caption) -> SafeString:
        return _crop(caption.box)


@admin.register(Snapshot)
class SnapshotAdmin(OfVisibleDatasets, NotAdded, ModelAdmin):
    list_display = ["dataset", "number", "box_count", "caption_count", "created_at", "created_by"]
    list_filter = ["dataset"]
    list_select_related = ["dataset", "created_by"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _crop(box: Box) -> SafeString:
    return _picture(reverse("gallery:crop", args=[box.pk]) + "?h=144", THUMBNAIL)


def _picture(url: str, height: int) -> SafeString:
    return format_html('<img src="{}" height="{}" loading="lazy" alt="">', url, height)
