"""Pages of generations: what is enrolled beside what serves, the switch, and the way back."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Box
from pedsite.api import DomainError
from search import comparisons, generations
from search.errors import MayNotSwitch
from search.models import Comparison, QueryKind
from training import versions
from training.errors import UnknownVersion
from training.models import ModelVersion

# Lists of a comparison that are shown at once.
CHANGES = 20


def operators(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Only those who may switch see what there is to switch: counts tell of every dataset."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            generations.check_user(request.user)
        except MayNotSwitch as exc:
            raise PermissionDenied(str(exc)) from exc
        return view(request, *args, **options)

    return guarded


@require_safe
@operators
def generation_list(request: HttpRequest) -> HttpResponse:
    """GET /generations/: every version with what it covers, and recent comparisons."""
    context = {
        "generations": generations.each(),
        "comparisons": comparisons.visible_to(request.user)[:10],
    }
    return render(request, "generations/list.html", context)


@require_safe
@operators
def generation(request: HttpRequest, name: str) -> HttpResponse:
    """GET /generations/NAME/: the gate, and what may be done with it."""
    version = _version(name)
    found = generations.of(version)
    gate = [] if found.serves or not found.counts.searched else generations.gate(version)
    context = {
        "generation": found,
        "version": version,
        "gate": gate,
        "short": [check for check in gate if not check.passed],
        "refused": [check for check in gate if not check.passed and not check.may_be_confirmed],
        "before": _before(version, found),
        "others": ModelVersion.objects.exclude(pk=version.pk).answering_text().order_by("name"),
        "comparisons": comparisons.visible_to(request.user).filter(new=version)[:10],
    }
    return render(request, "generations/detail.html", context)


@require_POST
@operators
def enroll(request: HttpRequest, name: str) -> HttpResponse:
    def act() -> str:
        jobs = generations.enroll(_version(name), request.user)
        return _("%(count)d enrollments are queued.") % {"count": len(jobs)}

    return _act(request, name, act)


@require_POST
@operators
def switch(request: HttpRequest, name: str) -> HttpResponse:
    """What did not pass is confirmed by typing the version's name."""

    def act() -> str:
        confirmed = request.POST.get("confirm", "").strip() == name
        generations.switch(_version(name), request.user, confirmed=confirmed)
        return _("“%(name)s” answers from now on.") % {"name": name}

    return _act(request, name, act)


@require_POST
@operators
def roll_back(request: HttpRequest, name: str) -> HttpResponse:
    def act() -> str:
        rows = generations.roll_back(_version(name), request.user)
        told = ", ".join(sorted({row.version.name for row in rows}))
        return _("“%(name)s” answers again.") % {"name": told}

    return _act(request, name, act)


@require_POST
@operators
def delete(request: HttpRequest, name: str) -> HttpResponse:
    def act() -> str:
        if request.POST.get("confirm", "").strip() != name:
            raise _unconfirmed()
        job = generations.request_deletion(_version(name), request.user)
        return _("Job %(id)s deletes the vectors of “%(name)s”.") % {"id": job.pk, "name": name}

    return _act(request, name, act)


@require_POST
@operators
def compare(request: HttpRequest, name: str) -> HttpResponse:
    """Asks the questions of the form, one a line, of this version and of another."""
    try:
        made = comparisons.request(
            _version(request.POST.get("old", "")),
            _version(name),
            request.POST.get("texts", "").splitlines(),
            request.user,
        )
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect("search:generations:detail", name)
    return redirect(made)


@require_safe
@operators
def comparison(request: HttpRequest, comparison_id: int) -> HttpResponse:
    """GET /comparisons/ID/: what changed, who was lost, and how sure that is."""
    found = _comparison(request, comparison_id)
    report = comparisons.report(found)
    changed = sorted(report.changes, key=lambda change: (not change.lost_person, change.kept))
    shown = changed[:CHANGES]
    numbers = {box for change in shown for box, _place in [*change.lost[:5], *change.gained[:5]]}
    boxes = Box.objects.visible_to(request.user).with_context().in_bulk(list(numbers))
    context = {
        "comparison": found,
        "job": found.job,
        "report": report,
        "changes": [(change, _boxes(change, boxes)) for change in shown],
        "left_out": max(0, len(changed) - CHANGES),
        "judged": found.preferences.filter(user=request.user).count(),
    }
    return render(request, "generations/comparison.html", context)


@operators
def judge(request: HttpRequest, comparison_id: int) -> HttpResponse:
    """GET and POST /comparisons/ID/judge/: one question, two lists without names."""
    found = _comparison(request, comparison_id)
    if request.method == "POST":
        try:
            number = int(request.POST.get("number", ""))
            comparisons.prefer(found, number, request.POST.get("side", ""), request.user)
        except (ValueError, DomainError) as exc:
            messages.error(request, str(exc))
        return redirect("search:generations:judge", found.pk)
    number = comparisons.next_to_judge(found, request.user)
    if number is None:
        messages.success(request, _("Every question is judged."))
        return redirect(found)
    question = found.questions[number]
    lists = [
        [box for box, _score in question[side][: comparisons.SHOWN]]
        for side in comparisons.sides(found, number)
    ]
    boxes = Box.objects.visible_to(request.user).with_context().in_bulk([*lists[0], *lists[1]])
    context = {
        "comparison": found,
        "number": number,
        "text": question["text"],
        "sides": [
            (side, [boxes[box] for box in one if box in boxes])
            for side, one in zip(("left", "right"), lists, strict=True)
        ],
        "done": found.preferences.filter(user=request.user).count(),
        "total": len(found.questions),
    }
    return render(request, "generations/judge.html", context)


def _act(request: HttpRequest, name: str, act: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, act())
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("search:generations:detail", name)


def _unconfirmed() -> DomainError:
    return DomainError(_("Type the name of the version to confirm."))


def _before(version: ModelVersion, found: generations.Generation) -> list[ModelVersion]:
    """What would answer again."""
    back = {
        before.pk: before
        for kind in QueryKind.values
        if (before := generations.before_it(version, kind, found.kind))
    }
    return list(back.values())


def _boxes(change: comparisons.Change, boxes: dict[int, Box]) -> dict[str, list[tuple[Box, Any]]]:
    return {
        name: [(boxes[box], place) for box, place in rows[:5] if box in boxes]
        for name, rows in (("lost", change.lost), ("gained", change.gained))
    }


def _version(name: str) -> ModelVersion:
    try:
        return versions.get(name)
    except UnknownVersion:
        raise Http404(_("There is no such model.")) from None


def _comparison(request: HttpRequest, pk: int) -> Comparison:
    return get_object_or_404(comparisons.visible_to(request.user), pk=pk)
