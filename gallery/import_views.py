"""Pages of imports: bring something, look at what it would become, confirm, undo."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseStopPolling

from gallery import import_results, imports, undo, uploads
from gallery.import_form import WORDS, ChoicesForm, ImportForm
from gallery.models import Import, Upload
from pedsite.accounts.models import User
from pedsite.accounts.roles import curators_only
from pedsite.api import DomainError
from pedsite.audit.journal import Action, record
from pedsite.jobs import failures

PAGE_SIZE = 25


@require_safe
@login_required
@curators_only
def import_list(request: HttpRequest) -> HttpResponse:
    """GET /imports/: their own, newest first; all for administrators."""
    found = Import.objects.visible_to(request.user).select_related(
        "check_job", "job", "undo_job", "created_by"
    )
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    waiting = Upload.objects.filter(created_by=request.user, imports=None)
    return render(request, "imports/list.html", {"page": page, "waiting": waiting})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@curators_only
def import_new(request: HttpRequest) -> HttpResponse:
    """GET and POST /imports/new/; a file may come with the form, or have come in pieces before."""
    initial = {"dataset": request.GET.get("dataset", "")}
    form = ImportForm(
        request.POST or None, request.FILES or None, user=request.user, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("gallery:import", _begin(request, form).pk)
        except DomainError as exc:
            form.add_error(None, str(exc))
    status = 422 if form.errors else 200
    context = {"form": form, "piece": uploads.PIECE}
    return render(request, "imports/new.html", context, status=status)


@require_safe
@login_required
@curators_only
@never_cache
@vary_on_headers("HX-Request")
def import_detail(request: HttpRequest, import_id: int) -> HttpResponse:
    """GET /imports/ID/; for htmx only what changes, until the job at hand is over."""
    found = _visible(request, import_id)
    job = found.current_job
    context = _context(found)
    if request.htmx:
        response = render(request, "imports/_stage.html", context)
        # htmx stops polling at status 286.
        over = job is None or job.is_over
        return HttpResponseStopPolling(response.content) if over else response
    form = ChoicesForm(user=request.user, initial=_initial(found))
    return render(request, "imports/detail.html", context | {"form": form})


@require_POST
@login_required
@curators_only
def import_check(request: HttpRequest, import_id: int) -> HttpResponse:
    """POST /imports/ID/check/: look again, with other choices."""
    found = _visible(request, import_id)
    form = ChoicesForm(request.POST, user=request.user)
    if form.is_valid():
        try:
            imports.check_again(found.pk, request.user, form.wish())
            return redirect("gallery:import", found.pk)
        except DomainError as exc:
            form.add_error(None, str(exc))
    return render(request, "imports/detail.html", _context(found) | {"form": form}, status=422)


@require_POST
@login_required
@curators_only
def import_confirm(request: HttpRequest, import_id: int) -> HttpResponse:
    found = _visible(request, import_id)
    try:
        imports.confirm(found.pk, request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("gallery:import", found.pk)


@require_POST
@login_required
@curators_only
def import_remove(request: HttpRequest, import_id: int) -> HttpResponse:
    found = _visible(request, import_id)
    try:
        imports.remove(found.pk)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect("gallery:import", found.pk)
    messages.success(
        request, _("“%(name)s” was removed; nothing was imported.") % {"name": found.name}
    )
    return redirect("gallery:import-list")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@curators_only
def import_undo(request: HttpRequest, import_id: int) -> HttpResponse:
    """GET tells what an undo would take away and leave; POST does it."""
    found = _visible(request, import_id)
    if request.method == "POST":
        try:
            undo.request(found.pk, request.user)
        except DomainError as exc:
            messages.error(request, str(exc))
        return redirect("gallery:import", found.pk)
    if found.stage != "imported":
        return redirect("gallery:import", found.pk)
    context = {"found": found, "told": undo.foretell(found.job)}
    return render(request, "imports/undo.html", context)


@require_safe
@login_required
@curators_only
def import_result(request: HttpRequest, import_id: int, ending: str) -> HttpResponse:
    """GET /imports/ID/result.json or .csv: what was imported, and every refusal."""
    found = _visible(request, import_id)
    if found.job is None and found.check_job is None:
        raise Http404
    return result(found, ending, request.user)


@require_POST
@login_required
@curators_only
def upload_remove(request: HttpRequest, upload_id: int) -> HttpResponse:
    """POST /imports/uploads/ID/remove/: one that no import needs any more."""
    found = Upload.objects.visible_to(request.user).filter(pk=upload_id).first()
    if found is None:
        raise Http404
    try:
        uploads.give_up(found)
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("gallery:import-list")


def result(found: Import, ending: str, user: User) -> StreamingHttpResponse:
    """The result file as an attachment."""
    write, kind = import_results.WRITERS[ending]
    record(Action.EXPORT, user=user, about=f"result of import {found.pk}")
    response = StreamingHttpResponse(write(found), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="import-{found.pk}.{ending}"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _begin(request: HttpRequest, form: ImportForm) -> Import:
    upload = form.cleaned_data["upload"]
    file = form.cleaned_data["file"]
    if not file:
        return imports.begin(request.user, form.wish(upload))
    upload = uploads.store(request.user, file.name, file.size, file.chunks())
    try:
        return imports.begin(request.user, form.wish(upload))
    except DomainError:
        uploads.remove(upload)
        raise


def _visible(request: HttpRequest, import_id: int) -> Import:
    found = Import.objects.visible_to(request.user).select_related(
        "check_job", "job", "undo_job", "upload"
    )
    one = found.filter(pk=import_id).first()
    if one is None:
        raise Http404(_("There is no such import, or it is not yours."))
    return one


def _context(found: Import) -> dict[str, Any]:
    job = found.current_job
    return {
        "found": found,
        "job": job,
        "groups": failures.grouped(job) if job is not None and job.is_over else [],
        "format": WORDS.get(found.format, found.format),
    }


def _initial(found: Import) -> dict[str, Any]:
    return {
        "dataset": found.dataset_name,
        "format": found.format,
        "images": found.images,
        **found.options,
    }
