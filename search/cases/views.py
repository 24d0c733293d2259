"""Pages of cases: those that a reviewer works on, one of them, and its exports."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    QueryDict,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Box, Review
from pedsite.accounts.roles import reviewers_only
from pedsite.api import DomainError
from search.cases import casework, exports
from search.cases.models import Case
from search.review import asked, judging
from search.review.errors import Unjudgeable
from search.review.models import Finding
from search.review.views import PAGE_SIZE, back, numbers

EVENTS = 200


@require_safe
@login_required
@reviewers_only
@never_cache
def case_list(request: HttpRequest) -> HttpResponse:
    """GET /cases/: those that the user opened or is a member of, newest first."""
    rows = Case.objects.visible_to(request.user).select_related("created_by")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "cases/list.html", {"page": page})


@require_POST
@login_required
@reviewers_only
def start(request: HttpRequest) -> HttpResponse:
    """POST /cases/new/"""
    try:
        title, reference = request.POST.get("title", ""), request.POST.get("reference", "")
        return redirect(casework.start(request.user, title, reference))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("search:review:cases")


@require_safe
@login_required
@reviewers_only
@never_cache
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """GET /cases/ID/: its results, searches, notes, exports and history."""
    found = _find(request, pk)
    rows = found.hits.select_related("query__like", "added_by").order_by("pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    seen = Box.objects.visible_to(request.user).exclude(review=Review.HIDDEN).with_context()
    boxes = seen.in_bulk([hit.box_id for hit in page if hit.box_id])
    searches = found.searches.select_related("added_by").order_by("pk")
    context = {
        "case": found,
        "owns": casework.owns(found, request.user),
        "page": page,
        "hits": [(hit, boxes.get(hit.box_id)) for hit in page],
        "searches": [(one, QueryDict(one.query).get("q", "")) for one in searches],
        "notes": found.notes.select_related("added_by").order_by("pk"),
        "events": found.events.select_related("user")[:EVENTS],
        "exports": exports.offered(found, request.user),
    }
    return render(request, "cases/detail.html", context)


@require_POST
@login_required
@reviewers_only
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /cases/ID/change/: one thing of a case, named by the button that was pressed."""
    found, given = _find(request, pk), request.POST
    acts = {
        "close": lambda: casework.change(found, request.user, state=Case.State.CLOSED),
        "open": lambda: casework.change(found, request.user, state=Case.State.OPEN),
        "note": lambda: casework.add_note(found, given.get("text", ""), request.user),
        "share": lambda: casework.share(found, given.get("name", ""), request.user),
        "unshare": lambda: casework.unshare(found, given.get("name", ""), request.user),
        "delete": lambda: casework.delete(found, request.user),
    }
    kind, number = given.get("kind", ""), numbers([given.get("entry", "")])
    if kind in casework.ENTRIES and number:
        acts["remove"] = lambda: casework.remove(found, kind, number[0], request.user)
    act = given.get("act", "")
    if act not in acts:
        raise Http404
    try:
        acts[act]()
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("search:review:cases") if act == "delete" and not found.pk else redirect(found)


@require_POST
@login_required
@reviewers_only
def add(request: HttpRequest) -> HttpResponse:
    """POST /cases/add/: results of a search or findings of the queue, or the search itself."""
    given, query = request.POST, request.POST.get("query", "")
    target = back(request, f"{reverse('search:search')}?{QueryDict(query).urlencode()}")
    try:
        found = casework.find(request.user, (numbers([given.get("case", "")]) or [0])[0])
        if given.get("what") == "search":
            casework.add_search(found, query, request.user)
            messages.success(request, _("The search is in the case “%(case)s”.") % {"case": found})
            return redirect(target)
        count = _add_hits(request, found, query)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect(target)
    told = ngettext(
        "%(count)d result is new in the case “%(case)s”.",
        "%(count)d results are new in the case “%(case)s”.",
        count,
    )
    messages.success(request, told % {"count": count, "case": found})
    return redirect(target)


@require_POST
@login_required
@reviewers_only
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /cases/ID/export/: have the case written by the workers."""
    try:
        job = exports.request(_find(request, pk), request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect("search:review:case", pk)
    return redirect("jobs:detail", job.pk)


@require_safe
@login_required
@reviewers_only
def download(request: HttpRequest, pk: int, export_id: int) -> HttpResponseBase:
    """GET /cases/ID/exports/ID/"""
    found = _find(request, pk)
    try:
        made = exports.find(found, export_id, request.user)
        return answer(made, request.user)
    except DomainError as exc:
        raise Http404(str(exc)) from exc


def answer(made: Any, user: Any) -> FileResponse:
    """The file of an export, for pages and programs."""
    return FileResponse(
        exports.open_file(made, user),
        as_attachment=True,
        filename=f"case-{made.case_id}-{made.pk}.zip",
        content_type="application/zip",
        headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
    )


def _find(request: HttpRequest, pk: int) -> Case:
    try:
        return casework.find(request.user, pk)
    except DomainError as exc:
        raise Http404(str(exc)) from exc


def _add_hits(request: HttpRequest, found: Case, query: str) -> int:
    """Boxes of a search's page, or findings of the queue, each for what it was found for."""
    given, user = request.POST, request.user
    of_shown = given.get("scope") == "shown"
    if "query" not in given:
        wanted = numbers(given.getlist("shown" if of_shown else "finding"))
        rows = Finding.objects.visible_to(user).filter(pk__in=wanted[: judging.MOST])
        by_query: dict[Any, list[int]] = {}
        for finding in rows.select_related("query"):
            by_query.setdefault(finding.query, []).append(finding.box_id)
        return sum(casework.add_hits(found, ids, user, one) for one, ids in by_query.items())
    boxes = numbers(given.getlist("shown" if of_shown else "box"))
    try:
        kept = asked.on_page(query, user)
    except Unjudgeable:
        kept = None
    return casework.add_hits(found, boxes, user, kept)
