"""Pages of snapshots: all of them, one with what was learned from it, two beside each other."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery import snapshot_diffs, snapshots
from gallery.models import Dataset, Snapshot
from pedsite.accounts.models import User
from pedsite.accounts.roles import curators_only, operators_only, reviewers_only
from pedsite.api import DomainError
from search import serving
from search.errors import NothingServes
from search.models import QueryKind
from search.review.views import numbers
from search.snapshots import freezing, words
from training import gains
from training.models import TrainingRun

PAGE_SIZE = 25
# What a training that goes on from a version is filled in with: small steps, and few.
FINE_TUNING = {"steps": 300, "batch": 48, "lr": 1e-4, "warmup": 30, "validate_every": 50}


@require_safe
@login_required
@reviewers_only
@never_cache
def snapshot_list(request: HttpRequest) -> HttpResponse:
    """GET /snapshots/?dataset=NAME: those of the datasets that the user sees, newest first."""
    datasets = Dataset.objects.visible_to(request.user).order_by("name")
    wanted = request.GET.get("dataset", "")
    rows = snapshots.visible_to(request.user)
    if wanted:
        rows = rows.filter(dataset__name=wanted)
    context = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "datasets": datasets,
        "wanted": wanted,
    }
    return render(request, "snapshots/list.html", context)


@require_POST
@login_required
@curators_only
def freeze(request: HttpRequest) -> HttpResponse:
    """POST /snapshots/freeze/: a worker freezes a dataset with what reviewers agree on."""
    shown = Dataset.objects.visible_to(request.user)
    dataset = shown.filter(name=request.POST.get("dataset", "")).first()
    if dataset is None:
        raise Http404
    job = freezing.request(dataset, request.user)
    messages.success(request, _("The dataset is being frozen; the snapshot is listed when it is."))
    return redirect("jobs:detail", job.pk)


@require_safe
@login_required
@reviewers_only
@never_cache
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    """GET /snapshots/ID/: what is in it, and what trainings on it bought."""
    found = _visible(request, pk)
    counts = snapshots.counts(found)
    others = snapshots.visible_to(request.user).filter(dataset=found.dataset_id)
    context = {
        "snapshot": found,
        "counts": [
            (label, counts[split]) for split, label in words.SPLITS.items() if split in counts
        ],
        "findings": words.named(words.OUTCOMES, found.judged.get("findings", {})),
        "nameless": words.named(words.SPLITS, found.judged.get("nameless", {})),
        "others": others.exclude(pk=pk)[:PAGE_SIZE],
        "gains": gains.on(found) if request.user.operates else seen_gains(found, request.user),
        "measures": words.MEASURES,
        "train": train_query(found),
    }
    return render(request, "snapshots/detail.html", context)


@require_safe
@login_required
@reviewers_only
@never_cache
def compare(request: HttpRequest) -> HttpResponse:
    """GET /snapshots/compare/?old=ID&new=ID"""
    chosen = [numbers([request.GET.get(side, "")]) for side in ("old", "new")]
    if not all(chosen):
        raise Http404
    old, new = (_visible(request, pk) for (pk,) in chosen)
    try:
        found = snapshot_diffs.compare(old, new)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect("search:snapshots:list")
    splits = [(words.SPLITS[one], found.counts[one]) for one in words.SPLITS if one in found.counts]
    rows = [
        (label, [of[kind] for _split, of in splits], sum(of[kind] for _split, of in splits))
        for kind, label in words.KINDS.items()
        if any(of.get(kind) for _split, of in splits)
    ]
    changes = [
        (change, words.SPLITS.get(change.split, change.split), words.KINDS[change.kind],
         [(words.KINDS[kind], text) for kind, text in change.what])
        for change in found.changes
    ]  # fmt: skip
    context = {
        "old": old,
        "new": new,
        "splits": [label for label, _of in splits],
        "rows": rows,
        "changes": changes,
        "more": found.more,
    }
    return render(request, "snapshots/compare.html", context)


@require_POST
@login_required
@operators_only
def measure(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /snapshots/ID/measure/: have a training's gain measured."""
    found = _visible(request, pk)
    runs = TrainingRun.objects.visible_to(request.user).filter(snapshot=found)
    run = runs.filter(pk__in=numbers([request.POST.get("run", "")])).first()
    if run is None:
        raise Http404
    try:
        gains.request(run, request.user)
        messages.success(request, _("Both versions are being measured on the test split."))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("search:snapshots:detail", pk)


def train_query(snapshot: Snapshot) -> str:
    """The address of the form that trains on a snapshot, filled in to go on from what answers."""
    given: dict[str, Any] = {
        "recipe": "clip",
        "dataset": snapshot.dataset.name,
        "snapshot": snapshot.number,
    }
    try:
        version = serving.current(QueryKind.TEXT, snapshot.dataset.kind)
    except NothingServes:
        return urlencode(given)
    return urlencode(given | {"start": version.name} | FINE_TUNING)


def seen_gains(snapshot: Snapshot, user: User) -> list[gains.Gain]:
    """Those of trainings that gave a version: unfinished ones are their makers' and operators'."""
    return [gain for gain in gains.on(snapshot) if gain.run.version_id or _owns(gain.run, user)]


def _owns(run: TrainingRun, user: User) -> bool:
    return TrainingRun.objects.visible_to(user).filter(pk=run.pk).exists()


def _visible(request: HttpRequest, pk: int) -> Snapshot:
    try:
        return snapshots.get(request.user, pk)
    except DomainError as exc:
        raise Http404(str(exc)) from exc
