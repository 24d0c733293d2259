"""Pages of evaluations: how good a version is on a split, and where it errs."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRefresh

from pedsite.accounts.roles import operators_only
from pedsite.api import DomainError
from pedsite.audit.journal import Action, record
from pedsite.jobs.models import Job
from training import evaluations, reports
from training.forms import EvaluationForm, EvaluationsForm
from training.models import Evaluation

PAGE_SIZE = 25
CSV = "text/csv; charset=utf-8"


@require_safe
@login_required
def evaluation_list(request: HttpRequest) -> HttpResponse:
    """GET /evaluations/: those on datasets that the user may see, newest first."""
    found = Evaluation.objects.visible_to(request.user).with_context()
    found = found.defer("details", "predictions")
    form = EvaluationsForm(request.GET, user=request.user)
    page = Paginator(form.narrow(found), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(one, reports.headline(one)) for one in page]
    context = {"page": page, "rows": rows, "form": form}
    return render(request, "training/evaluation_list.html", context)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def evaluation(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """GET /evaluations/ID/; `threshold` in the query moves the operating point.

    While it is being measured, htmx asks for its progress, and for the whole page at the end.
    """
    found = _visible(request, evaluation_id)
    if request.htmx and found.job.is_over:
        return HttpResponseClientRefresh()
    context = {"evaluation": found, "job": found.job, "sees_job": _sees_job(request, found.job)}
    if request.htmx:
        return render(request, "training/_evaluation_progress.html", context)
    if found.metrics:
        context |= _measured(request, found)
    return render(request, "training/evaluation.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@operators_only
@never_cache
def evaluation_new(request: HttpRequest) -> HttpResponse:
    """GET and POST /evaluations/new/: have a version measured."""
    form = EvaluationForm(request.POST or None, user=request.user, initial=request.GET.dict())
    if form.is_valid():
        try:
            made = evaluations.request(**form.cleaned_data, user=request.user)
        except DomainError as exc:
            form.add_error(None, str(exc))
        else:
            if made.job.is_over:
                messages.info(request, _("This was measured before, on the same data."))
            return redirect("training:evaluation", made.pk)
    status = 422 if form.is_bound else 200
    return render(request, "training/evaluation_new.html", {"form": form}, status=status)


@require_safe
@login_required
def evaluation_json(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """GET /evaluations/ID/numbers.json: what `evaluate --json` writes."""
    found = _measured_only(request, evaluation_id)
    text = json.dumps(found.metrics, indent=2, ensure_ascii=False) + "\n"
    return _attached(request, text, "application/json", f"evaluation-{found.pk}.json")


@require_safe
@login_required
def evaluation_csv(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """GET /evaluations/ID/numbers.csv: all numbers with their intervals."""
    found = _measured_only(request, evaluation_id)
    return _attached(request, reports.numbers_csv(found), CSV, f"evaluation-{found.pk}.csv")


@require_safe
@login_required
def evaluation_curve(request: HttpRequest, evaluation_id: int) -> HttpResponse:
    """GET /evaluations/ID/curve.csv: threshold, FAR and FRR."""
    found = _measured_only(request, evaluation_id)
    return _attached(request, reports.curve_csv(found), CSV, f"evaluation-{found.pk}-curve.csv")


def _measured(request: HttpRequest, found: Evaluation) -> dict[str, Any]:
    columns, slices = reports.slices(found)
    levels = reports.levels(found)
    context: dict[str, Any] = {
        "directions": reports.directions(found),
        "columns": columns,
        "slices": slices,
        "reordered": reports.reordered(found),
        "others": reports.others(found),
        "layout": found.metrics["verification"].get("layout", ""),
        "pairs": found.metrics["verification"]["pairs"],
        "galleries": [
            (_("Worst false accepts"), "false_accepts", _worst(request, found, "false_accepts")),
            (_("Worst false rejects"), "false_rejects", _worst(request, found, "false_rejects")),
        ],
    }
    if "curve" not in found.details:
        return context | {"levels": [(level, None) for level in levels]}
    curves = reports.Curves(found)
    operating = curves.operating()
    place = curves.nearest(_threshold(request, levels))
    return context | {
        "curves": curves,
        "operating": operating,
        "rows": json.dumps([one.row() for one in operating], ensure_ascii=False),
        "place": place,
        "chosen": operating[place],
        "levels": [(level, curves.nearest(level.threshold or 0)) for level in levels],
    }


def _worst(request: HttpRequest, found: Evaluation, kind: str) -> list[reports.Pair]:
    return reports.worst(found, kind, request.user)


def _threshold(request: HttpRequest, levels: list[reports.Number]) -> float:
    """The one asked for, or that of the equal error rate."""
    try:
        asked = float(request.GET.get("threshold", ""))
    except ValueError:
        asked = float("nan")
    return asked if -1 <= asked <= 1 else levels[0].threshold or 0.0


def _visible(request: HttpRequest, evaluation_id: int) -> Evaluation:
    rows = Evaluation.objects.visible_to(request.user).with_context()
    found = rows.filter(pk=evaluation_id).first()
    if found is None:
        raise Http404(_("There is no such evaluation, or its dataset is not shared with you."))
    return found


def _measured_only(request: HttpRequest, evaluation_id: int) -> Evaluation:
    found = _visible(request, evaluation_id)
    if not found.metrics:
        raise Http404(_("Nothing is measured yet."))
    return found


def _sees_job(request: HttpRequest, job: Job) -> bool:
    return Job.objects.visible_to(request.user).filter(pk=job.pk).exists()


def _attached(request: HttpRequest, text: str, content_type: str, name: str) -> HttpResponse:
    record(Action.EXPORT, user=request.user, about=name)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(text, content_type=content_type, headers=headers)
