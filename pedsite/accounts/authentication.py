"""`Authorization: Bearer ped_…` for the API."""

from typing import Any

from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from pedsite.accounts import guesses, keys, scopes
from pedsite.accounts.models import ApiKey, User
from pedsite.audit.journal import Action, record

# Refusals of the same kind are told to the log once in so many seconds.
TOLD_S = 60


class BeyondScope(exceptions.PermissionDenied):
    """The key exists and may not do this."""

    default_code = "scope"

    def __init__(self, needed: tuple[str, ...]) -> None:
        super().__init__(
            _("This API key lacks the scope for this: %(scopes)s.") % {"scopes": " / ".join(needed)}
        )


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """Lets a key in where its scopes reach; the only way in for keys, so no operation is left out.

    A request that comes without a view is one for a picture: whoever may search or read sees it.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        key = _known(secret.strip(), request.META.get("REMOTE_ADDR", ""))
        view = getattr(request, "parser_context", {}).get("view", _Picture)
        if not scopes.allow(key.scopes, view, request.method):
            needed = scopes.needed(view, request.method)
            _tell(f"key {key.pk}, which lacks {'/'.join(needed)}", key.user)
            raise BeyondScope(needed)
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class _Picture:
    key_scope = (scopes.Scope.SEARCH, scopes.Scope.READ)


def _known(secret: str, address: str) -> ApiKey:
    """The key with this secret. Raises: Throttled, AuthenticationFailed."""
    prefix = keys.prefix_of(secret)
    if guesses.is_shut(address, prefix):
        told = str(_("Too many wrong API keys came from here."))
        raise exceptions.Throttled(guesses.WINDOW_S, told)
    key = keys.authenticate(secret)
    if key is None:
        guesses.missed(address, prefix)
        _tell("an API key that does not work")
        raise exceptions.AuthenticationFailed(_("This API key is unknown, expired or revoked."))
    guesses.hit(address, prefix)
    return key


def _tell(about: str, user: Any = None) -> None:
    if cache.add(f"refused:{about.replace(' ', '-')}", 1, TOLD_S):
        record(Action.REFUSED, user=user, about=about)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = ApiKeyAuthentication
    name = "ApiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ped_…"}
