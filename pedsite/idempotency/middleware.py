"""`Idempotency-Key` on every POST of the API that changes something.

One place for all operations: it acts before the view, so it asks the view's own authentication who
it is. A view with `changes_nothing` is asked again each time; of one with `shows_secret` the answer
is not kept.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from rest_framework.exceptions import APIException

from pedsite.accounts.models import User
from pedsite.api import DomainError, problem
from pedsite.idempotency import answers
from pedsite.idempotency.models import KeptAnswer


class IdempotencyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        row: KeptAnswer | None = getattr(request, "_idempotent", None)
        if row is not None:
            view = request.resolver_match.func.cls
            answers.finish(row, response, is_secret=getattr(view, "shows_secret", False))
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        key = request.headers.get(answers.HEADER)
        operation = getattr(view, "cls", None)
        if key is None or request.method != "POST" or operation is None:
            return None
        if getattr(operation, "changes_nothing", False):
            return None
        try:
            fingerprint = answers.fingerprint_of(request)
        except (BadRequest, MultiPartParserError):
            return _refused(problem(400, "parse_error", "The body cannot be read."))
        except RequestDataTooBig:
            return _refused(problem(413, "too-large", "The body is too large."))
        user = _user(operation, request)
        if fingerprint is None or user is None:
            return None
        try:
            row, is_mine = answers.begin(user, key, fingerprint)
        except DomainError as exc:
            answer = _refused(problem(exc.status, exc.code, str(exc)))
            if exc.retry_after is not None:
                answer["Retry-After"] = str(exc.retry_after)
            return answer
        if not is_mine:
            return answers.again(row)
        request._idempotent = row
        return None


def _user(operation: Any, request: HttpRequest) -> User | None:
    """Who asks, as the view finds out; None where the view will refuse them."""
    try:
        user = operation().initialize_request(request).user
    except APIException:
        return None
    return user if user.is_authenticated else None


def _refused(body: dict[str, Any]) -> HttpResponse:
    return JsonResponse(body, status=body["status"], content_type="application/problem+json")
