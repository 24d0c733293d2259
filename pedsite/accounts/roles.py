"""Who may do what, beyond the datasets that are shared with them: one rule for pages and API."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

View = Callable[..., HttpResponse]


def operators_only(view: View) -> View:
    """A page that only operators and administrators open; anyone else who is logged in gets a 403.

    Goes below `login_required`.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.operates:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def reviewers_only(view: View) -> View:
    """A page that viewers do not open: they get a 403. Goes below `login_required`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.reviews:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def curators_only(view: View) -> View:
    """A page that only curators and those above them open. Goes below `login_required`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.curates:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def administrators_only(view: View) -> View:
    """A page that only administrators open. Goes below `login_required`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.sees_everything:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


class Reviews(BasePermission):
    """Viewers neither read nor write here."""

    message = _("Only reviewers judge results and work on cases.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.is_authenticated and request.user.reviews)


class Curates(BasePermission):
    """Only curators and those above them."""

    message = _("Only curators, operators and administrators may do this.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.user.is_authenticated and request.user.curates


class WritesAsOperator(BasePermission):
    """Anyone reads what is theirs to see; only operators and administrators start something."""

    message = _("Only operators and administrators may do this.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method in ("GET", "HEAD", "OPTIONS") or request.user.operates


class Operates(BasePermission):
    """Only operators and administrators, to read as well."""

    message = _("Only operators and administrators may do this.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.is_authenticated and request.user.operates)


class Administers(BasePermission):
    """Only administrators."""

    message = _("Only administrators may do this.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        return bool(request.user and request.user.is_authenticated and request.user.sees_everything)
