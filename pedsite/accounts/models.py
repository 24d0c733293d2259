"""Users with a role, and the API keys that act for them."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pedsite.accounts.scopes import Scope, everything


class User(AbstractUser):
    """Someone who may log in. The role says what they may do beyond looking."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _("Viewer")
        REVIEWER = "reviewer", _("Reviewer")
        CURATOR = "curator", _("Curator")
        OPERATOR = "operator", _("Operator")
        ADMIN = "admin", _("Administrator")

    role = models.CharField(_("role"), max_length=8, choices=Role, default=Role.VIEWER)

    @property
    def sees_everything(self) -> bool:
        """Whether dataset grants do not limit this user."""
        return self.is_superuser or self.role == self.Role.ADMIN

    @property
    def reviews(self) -> bool:
        """Whether this user judges results and works on cases: everyone but viewers."""
        return self.is_superuser or self.role != self.Role.VIEWER

    @property
    def operates(self) -> bool:
        """Whether this user sees everyone's jobs, and may start trainings and evaluations."""
        return self.is_superuser or self.role in (self.Role.OPERATOR, self.Role.ADMIN)

    @property
    def curates(self) -> bool:
        """Whether this user may bring pictures in and change what is known of them."""
        return self.operates or self.role == self.Role.CURATOR


class ApiKey(models.Model):
    """A secret that acts for a user through the API. Only its SHA-256 is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    name = models.CharField(_("name"), max_length=80)
    # The part of the secret that is shown again in lists, and by which it is found.
    prefix = models.CharField(_("prefix"), max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    # Of `scopes.Scope`: what it may do of what its user may.
    scopes = models.JSONField(_("scopes"), default=everything)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} (ped_{self.prefix}_…)"

    @property
    def scope_words(self) -> list[str]:
        """What it may do, in words."""
        return [str(Scope(scope).label) for scope in Scope.values if scope in self.scopes]

    @property
    def is_valid(self) -> bool:
        """Neither revoked nor expired, of a user who is active."""
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired and self.user.is_active
