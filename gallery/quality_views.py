"""Pages of a dataset's quality: boxes that are worth little, and boxes that look the same."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery import curation, duplicates, pages, quality
from gallery.curation_views import back, tell, visible
from gallery.models import Box, Dataset
from gallery.quality_forms import ThresholdsForm
from pedsite.accounts.roles import curators_only
from pedsite.api import DomainError

GROUPS = 20
REASONS = {
    "": gettext_lazy("any"),
    "small": gettext_lazy("small"),
    "blurred": gettext_lazy("blurred"),
    "hidden_by_others": gettext_lazy("covered by others"),
    "cut_off": gettext_lazy("cut by the edge"),
}
KINDS = {
    "": gettext_lazy("all"),
    "exact": gettext_lazy("the same pixels"),
    "near": gettext_lazy("nearly the same"),
}


@require_safe
@login_required
@curators_only
@never_cache
def flagged(request: HttpRequest, name: str) -> HttpResponse:
    """GET /datasets/NAME/quality/?reason=&shorter=&sharpness=&covered=&whole=: a grid."""
    dataset = visible(request, name)
    form = ThresholdsForm(request.GET)
    limits, reason = form.limits(), _one_of(REASONS, request.GET.get("reason", ""))
    found, previous, following = pages.cut(
        quality.flagged(dataset, limits, reason),
        pages.number(request.GET.get("after", "")),
        pages.number(request.GET.get("before", "")),
    )
    for row in found:
        row.reasons = [REASONS[why] for why in quality.why(row, limits)]
    counts = quality.counts(dataset, limits)
    context = _context(request, dataset) | {
        "rows": found,
        "form": form,
        "limits": limits,
        "tabs": [(key, words, counts[key]) for key, words in REASONS.items()],
        "reason": reason,
        "thresholds": form.address(),
        "asked": f"{form.address()}&reason={reason}",
        "previous": previous,
        "next": following,
        "most": curation.MOST,
    }
    return render(request, "quality/flagged.html", context)


@require_safe
@login_required
@curators_only
@never_cache
def duplicate_list(request: HttpRequest, name: str) -> HttpResponse:
    """GET /datasets/NAME/duplicates/?kind=exact|near: groups, each with the box to keep."""
    dataset = visible(request, name)
    kind = _one_of(KINDS, request.GET.get("kind", ""))
    rows = duplicates.groups(dataset, kind).order_by("-twin_count", "pk")
    page = Paginator(rows, GROUPS).get_page(request.GET.get("page"))
    context = _context(request, dataset) | {
        "page": page,
        "groups": [duplicates.told(box) for box in page],
        "kind": kind,
        "kinds": list(KINDS.items()),
        "near": duplicates.NEAR,
    }
    return render(request, "quality/duplicates.html", context)


@require_POST
@login_required
@curators_only
def measure(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/quality/measure/: a job that measures what has to be measured."""
    try:
        job = quality.request(visible(request, name), request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect("gallery:quality", name)
    return redirect("jobs:detail", job.pk)


@require_POST
@login_required
@curators_only
def hide(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/quality/hide/: the ticked boxes, or all below the thresholds."""
    dataset = visible(request, name)
    if request.POST.get("scope") == "all":
        reason = _one_of(REASONS, request.GET.get("reason", ""))
        rows = quality.flagged(dataset, ThresholdsForm(request.GET).limits(), reason)
        ids = list(rows.order_by("pk").values_list("box", flat=True)[: curation.MOST + 1])
    else:
        ids = _mine(dataset, request.POST.getlist("box"))
    return _hidden(request, ids, reverse("gallery:quality", args=[name]))


@require_POST
@login_required
@curators_only
def keep(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/duplicates/keep/: of each ticked group all but one are hidden.

    `group` is the box that was suggested; `keep-ID` the one that is chosen instead,
    `only` one group without a tick.
    """
    dataset = visible(request, name)
    only = request.POST.getlist("only")
    suggested = _mine(dataset, only or request.POST.getlist("group"))
    kind = _one_of(KINDS, request.POST.get("kind", ""))
    going: list[int] = []
    for box in duplicates.groups(dataset, kind).filter(pk__in=suggested):
        members = [box.pk, *(row.box_id for row in duplicates.told(box).twins)]
        kept = pages.number(request.POST.get(f"keep-{box.pk}", "")) or box.pk
        # A box of another group would leave nobody of this one.
        going += [pk for pk in members if pk != (kept if kept in members else box.pk)]
    return _hidden(request, going, reverse("gallery:duplicates", args=[name]))


def _hidden(request: HttpRequest, ids: list[int], address: str) -> HttpResponse:
    try:
        tell(request, curation.review(ids, "hidden", request.user))
    except DomainError as exc:
        messages.error(request, str(exc))
    return back(request, address)


def _mine(dataset: Dataset, texts: list[str]) -> list[int]:
    chosen = [found for text in texts if (found := pages.number(text)) is not None]
    rows = Box.objects.filter(pk__in=chosen, image__dataset=dataset)
    return list(rows.values_list("pk", flat=True))


def _one_of(known: dict[str, Any], wanted: str) -> str:
    return wanted if wanted in known else ""


def _context(request: HttpRequest, dataset: Dataset) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "waiting": quality.waiting(dataset),
        "measuring": quality.on_its_way(dataset),
        "undoable": pages.undoable(dataset, request.user),
    }
