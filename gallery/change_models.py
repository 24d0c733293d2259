"""Who changed what of a dataset by hand, and how it was before: the way back.

Action (one thing that somebody did) ─< Change (one row of it)
"""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from gallery.querysets import sees_everything

if TYPE_CHECKING:
    from pedsite.accounts.models import User


class ActionQuerySet(models.QuerySet):
    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Actions in the datasets that a user may see."""
        if sees_everything(user):
            return self
        datasets = self.model._meta.get_field("dataset").related_model
        return self.filter(dataset__in=datasets.objects.visible_to(user))

    def with_context(self) -> Self:
        return self.select_related("dataset", "made_by", "undoes", "undone_by__made_by")


class Action(models.Model):
    """One thing that somebody did, to one row or to thousands: undone as a whole."""

    dataset = models.ForeignKey("gallery.Dataset", models.CASCADE, related_name="actions")
    # In English, one of the names that the domain's functions have; translated where it is shown.
    kind = models.CharField(_("kind"), max_length=60)
    rows = models.PositiveIntegerField(_("rows"))
    # Who did it stays known: an account is deactivated, not deleted. Null for a command.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("made by"),
    )
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    # The one that this takes back.
    undoes = models.OneToOneField(
        "self", models.CASCADE, null=True, blank=True, related_name="undone_by"
    )

    objects = ActionQuerySet.as_manager()

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        indexes = [models.Index(name="gallery_action_newest", fields=["dataset", "-id"])]

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind_name}"

    @property
    def kind_name(self) -> str:
        """What was done, in the language in force."""
        if self.undoes_id is not None:
            return pgettext("of an action", "undo: %(what)s") % {"what": self.undoes.kind_name}
        return gettext(self.kind)

    @property
    def is_undone(self) -> bool:
        return getattr(self, "undone_by", None) is not None


class Change(models.Model):
    """What one action changed of one row.

    `before` and `after` hold the fields that changed, or all of them where there was no row
    before, or is none after.
    """

    action = models.ForeignKey(Action, models.CASCADE, related_name="changes")
    # The name of its model, as in `changes.TREE`. No foreign key: the row may be gone.
    model = models.CharField(_("model"), max_length=20)
    row = models.PositiveBigIntegerField(_("row"))
    before = models.JSONField(_("before"), null=True)
    after = models.JSONField(_("after"), null=True)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [models.Index(name="gallery_change_of_row", fields=["model", "row", "-id"])]
        constraints = [
            models.UniqueConstraint(name="gallery_change_once", fields=["action", "model", "row"]),
            models.CheckConstraint(
                name="gallery_change_of_something",
                condition=Q(before__isnull=False) | Q(after__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.row}"
