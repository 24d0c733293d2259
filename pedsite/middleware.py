"""What every request and answer goes through: addresses that can name nothing, and the policy.

Content-Security-Policy is strict for our pages, looser where others' need it.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; manifest-src 'self'"
)
# unfold's admin runs Alpine.js, which evaluates expressions written in attributes.
ADMIN = STRICT.replace("script-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'")
ADMIN = ADMIN.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
# Swagger UI starts from an inline script and styles itself inline.
DOCS = STRICT.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'")
DOCS = DOCS.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")

# What the other fields of a form may take beside its file, and room to say of a picture, rather
# than of a request, that it is too large.
FIELDS = 2**20
MOST_PICTURES = 4

POLICIES = {"/admin/": ADMIN, "/api/docs/": DOCS}


class ContentSecurityPolicyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = next(
            (p for prefix, p in POLICIES.items() if request.path.startswith(prefix)), STRICT
        )
        response.headers.setdefault("Content-Security-Policy", policy)
        return response


class LargestBodyMiddleware:
    """413 for a body that is larger than anything its sender may send here, before it is read.

    Only curators may send files to be imported. It stands behind the middleware that says who it
    is, and acts before the views and the check of forms, which read the body.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > self._most(request):
            return HttpResponse(
                "The request is too large.", status=413, content_type="text/plain; charset=utf-8"
            )
        return self.get_response(request)

    @staticmethod
    def _most(request: HttpRequest) -> int:
        imports = request.path_info == "/imports/new/"
        if imports and request.user.is_authenticated and request.user.curates:
            return settings.PEDSITE_UPLOAD_FORM_BYTES + FIELDS
        return MOST_PICTURES * settings.MAX_PICTURE_BYTES + FIELDS


class NamelessAddressMiddleware:
    """404 where a path holds a NUL: PostgreSQL refuses to look for such a name."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            raise Http404
        return self.get_response(request)
