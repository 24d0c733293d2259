"""What the API answered to requests that carried an Idempotency-Key, for a day."""

from django.conf import settings
from django.db import models


class KeptAnswer(models.Model):
    """One request of one user, at work until it has a status."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    # SHA-256 of the key, and of method, address and body.
    key = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    # Whose process is at work; one that died is replaced after this.
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    # Null where the answer holds a secret or is too large to keep.
    body = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="idempotency_key_once_a_user", fields=["user", "key"]),
        ]
        indexes = [models.Index(name="idempotency_by_age", fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.key[:8]} of {self.user_id}"
