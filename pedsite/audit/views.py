"""Pages of the log, for administrators: look things up, read one entry, take a file away."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from pedsite.accounts.roles import administrators_only
from pedsite.audit import chain, files
from pedsite.audit.forms import LookUpForm
from pedsite.audit.journal import Action, record
from pedsite.audit.models import Entry, Waiting

SIZE = 50


@require_safe
@login_required
@administrators_only
@never_cache
def entry_list(request: HttpRequest) -> HttpResponse:
    """GET /audit/: newest first; `until` is the id before which the page begins."""
    form = LookUpForm(request.GET)
    valid = form.is_valid()
    rows = Entry.objects.matching(**form.cleaned_data) if valid else Entry.objects.none()
    until = request.GET.get("until", "")
    if until.isascii() and until.isdigit() and len(until) < 18:
        rows = rows.filter(pk__lt=int(until))
    shown = list(rows.order_by("-pk")[: SIZE + 1])
    query = request.GET.copy()
    query.pop("until", None)
    context = {
        "form": form,
        "entries": shown[:SIZE],
        "older": shown[SIZE - 1].pk if len(shown) > SIZE else None,
        "is_newest": not until,
        "query": query.urlencode(),
        "head": chain.head(),
        "waiting": Waiting.objects.count(),
    }
    return render(request, "audit/list.html", context, status=200 if valid else 400)


@require_safe
@login_required
@administrators_only
@never_cache
def entry(request: HttpRequest, pk: int) -> HttpResponse:
    """GET /audit/ID/: all that is known of one entry."""
    found = files.linked(Entry.objects.filter(pk=pk)).first()
    if found is None:
        raise Http404
    return render(request, "audit/detail.html", {"entry": found})


@require_safe
@login_required
@administrators_only
def export(request: HttpRequest, form: str) -> StreamingHttpResponse:
    """GET /audit/export.FORM?…: what the page shows, all pages of it, oldest first."""
    asked = LookUpForm(request.GET)
    if form not in files.FORMATS or not asked.is_valid():
        raise Http404
    chain.link()
    record(
        Action.EXPORT,
        user=request.user,
        about=f"audit log, {form}",
        filters={name: str(value) for name, value in asked.cleaned_data.items() if value},
    )
    kind, write = files.FORMATS[form]
    name = f"audit-{timezone.localtime():%Y%m%d-%H%M%S}.{form}"
    return StreamingHttpResponse(
        write(Entry.objects.matching(**asked.cleaned_data)),
        content_type=kind,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
