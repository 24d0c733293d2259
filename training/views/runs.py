"""Pages of trainings: what learns, how far it is, how its curves run, and beside which others."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseStopPolling

from pedsite.accounts.roles import operators_only
from pedsite.api import DomainError
from pedsite.jobs import work
from training import curves, lineage, logs, runs
from training.ml.recipes import RECIPES
from training.models import TrainingRun
from training.run_form import RunForm, recipes

PAGE_SIZE = 25
# As many as there are colours that can be told apart.
MOST_COMPARED = 8


@require_safe
@login_required
def run_list(request: HttpRequest) -> HttpResponse:
    """GET /runs/: all for operators, their own for anyone else; newest first."""
    found = TrainingRun.objects.visible_to(request.user).with_job()
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "rows": lineage.rows(page.object_list)}
    return render(request, "training/run_list.html", context)


@require_safe
@login_required
@never_cache
@vary_on_headers("HX-Request")
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """GET /runs/ID/; for htmx only what changes, until the training is over."""
    found = _visible(request, run_id)
    job = found.job
    cut_off = job.is_over and found.version is None
    context = {
        "run": found,
        "job": job,
        "charts": curves.of(found),
        "log": logs.tail(found),
        # On this machine; the worker of another one finds its own.
        "kept": bool(cut_off and runs.kept(found)),
    }
    if request.htmx:
        response = render(request, "training/_run_live.html", context)
        # htmx stops polling at status 286.
        return HttpResponseStopPolling(response.content) if job.is_over else response
    context |= {
        "settings": lineage.settings(found),
        "trail": lineage.of_run(found),
        "pace": lineage.pace(found),
    }
    return render(request, "training/run.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@operators_only
@never_cache
def run_new(request: HttpRequest) -> HttpResponse:
    """GET and POST /runs/new/?recipe=NAME: start a training; fields of the form fill it in."""
    recipe = request.GET.get("recipe", "")
    if recipe not in RECIPES:
        recipe = next(iter(RECIPES))
    given = {name: value for name, value in request.GET.items() if name != "recipe"}
    form = RunForm(request.POST or None, recipe=recipe, user=request.user, initial=given)
    if form.is_valid():
        try:
            made = runs.request(
                recipe,
                form.source,
                form.settings,
                name=form.cleaned_data["name"],
                licence=form.cleaned_data["licence"],
                user=request.user,
                snapshot=form.cleaned_data["snapshot"],
            )
        except DomainError as exc:
            form.refuse(exc)
        else:
            return redirect("training:run", made.pk)
    context = {"form": form, "recipe": recipe, "recipes": recipes()}
    return render(request, "training/run_new.html", context, status=422 if form.is_bound else 200)


@require_POST
@login_required
def run_cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    found = _visible(request, run_id)
    try:
        work.cancel(found.job)
        messages.success(request, _("The training is being cancelled; its last checkpoint stays."))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("training:run", run_id)


@require_POST
@login_required
@operators_only
def run_finish(request: HttpRequest, run_id: int) -> HttpResponse:
    """POST /runs/ID/finish/: let it end with a version when its epoch is over."""
    found = _visible(request, run_id)
    try:
        runs.finish(found)
        messages.success(request, _("The training stops when its epoch is over."))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("training:run", run_id)


@require_POST
@login_required
@operators_only
def run_resume(request: HttpRequest, run_id: int) -> HttpResponse:
    found = _visible(request, run_id)
    try:
        runs.resume(found, request.user)
        messages.success(request, _("The training is queued again."))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("training:run", run_id)


@require_safe
@login_required
def run_compare(request: HttpRequest) -> HttpResponse:
    """GET /runs/compare/?run=1&run=2: settings and curves beside each other."""
    found = _asked(request)
    context: dict[str, Any] = {"runs": found}
    if len(found) > 1:
        rows = curves.settings(found)
        context |= {
            "differing": [row for row in rows if row.differs],
            "equal": [row for row in rows if not row.differs],
            "charts": curves.compared(found),
            "rows": lineage.rows(found),
        }
    return render(request, "training/run_compare.html", context)


def _asked(request: HttpRequest) -> list[TrainingRun]:
    numbers = [int(one) for one in request.GET.getlist("run") if one.isdecimal() and len(one) < 10]
    seen = TrainingRun.objects.visible_to(request.user).with_job().filter(pk__in=numbers)
    found = {one.pk: one for one in seen}
    chosen = [found[number] for number in dict.fromkeys(numbers) if number in found]
    if len(chosen) > MOST_COMPARED:
        text = _("At most %(n)d trainings are compared; the first ones are shown.")
        messages.info(request, text % {"n": MOST_COMPARED})
    return chosen[:MOST_COMPARED]


def _visible(request: HttpRequest, run_id: int) -> TrainingRun:
    found = TrainingRun.objects.visible_to(request.user).with_job().filter(pk=run_id).first()
    if found is None:
        raise Http404(_("There is no such training, or it is not yours."))
    return found
