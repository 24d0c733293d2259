"""API keys: issued once, stored as a digest, found by their prefix."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from django.utils import timezone

from pedsite.accounts.models import ApiKey, User

# Writing last_used_at on every call would make each read of the API a write.
SEEN_EVERY = timedelta(minutes=1)


def issue(user: User, name: str, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """A new key and its secret, `ped_<prefix>_<secret>`, which cannot be shown a second time."""
    prefix = secrets.token_hex(4)
    secret = f"ped_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        user=user, name=name, prefix=prefix, digest=_digest(secret), expires_at=expires_at
    )
    return key, secret


def authenticate(secret: str) -> ApiKey | None:
    """The valid key with this secret, its last use noted; None for any other text."""
    parts = secret.split("_", 2)
    if len(parts) != 3 or parts[0] != "ped":
        return None
    key = ApiKey.objects.select_related("user").filter(prefix=parts[1]).first()
    if key is None or not hmac.compare_digest(key.digest, _digest(secret)) or not key.is_valid:
        return None
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def revoke(key: ApiKey) -> None:
    """Ends a key for good; a second call changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())


def _digest(secret: str) -> str:
    # The secret has 256 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()
