"""Where each request comes from, and an entry for every change that tells of none itself."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from pedsite.audit.journal import Action, Origin, Via, origin, record

READS = ("GET", "HEAD", "OPTIONS", "TRACE")
# What is sent without a change of anything, and the pieces of an upload, which has a begin.
UNRECORDED = {
    ("POST", "set_language"),
    ("PATCH", "api:upload"),
    ("PUT", "api:upload"),
    # They have entries of their own.
    ("POST", "api:search"),
    ("POST", "api:search-batch"),
    ("POST", "search:picture"),
}


class ClientAddressMiddleware:
    """The address of who asks, behind as many proxies as PEDSITE_PROXIES says.

    Each of them adds the address that it saw to the right of X-Forwarded-For. What else stands in
    that header was written by whoever asks, so nothing behind this reads it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        said = request.META.pop("HTTP_X_FORWARDED_FOR", "").split(",")
        proxies = settings.PEDSITE_PROXIES
        if proxies and len(said) >= proxies and said[-proxies].strip():
            request.META["REMOTE_ADDR"] = said[-proxies].strip()
        return self.get_response(request)


class AuditMiddleware:
    """Tells the journal about the request, and records what was sent where nothing else did.

    So every change through a page, the administration or the API has an entry, by its route and
    what that names; domain functions that know more tell it themselves, and then nothing is added.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with origin(_via(request.path_info), _address(request)) as here:
            response = self.get_response(request)
            if _is_change(request, response, here):
                match = request.resolver_match
                record(
                    Action.CHANGE,
                    user=request.user,
                    about=f"{request.method} {match.view_name}",
                    named={name: str(value) for name, value in match.captured_kwargs.items()},
                    status=response.status_code,
                )
        return response


def _is_change(request: HttpRequest, response: HttpResponse, here: Origin) -> bool:
    if request.method in READS or response.status_code >= 400 or here.recorded:
        return False
    if "Idempotency-Replayed" in response:
        return False
    match = request.resolver_match
    if match is None or (request.method, match.view_name) in UNRECORDED:
        return False
    return bool(request.user.is_authenticated)


def _via(path: str) -> str:
    if path.startswith("/api/"):
        return Via.API
    return Via.ADMIN if path.startswith("/admin/") else Via.PAGE


def _address(request: HttpRequest) -> str | None:
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:  # a unix socket has none
        return None
