"""What every endpoint shares: the error that a domain raises, the shape it gets, paging."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from pedsite.errors import DomainError as DomainError

logger = logging.getLogger(__name__)


class Pages(CursorPagination):
    """Newest first; `cursor` and `limit` in the query string."""

    page_size = 50
    max_page_size = 500
    page_size_query_param = "limit"
    ordering = "-pk"


def problem(status: int, code: str, detail: str, errors: Any = None) -> dict[str, Any]:
    """One error as RFC 9457 has it; `errors` holds messages by field where there are any."""
    body = {
        "type": f"urn:pedsite:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    return body | ({"errors": errors} if errors else {})


def handle_exception(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: any error in one JSON shape; of what nobody foresaw the traceback is logged."""
    if isinstance(exc, DomainError):
        later = {} if exc.retry_after is None else {"Retry-After": str(exc.retry_after)}
        return _respond(problem(exc.status, exc.code, str(exc)), later)
    if isinstance(exc, Http404):
        exc = exceptions.NotFound(str(exc) or None)
    elif isinstance(exc, PermissionDenied):
        exc = exceptions.PermissionDenied(str(exc) or None)
    response = exception_handler(exc, context)
    if response is None:
        set_rollback()
        logger.error("unforeseen error of the API", exc_info=exc)
        return _respond(problem(500, "failed", "Something failed here; the log has the reason."))
    if not isinstance(exc, exceptions.APIException):
        return response
    if isinstance(exc, exceptions.ValidationError):
        body = problem(response.status_code, "invalid", _first_message(exc.detail), exc.detail)
    else:
        code = exc.get_codes()
        slug = code if isinstance(code, str) else exc.default_code
        body = problem(response.status_code, slug, str(exc.detail))
    return _respond(body, dict(response.headers))


def unknown_address(request: HttpRequest) -> HttpResponse:
    """What answers below /api/ where no operation is."""
    body = problem(404, "not_found", f"There is nothing at {request.path}.")
    return JsonResponse(body, status=404, content_type="application/problem+json")


def _respond(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    kept = {k: v for k, v in (headers or {}).items() if k in ("WWW-Authenticate", "Retry-After")}
    return Response(
        body, status=body["status"], headers=kept, content_type="application/problem+json"
    )


def _first_message(detail: Any, field: str = "") -> str:
    """The first message of a validation error, led by the name of its field."""
    if isinstance(detail, dict):
        name, inner = next(iter(detail.items()))
        within = "" if name == "non_field_errors" else str(name)
        return _first_message(inner, ".".join(filter(None, [field, within])))
    if isinstance(detail, list):
        return _first_message(detail[0], field) if detail else "Invalid input."
    return f"{field}: {detail}" if field else str(detail)
