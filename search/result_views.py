"""What is done with results: files of them, and searches that are kept."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
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
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from pedsite.api import DomainError
from pedsite.audit.journal import Action, record
from search import reports, saved, views
from search.forms import SearchForm


@login_required
@require_safe
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """GET /search/export/FORM/?…: the first hits of a search of the page, as a file."""
    if form not in reports.FORMATS:
        raise Http404
    asked = SearchForm(request.GET, user=request.user)
    outcome = views.outcome(asked, request, limit=reports.MOST)
    if not outcome.get("answer"):
        return render(request, "search/search.html", outcome, status=outcome["status"])
    about = reports.Asked(
        query=asked.data.get("q", ""),
        address=request.build_absolute_uri(f"{reverse('search:search')}?{asked.query()}"),
        user=request.user.get_username(),
        at=timezone.localtime(),
    )
    record(
        Action.EXPORT,
        user=request.user,
        about=f"search results, {form}",
        text=about.query,
        version=outcome["answer"].version,
        results=len(outcome["answer"].hits),
        boxes=[hit.box.pk for hit in outcome["answer"].hits],
    )
    return FileResponse(
        reports.write(form, outcome["answer"], about),
        as_attachment=True,
        filename=f"pedsite-{about.at:%Y%m%d-%H%M%S}.{form}",
        content_type=reports.FORMATS[form][0],
    )


@login_required
@require_safe
def saved_list(request: HttpRequest) -> HttpResponse:
    """GET /searches/: a user's saved searches, each with what is new."""
    rows = [(each, saved.news(each)) for each in request.user.saved_searches.all()]
    return render(request, "search/saved.html", {"rows": rows})


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """POST /searches/save/: keep a search of the page under a name, and go back to it."""
    query = request.POST.get("query", "")
    try:
        kept = saved.save(request.user, request.POST.get("name", ""), query)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect(f"{reverse('search:search')}?{QueryDict(query).urlencode()}")
    messages.success(request, _("Saved as “%(name)s”.") % {"name": kept.name})
    return redirect("search:saved-list")


@login_required
@require_POST
def mark_seen(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /searches/ID/seen/: nothing that it finds now is new any longer."""
    try:
        saved.mark_seen(saved.find(request.user, pk))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("search:saved-list")


@login_required
@require_POST
def forget(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /searches/ID/delete/"""
    try:
        kept = saved.find(request.user, pk)
    except DomainError as exc:
        raise Http404(str(exc)) from exc
    kept.delete()
    messages.success(request, _("“%(name)s” is deleted.") % {"name": kept.name})
    return redirect("search:saved-list")
