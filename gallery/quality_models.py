"""What was measured of a box, to be told by people who decide whether it stays."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class QualityQuerySet(models.QuerySet):
    def of_shown(self, dataset) -> Self:
        """Of the boxes of a dataset that are not hidden."""
        return self.filter(box__image__dataset=dataset).exclude(box__review="hidden")


class Quality(models.Model):
    """Measures of one box as it was: `bounds` and `crowd` tell whether they still hold."""

    # Measured again whenever somebody asks, so it keeps no box from being undone.
    is_derived = True

    box = models.OneToOneField("gallery.Box", models.CASCADE, related_name="quality")
    # Left, top, right, bottom of the box that was measured, in pixels.
    bounds = ArrayField(models.PositiveIntegerField(), size=4)
    # How many other boxes of the picture were looked at for covering it.
    crowd = models.PositiveIntegerField()
    # The shorter and the longer side, pixels.
    shorter = models.PositiveIntegerField(_("shorter side"))
    longer = models.PositiveIntegerField(_("longer side"))
    # As `looks.sharpness` and `looks.covered` say.
    sharpness = models.FloatField(_("sharpness"))
    covered = models.FloatField(_("covered"))
    cut = models.CharField(_("cut"), max_length=4, blank=True, default="")
    digest = models.CharField(max_length=64)
    differences = models.BinaryField()
    # The box to keep of those that look the same, and how many bits differ; null for what is kept.
    twin_of = models.ForeignKey(
        "gallery.Box", models.SET_NULL, null=True, blank=True, related_name="twins"
    )
    twin_bits = models.PositiveSmallIntegerField(null=True, blank=True)
    measured_at = models.DateTimeField(_("measured"), auto_now=True)

    objects = QualityQuerySet.as_manager()

    class Meta:
        verbose_name = _("quality")
        verbose_name_plural = _("qualities")
        constraints = [
            models.CheckConstraint(
                name="gallery_quality_share", condition=Q(covered__gte=0, covered__lte=1)
            )
        ]

    def __str__(self) -> str:
        return f"{self.box_id}: {self.shorter} × {self.longer}, {self.sharpness:.3f}"
