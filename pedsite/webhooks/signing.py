"""Signatures as https://www.standardwebhooks.com has them, so that receivers find libraries."""

import base64
import hashlib
import hmac
import secrets

from django.conf import settings
from django.utils import timezone

from pedsite.webhooks.models import Webhook

PREFIX = "whsec_"


def new_salt() -> str:
    return secrets.token_urlsafe(32)


def secret_of(salt: str, site_key: str | None = None) -> str:
    """The secret that a salt stands for: whoever has the database alone cannot sign."""
    material = f"pedsite.webhooks:{salt}".encode()
    key = settings.SECRET_KEY if site_key is None else site_key
    raw = hmac.new(key.encode(), material, hashlib.sha256).digest()
    return PREFIX + base64.b64encode(raw).decode()


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def secrets_in_force(webhook: Webhook) -> list[str]:
    """The secret of a webhook, and for a day after a change the former one too.

    Empty where SECRET_KEY was changed and is not among SECRET_KEY_FALLBACKS: no secret that the
    receiver knows can be made any longer.
    """
    for site_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        secret = secret_of(webhook.salt, site_key)
        if not hmac.compare_digest(digest(secret), webhook.digest):
            continue
        changed = webhook.rotated_at
        if webhook.former_salt and changed and timezone.now() < changed + Webhook.OVERLAP:
            return [secret, secret_of(webhook.former_salt, site_key)]
        return [secret]
    return []


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
