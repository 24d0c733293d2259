"""What a version's cosines say of attributes, as it was measured on drawn people."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AttributeScale(models.Model):
    """How a version reads attributes off vectors, and how often it was right on people apart."""

    version = models.OneToOneField(
        "training.ModelVersion", models.CASCADE, related_name="attribute_scale"
    )
    # Field -> middle [K], spread, factor, offsets [K]; see `reading.Field`.
    fields = models.JSONField(_("fields"))
    crops = models.PositiveIntegerField(_("crops"))
    statements = models.PositiveIntegerField(_("statements"))
    right = models.PositiveIntegerField(_("true statements"))
    measured_at = models.DateTimeField(_("measured"), auto_now=True)

    class Meta:
        verbose_name = _("attribute scale")
        verbose_name_plural = _("attribute scales")

    def __str__(self) -> str:
        return f"{self.version}"

    @property
    def share(self) -> float:
        """The share of true statements, 0 to 1."""
        return self.right / self.statements if self.statements else 0.0
