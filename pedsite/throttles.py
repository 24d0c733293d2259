"""Rates of the API, counted by key: one program does not use up what another of its user's has."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle, UserRateThrottle

if TYPE_CHECKING:
    # The views read the settings, which name these classes.
    from rest_framework.views import APIView


class KeyRateThrottle(UserRateThrottle):
    """All calls of one key, or of one user's sessions."""

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        return _by_key(self, request) or super().get_cache_key(request, view)


class ScopedKeyRateThrottle(ScopedRateThrottle):
    """Calls of one key, or of one user's sessions, of the scope that the view names."""

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        return _by_key(self, request) or super().get_cache_key(request, view)


def _by_key(throttle: UserRateThrottle | ScopedRateThrottle, request: Request) -> str | None:
    # A session has no `auth`; an ApiKey is what else there is (pedsite.accounts.authentication).
    if request.auth is None:
        return None
    return throttle.cache_format % {"scope": throttle.scope, "ident": f"key-{request.auth.pk}"}
