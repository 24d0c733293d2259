"""API keys: issued once, stored as a digest, found by their prefix."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from pedsite.accounts.errors import BadScopes
from pedsite.accounts.models import ApiKey, User
from pedsite.accounts.scopes import Scope
from pedsite.audit.journal import Action, came_with, record

# Writing last_used_at on every call would make each read of the API a write.
SEEN_EVERY = timedelta(minutes=1)


def issue(
    user: User,
    name: str,
    expires_at: datetime | None = None,
    scopes: Iterable[str] | None = None,
    *,
    by: ApiKey | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its secret, `ped_<prefix>_<secret>`, which cannot be shown a second time.

    Args:
        scopes: of `scopes.Scope`; None is all.
        by: the key that asks for it, which cannot give more than it has, nor for longer.

    Raises: BadScopes, there is none, or one that is not known or not `by`'s to give.
    """
    wanted = [scope for scope in Scope.values if scopes is None or scope in set(scopes)]
    unknown = set(scopes or ()) - set(Scope.values)
    if unknown or not wanted or (by is not None and not set(wanted) <= set(by.scopes)):
        raise BadScopes(by.scopes if by else Scope.values)
    if by is not None and by.expires_at is not None:
        expires_at = min(filter(None, [expires_at, by.expires_at]))
    prefix = secrets.token_hex(4)
    secret = f"ped_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        digest=_digest(secret),
        expires_at=expires_at,
        scopes=wanted,
    )
    until = expires_at.isoformat() if expires_at else ""
    record(Action.CHANGE, user=user, about=f"key {key.pk} issued", scopes=wanted, until=until)
    return key, secret


def authenticate(secret: str) -> ApiKey | None:
    """The valid key with this secret, its last use noted; None for any other text."""
    prefix = prefix_of(secret)
    if not prefix or "\0" in prefix:
        return None
    key = ApiKey.objects.select_related("user").filter(prefix=prefix).first()
    if key is None or not hmac.compare_digest(key.digest, _digest(secret)) or not key.is_valid:
        return None
    came_with(key.prefix)
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        record(Action.KEY, user=key.user, about=f"key {key.pk}")
    return key


def prefix_of(secret: str) -> str:
    """The part of a secret by which its key is found; "" for any other text."""
    parts = secret.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "ped" else ""


def revoke(key: ApiKey, by: User | None = None) -> None:
    """Ends a key for good; a second call changes nothing."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(Action.CHANGE, user=by, about=f"key {key.pk} revoked", owner=key.user_id)


def _digest(secret: str) -> str:
    # The secret has 256 random bits, so a plain hash is enough: there is nothing to guess.
    return hashlib.sha256(secret.encode()).hexdigest()
