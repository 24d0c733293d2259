"""Pages of administrators: users, what they may do, and which datasets they see."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import datasets
from gallery.access_forms import GrantForm, NewUserForm
from gallery.models import Dataset, DatasetGrant
from pedsite.accounts import keys, users
from pedsite.accounts.models import User
from pedsite.accounts.roles import administrators_only
from pedsite.api import DomainError

PAGE_SIZE = 50


@require_safe
@login_required
@administrators_only
@never_cache
def user_list(request: HttpRequest) -> HttpResponse:
    """GET /users/?q=: all of them, by name."""
    words = request.GET.get("q", "").replace("\0", "")
    rows = User.objects.order_by("username").annotate(
        granted=Count("dataset_grants", distinct=True), issued=Count("api_keys", distinct=True)
    )
    if words:
        rows = rows.filter(Q(username__icontains=words) | Q(email__icontains=words))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "words": words, "form": NewUserForm()}
    return render(request, "users/list.html", context)


@sensitive_post_parameters("password")
@require_POST
@login_required
@administrators_only
def user_new(request: HttpRequest) -> HttpResponse:
    """POST /users/new/"""
    form = NewUserForm(request.POST)
    if form.is_valid():
        try:
            user = users.make(request.user, **form.cleaned_data)
        except DomainError as exc:
            form.add_error(None, str(exc))
        else:
            messages.success(request, _("“%(name)s” may log in.") % {"name": user.username})
            return redirect("gallery:access:user", user.pk)
    context = {"page": Paginator(User.objects.none(), PAGE_SIZE).get_page(1), "form": form}
    return render(request, "users/list.html", context, status=400)


@require_safe
@login_required
@administrators_only
@never_cache
def user(request: HttpRequest, pk: int) -> HttpResponse:
    """GET /users/ID/: one user, their role, datasets and keys."""
    found = get_object_or_404(User, pk=pk)
    grants = DatasetGrant.objects.select_related("dataset", "group")
    context = {
        "found": found,
        "roles": User.Role.choices,
        "grants": grants.filter(user=found).order_by("dataset__name"),
        "others": grants.filter(Q(group__in=found.groups.all()) | Q(role=found.role)),
        "datasets": Dataset.objects.exclude(grants__user=found),
        "keys": found.api_keys.all(),
    }
    return render(request, "users/detail.html", context)


@sensitive_post_parameters("password")
@require_POST
@login_required
@administrators_only
def user_change(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /users/ID/change/: one thing of a user, named by the button that was pressed."""
    found, by, given = get_object_or_404(User, pk=pk), request.user, request.POST
    acts: dict[str, Any] = {
        "shut-out": lambda: users.set_active(by, found, False),
        "let-in": lambda: users.set_active(by, found, True),
        "password": lambda: users.set_password(by, found, given.get("password", "")),
    }
    if given.get("role") in User.Role.values:
        acts["role"] = lambda: users.change_role(by, found, given["role"])
    key = found.api_keys.filter(pk=_number(given.get("key", ""))).first()
    if key is not None:
        acts["revoke"] = lambda: keys.revoke(key, by)
    if given.get("act") not in acts:
        raise Http404
    try:
        acts[given["act"]]()
    except DomainError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, _("Done. It is in force from their next request on."))
    return redirect("gallery:access:user", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@administrators_only
@never_cache
def grants(request: HttpRequest) -> HttpResponse:
    """GET /users/grants/: who may see which dataset; POST: let a user or a role see one."""
    form = GrantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        datasets.grant(wanted["dataset"], wanted["to"], by=request.user)
        messages.success(request, _("Done. It is in force from their next request on."))
        back = request.POST.get("back", "")
        return (
            redirect("gallery:access:user", _number(back))
            if back
            else redirect("gallery:access:grants")
        )
    rows = DatasetGrant.objects.select_related("dataset", "user", "group")
    context = {
        "page": Paginator(rows.order_by("dataset__name", "pk"), PAGE_SIZE).get_page(
            request.GET.get("page")
        ),
        "form": form,
        "datasets": Dataset.objects.all(),
        "roles": User.Role.choices,
    }
    return render(request, "users/grants.html", context, status=400 if form.errors else 200)


@require_POST
@login_required
@administrators_only
def grant_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /users/grants/ID/remove/"""
    datasets.take_back(get_object_or_404(DatasetGrant, pk=pk), by=request.user)
    messages.success(request, _("Done. It is in force from their next request on."))
    back = request.POST.get("back", "")
    return (
        redirect("gallery:access:user", _number(back))
        if back
        else redirect("gallery:access:grants")
    )


def _back(request: HttpRequest) -> HttpResponse:
    """To the user whose page it was sent from, or to all grants."""
    user = _number(request.POST.get("back", ""))
    return redirect("gallery:access:user", user) if user else redirect("gallery:access:grants")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
