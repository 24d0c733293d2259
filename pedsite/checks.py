"""System checks of a deployment, each with what to do about it.

Those that need a service are tagged `database`, so that they run with `migrate`, `demo` and
`check --database default`, and not where nothing is running (makemigrations).
"""

import os
import secrets
import socket
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.utils import DatabaseError

from search.models import Mirror

PGVECTOR_LEAST = (0, 8)


@register(Tags.security)
def secret_key(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001: a key that others know or can guess."""
    key = settings.SECRET_KEY
    if len(key) >= 32 and len(set(key)) >= 8 and "change-me" not in key:
        return []
    example = secrets.token_urlsafe(48)
    return [
        Error(
            "SECRET_KEY is short or an example from the documentation.",
            hint=f"Set it to a random text of your own, such as {example}",
            id="pedsite.E001",
        )
    ]


@register(Tags.files)
def media_writable(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E002: pictures cannot be stored."""
    if "FileSystemStorage" not in settings.STORAGES["default"]["BACKEND"]:
        return []
    folder = settings.MEDIA_ROOT
    while not folder.exists():
        folder = folder.parent
    if os.access(folder, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"{settings.MEDIA_ROOT} is not writable.",
            hint="Set MEDIA_ROOT to a folder that this user may write.",
            id="pedsite.E002",
        )
    ]


@register(Tags.security, deploy=True)
def debug_off(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W003: pages would show settings and source on an error."""
    if not settings.DEBUG:
        return []
    return [Warning("DEBUG is on.", hint="Unset DEBUG.", id="pedsite.W003")]


@register(Tags.security, deploy=True)
def addresses_known(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """W011: everybody has the proxy's address, in the audit log and for every limit by address."""
    if not settings.HTTPS or settings.PEDSITE_PROXIES:
        return []
    return [
        Warning(
            "HTTPS is ended by a proxy, whose address all requests then have.",
            hint="Set PEDSITE_PROXIES to how many proxies add to X-Forwarded-For.",
            id="pedsite.W011",
        )
    ]


@register(Tags.database)
def pgvector(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E004: vectors cannot be stored or searched rightly."""
    if "default" not in (databases or []):
        return []
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(installed_version, default_version)"
                " FROM pg_available_extensions WHERE name = 'vector'"
            )
            row = cursor.fetchone()
    except DatabaseError as exc:
        return [
            Error(
                f"PostgreSQL does not answer: {exc}", hint="Check DATABASE_URL.", id="pedsite.E005"
            )
        ]
    version = row[0] if row else "absent"
    if row and tuple(int(part) for part in version.split(".")[:2]) >= PGVECTOR_LEAST:
        return []
    return [
        Error(
            f"pgvector is {version}; 0.8 or newer is needed (halfvec, iterative scans).",
            hint="Install pgvector on the server, then ALTER EXTENSION vector UPDATE.",
            id="pedsite.E004",
        )
    ]


@register
def engine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E007: searches are to ask a Milvus that nobody named, or that nothing here speaks to."""
    if settings.PEDSITE_ENGINE != "milvus":
        return []
    if not settings.MILVUS_URI:
        hint = "Set MILVUS_URI, such as http://milvus.example:19530."
        return [Error("PEDSITE_ENGINE is milvus, and none is named.", hint=hint, id="pedsite.E007")]
    if find_spec("pymilvus") is None:
        hint = "Install requirements.txt."
        return [Error("PEDSITE_ENGINE is milvus without pymilvus.", hint=hint, id="pedsite.E007")]
    return []


@register(Tags.database)
def milvus_reachable(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E008: Milvus does not answer. W010: changes wait for one that is not named any more."""
    if "default" not in (databases or []):
        return []
    if settings.MILVUS_URI:
        # A plain connection: a process that has spoken gRPC must not fork workers after it.
        parts = urlsplit(settings.MILVUS_URI)
        address = (parts.hostname or "localhost", parts.port or 19530)
        try:
            socket.create_connection(address, timeout=3).close()
        except OSError as exc:
            hint = "Check MILVUS_URI."
            return [Error(f"Milvus does not answer: {exc}", hint=hint, id="pedsite.E008")]
        return []
    try:
        if not Mirror.objects.exists():
            return []
    except DatabaseError:
        return []  # before the first migration
    hint = "Set MILVUS_URI again, and run mirror_vectors --forget if it is not wanted any more."
    return [
        Warning("Vectors are mirrored to a Milvus that is not named.", hint=hint, id="pedsite.W010")
    ]


@register(Tags.database)
def redis_reachable(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """E006: no queue, no cache."""
    if "default" not in (databases or []):
        return []
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=3) as client:
            client.ping()
    except redis.RedisError as exc:
        return [Error(f"Redis does not answer: {exc}", hint="Check REDIS_URL.", id="pedsite.E006")]
    return []
