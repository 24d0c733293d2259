"""Reads of the gallery that must be right everywhere: above all, who may see what."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    from pedsite.accounts.models import User


def sees_everything(user: "User | AnonymousUser") -> bool:
    """Whether grants do not limit a user: active, and an administrator by role or flag."""
    return user.is_authenticated and user.is_active and user.sees_everything


class DatasetQuerySet(models.QuerySet):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Datasets that a user may see: all, or those granted to them, their groups, their role."""
        if sees_everything(user):
            return self
        if not user.is_authenticated or not user.is_active:
            return self.none()
        granted = Q(grants__user=user) | Q(grants__group__in=user.groups.all())
        granted |= Q(grants__role=user.role)
        # A subquery, not a join: two grants for one user must not double a row.
        return self.filter(pk__in=self.model.objects.filter(granted).values("pk"))

    def with_counts(self) -> Self:
        """Adds `image_count`, `box_count` and `identity_count`, each counted apart."""
        image = _related(self.model, "images")
        box = _related(image, "boxes")
        identity = _related(self.model, "identities")
        return self.annotate(
            image_count=_count(image.objects.all(), "dataset"),
            box_count=_count(box.objects.all(), "image__dataset"),
            identity_count=_count(identity.objects.all(), "dataset"),
        )


class ImageQuerySet(models.QuerySet):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Images of the datasets that a user may see."""
        if sees_everything(user):
            return self
        datasets = _related(self.model, "dataset").objects.visible_to(user)
        return self.filter(dataset__in=datasets)


class CaptionQuerySet(models.QuerySet):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Captions of boxes in the datasets that a user may see."""
        if sees_everything(user):
            return self
        boxes = _related(self.model, "box").objects.visible_to(user)
        return self.filter(box__in=boxes)

    def shown(self) -> Self:
        """Captions that nobody hid; drafts among them are to be marked as such."""
        return self.exclude(review="hidden")

    def stated(self) -> Self:
        """Captions that somebody stands for: not hidden, and no drafts that nobody approved.

        Whatever learns, measures or leaves the site reads these.
        """
        return self.shown().exclude(source="drafted", review="unreviewed")


class BoxQuerySet(models.QuerySet):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Boxes of the datasets that a user may see."""
        if sees_everything(user):
            return self
        images = _related(self.model, "image").objects.visible_to(user)
        return self.filter(image__in=images)

    def with_context(self) -> Self:
        """Boxes with image, camera, dataset and identity loaded in the same query."""
        return self.select_related("image__camera", "image__dataset", "identity")


def _related(model: type[models.Model], field: str) -> type[models.Model]:
    return model._meta.get_field(field).related_model


def _count(rows: models.QuerySet, path: str) -> Coalesce:
    # One subquery a count: joining three tables would multiply the rows.
    mine = rows.filter(**{path: OuterRef("pk")}).order_by()
    counted = mine.values(path).annotate(rows=Count("pk")).values("rows")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def unreferenced(model: type[models.Model], but: Iterable[type[models.Model]]) -> Q:
    """Rows that nothing else refers to, but what is made from them by machine.

    A model whose rows can be made again says so with `is_derived`. Whatever another model knows of
    a row, in whichever app, keeps it.
    """
    free = Q()
    # With those that have no name on this side: they know of the row just the same.
    for relation in model._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete:
            continue
        other = relation.related_model
        if other in but or getattr(other, "is_derived", False):
            continue
        theirs = other._default_manager.filter(**{relation.field.name: OuterRef("pk")})
        free &= ~Q(Exists(theirs))
    return free
