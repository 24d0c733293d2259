"""Pictures, boxes, people and captions in the admin: every change by the domain, written down."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    RangeDateTimeFilter,
    RangeNumericFilter,
)

from gallery import captions, corrections, curation, people
from gallery.models import Action, Box, Caption, Change, Dataset, Identity, Image, Review
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


class OnlyRead(NotAdded):
    """Rows that nobody changes."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class Curated:
    """Changed by curators alone, by functions that write it down."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return request.user.curates and super().has_add_permission(request, *args)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.curates and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.curates and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        _correct(request, obj, form.changed_data)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for obj, names in formset.changed_objects:
            _correct(request, obj, names)
        formset.save_m2m()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        _delete(request, type(obj), [obj.pk])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        _delete(request, queryset.model, list(queryset.values_list("pk", flat=True)))


def _correct(request: HttpRequest, obj: Model, names: list[str]) -> None:
    if not isinstance(obj, Box):
        columns = [obj._meta.get_field(name).attname for name in names]
        corrections.correct(obj, {name: getattr(obj, name) for name in columns}, request.user)
        return
    if "review" in names:
        curation.review([obj.pk], obj.review, request.user)
    if "identity" in names:
        key = obj.identity.key if obj.identity else ""
        curation.assign([obj.pk], key, request.user)


def _delete(request: HttpRequest, model: type[Model], ids: list[int]) -> None:
    if model is not Box:
        corrections.delete(model, ids, request.user)
        return
    for left in curation.delete(ids, request.user).left:
        words = {"number": left.row, "why": left.reason}
        messages.warning(request, _("Box %(number)d stays: %(why)s") % words)


def _reviewing(verdict: str, label: Any) -> Any:
    """A bulk action on boxes."""

    @admin.action(description=label, permissions=["change"])
    def act(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        try:
            changed = curation.review(ids, verdict, request.user).changed
        except DomainError as exc:
            messages.error(request, str(exc))
        else:
            messages.success(request, _("Rows changed: %(count)d") % {"count": changed})

    act.__name__ = {"approved": "approve", "hidden": "hide"}.get(verdict, "unreview")
    return act


@admin.action(description=gettext_lazy("Approve"))
def approve_captions(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    _decide(modeladmin, request, queryset, Review.APPROVED)


@admin.action(description=gettext_lazy("Reject"))
def reject_captions(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    _decide(modeladmin, request, queryset, Review.HIDDEN)


def _decide(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet, verdict: str) -> None:
    """As on the page of the captions: curators only, written down, undone there."""
    try:
        captions.decide(list(queryset.values_list("pk", flat=True)), verdict, request.user)
    except DomainError as exc:
        modeladmin.message_user(request, str(exc), messages.ERROR)


def _splitting(split: str, label: Any) -> Any:
    @admin.action(description=label, permissions=["change"])
    def act(modeladmin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
        try:
            made = people.set_split(queryset.values_list("pk", flat=True), split, request.user)
        except DomainError as exc:
            messages.error(request, str(exc))
        else:
            rows = sum(action.rows for action in made)
            messages.success(request, _("Rows changed: %(count)d") % {"count": rows})

    act.__name__ = f"split_{split or 'none'}"
    return act


REVIEWING = [
    _reviewing(Review.APPROVED, gettext_lazy("Approve")),
    _reviewing(Review.HIDDEN, gettext_lazy("Hide")),
    _reviewing(Review.UNREVIEWED, gettext_lazy("Make unreviewed")),
]
SPLITTING = [
    _splitting("train", gettext_lazy("Split: train")),
    _splitting("validation", gettext_lazy("Split: validation")),
    _splitting("test", gettext_lazy("Split: test")),
    _splitting("", gettext_lazy("Split: none")),
]


class BoxForm(forms.ModelForm):
    """A box whose person is of its own dataset."""

    def clean_identity(self) -> Identity | None:
        identity = self.cleaned_data["identity"]
        if identity is not None and identity.dataset_id != self.instance.image.dataset_id:
            raise ValidationError(_("This person is of another dataset."))
        return identity


class CameraForm(forms.ModelForm):
    """A picture whose camera is of its own dataset."""

    def clean_camera(self) -> Any:
        camera = self.cleaned_data["camera"]
        if camera is not None and camera.dataset_id != self.instance.dataset_id:
            raise ValidationError(_("This camera is of another dataset."))
        return camera


class BoxInline(Curated, NotAdded, TabularInline):
    model = Box
    form = BoxForm
    ordering = ["pk"]
    fields = ["thumbnail", "source", "score", "identity", "review"]
    readonly_fields = ["thumbnail", "source", "score"]
    autocomplete_fields = ["identity"]
    show_change_link = True
    can_delete = False
    extra = 0
    per_page = 20

    @admin.display(description=gettext_lazy("picture"))
    def thumbnail(self, box: Box) -> SafeString:
        return _crop(box.pk)


@admin.register(Image)
class ImageAdmin(Curated, OfVisibleDatasets, NotAdded, ModelAdmin):
    form = CameraForm
    list_display = ["thumbnail", "name", "dataset", "camera", "taken_at", "width", "height"]
    list_display_links = ["thumbnail", "name"]
    list_filter = [
        ("dataset", AutocompleteSelectFilter),
        ("camera", AutocompleteSelectFilter),
        ("taken_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["dataset", "camera"]
    search_fields = ["name", "sha256"]
    readonly_fields = ["preview", "dataset", "sha256", "name", "width", "height", "created_at"]
    autocomplete_fields = ["camera"]
    show_full_result_count = False
    inlines = [BoxInline]

    @admin.display(description=gettext_lazy("picture"))
    def thumbnail(self, image: Image) -> SafeString:
        return _picture(reverse("gallery:frame", args=[image.pk]) + "?w=160", THUMBNAIL)

    @admin.display(description=gettext_lazy("picture"))
    def preview(self, image: Image) -> SafeString:
        return _picture(reverse("gallery:frame", args=[image.pk]) + "?w=640", 360)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple:
        # Counted, not listed: who may delete a picture may delete what is known of it.
        objs = list(objs)
        counts = {
            str(Image._meta.verbose_name_plural): len(objs),
            str(Box._meta.verbose_name_plural): Box.objects.filter(image__in=objs).count(),
        }
        return [str(one) for one in objs], counts, set(), []


@admin.register(Identity)
class IdentityAdmin(Curated, OfVisibleDatasets, NotAdded, ModelAdmin):
    list_display = ["thumbnail", "key", "dataset", "split", "box_count"]
    list_display_links = ["thumbnail", "key"]
    list_filter = [("dataset", AutocompleteSelectFilter), "split"]
    list_filter_submit = True
    list_select_related = ["dataset"]
    search_fields = ["key"]
    readonly_fields = ["dataset"]
    show_full_result_count = False
    actions = SPLITTING

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        first = Box.objects.filter(identity=OuterRef("pk")).order_by("pk").values("pk")[:1]
        rows = super().get_queryset(request)
        return rows.annotate(first_box=Subquery(first), boxes_of=Count("boxes"))

    @admin.display(description=gettext_lazy("picture"))
    def thumbnail(self, identity: Identity) -> SafeString | str:
        return _crop(identity.first_box) if identity.first_box else "–"

    @admin.display(description=gettext_lazy("boxes"), ordering="boxes_of")
    def box_count(self, identity: Identity) -> int:
        return identity.boxes_of

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple:
        objs = list(objs)
        return [str(one) for one in objs], {_("people"): len(objs)}, set(), []


class CaptionInline(NotAdded, TabularInline):
    model = Caption
    fields = ["kind", "language", "text", "source", "drafted_by", "review"]
    readonly_fields = fields
    can_delete = False
    show_change_link = True
    extra = 0


@admin.register(Box)
class BoxAdmin(Curated, OfVisibleDatasets, NotAdded, ModelAdmin):
    path = "image__dataset"
    form = BoxForm
    list_display = ["thumbnail", "image", "source", "score", "identity", "review", "created_at"]
    list_display_links = ["thumbnail", "image"]
    list_filter = [
        "review",
        "source",
        ("image__dataset", AutocompleteSelectFilter),
        ("image__camera", AutocompleteSelectFilter),
        ("identity", AutocompleteSelectFilter),
        ("score", RangeNumericFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["image", "identity"]
    search_fields = ["image__name", "identity__key"]
    readonly_fields = [
        "preview", "image", "left", "top", "right", "bottom", "source", "score", "created_at",
    ]  # fmt: skip
    autocomplete_fields = ["identity"]
    show_full_result_count = False
    actions = REVIEWING
    inlines = [CaptionInline]

    @admin.display(description=gettext_lazy("picture"))
    def thumbnail(self, box: Box) -> SafeString:
        return _crop(box.pk)

    @admin.display(description=gettext_lazy("picture"))
    def preview(self, box: Box) -> SafeString:
        editor = f"{reverse('gallery:image', args=[box.image_id])}?box={box.pk}"
        shown = _picture(reverse("gallery:crop", args=[box.pk]) + "?h=512", 320)
        return format_html('{} <a href="{}">{}</a>', shown, editor, _("Edit in its frame"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple:
        objs = list(objs)
        counts = {
            str(Box._meta.verbose_name_plural): len(objs),
            str(Caption._meta.verbose_name_plural): Caption.objects.filter(box__in=objs).count(),
        }
        return [str(one) for one in objs], counts, set(), []


@admin.register(Caption)
class CaptionAdmin(OfVisibleDatasets, NotAdded, ModelAdmin):
    path = "box__image__dataset"
    list_display = ["thumbnail", "text", "kind", "language", "source", "review"]
    list_display_links = ["thumbnail", "text"]
    list_filter = [
        "review",
        "language",
        "kind",
        "source",
        "drafted_by",
        ("box__image__dataset", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
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

    @admin.display(description=gettext_lazy("picture"))
    def thumbnail(self, caption: Caption) -> SafeString:
        return _crop(caption.box_id)


class ChangeInline(OnlyRead, TabularInline):
    model = Change
    fields = ["model", "row", "before", "after"]
    extra = 0
    per_page = 20
    # Pages of rows without an order could show one twice and another never.
    ordering = ["pk"]


@admin.register(Action)
class ActionAdmin(OfVisibleDatasets, OnlyRead, ModelAdmin):
    list_display = ["made_at", "kind_name", "rows", "dataset", "made_by", "undone"]
    list_filter = [
        ("dataset", AutocompleteSelectFilter),
        ("made_by", AutocompleteSelectFilter),
        ("made_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    list_select_related = ["dataset", "made_by", "undoes", "undone_by"]
    show_full_result_count = False
    inlines = [ChangeInline]

    @admin.display(description=gettext_lazy("What"))
    def kind_name(self, action: Action) -> str:
        return action.kind_name

    @admin.display(description=gettext_lazy("undone"), boolean=True)
    def undone(self, action: Action) -> bool:
        return action.is_undone


def _crop(box_id: int) -> SafeString:
    return _picture(reverse("gallery:crop", args=[box_id]) + "?h=144", THUMBNAIL)


def _picture(url: str, height: int) -> SafeString:
    return format_html('<img src="{}" height="{}" loading="lazy" alt="">', url, height)
