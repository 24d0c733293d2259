"""Pages of inspections: what each way of searching finds, in numbers and question by question."""

import random
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery.models import Box, Dataset, Review
from pedsite.accounts.roles import operators_only
from pedsite.api import DomainError
from search import inspections, tables
from search.models import Inspection, QueryKind
from training.models import ModelVersion

PAGE_SIZE = 25
# Questions shown beside the numbers, the worst ones.
SHOWN = 24
WAYS = {"exact": gettext_lazy("exact"), "lopq": gettext_lazy("LOPQ, re-ranked")}


class InspectionForm(forms.Form):
    """A version and a dataset that the user may see, and who asks what."""

    version = forms.ModelChoiceField(
        ModelVersion.objects.order_by("-pk"), to_field_name="name", empty_label=None
    )
    dataset = forms.ModelChoiceField(Dataset.objects.none(), to_field_name="name", empty_label=None)
    asked_with = forms.ChoiceField(choices=QueryKind.choices, initial=QueryKind.PICTURE)
    protocol = forms.ChoiceField(choices=Inspection.Protocol.choices)

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["dataset"].queryset = Dataset.objects.visible_to(user).order_by("name")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One hit: whether it is right, None where nobody can tell; no box if it went since."""

    rank: int
    score: float
    box: Box | None
    right: bool | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question by its number, with the average precision of its answer, 0 to 1 or None."""

    number: int
    text: str
    box: Box | None
    precision: float | None


@require_safe
@login_required
def inspection_list(request: HttpRequest) -> HttpResponse:
    """GET /inspections/: those of datasets that the user may see, newest first."""
    found = Inspection.objects.visible_to(request.user).with_context().order_by("-pk")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "form": InspectionForm(user=request.user)}
    return render(request, "inspections/list.html", context)


@require_POST
@login_required
@operators_only
def start(request: HttpRequest) -> HttpResponse:
    """POST /inspections/new/: have one made by the workers."""
    form = InspectionForm(request.POST, user=request.user)
    if not form.is_valid():
        messages.error(request, _("Choose a version and a dataset."))
        return redirect("search:inspections:list")
    chosen = form.cleaned_data
    try:
        made = inspections.request(
            chosen["version"],
            chosen["dataset"],
            asked_with=chosen["asked_with"],
            protocol=chosen["protocol"],
            user=request.user,
        )
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect("search:inspections:list")
    return redirect(made)


@require_safe
@login_required
def inspection(request: HttpRequest, inspection_id: int) -> HttpResponse:
    """GET /inspections/ID/: the numbers, and the questions that were answered worst."""
    found = _visible(request, inspection_id)
    way = _way(request, found)
    context: dict[str, Any] = {"inspection": found, "job": found.job, "way": way}
    if found.numbers:
        numbers = _worst_first(found, way)[:SHOWN]
        shown = _boxes(request, [found.questions[number]["box"] for number in numbers])
        context |= {
            "rows": tables.rows(found),
            "ks": tables.ks(found),
            "top": found.options["top"],
            "asked": [_asked(found, number, way, shown) for number in numbers],
        }
    return render(request, "inspections/detail.html", context)


@require_safe
@login_required
@never_cache
def question(request: HttpRequest, inspection_id: int, number: int) -> HttpResponse:
    """GET /inspections/ID/questions/NUMBER/?way=: one question, and its hits right or wrong."""
    found = _visible(request, inspection_id)
    if number >= len(found.questions):
        raise Http404(_("There is no such question."))
    way = _way(request, found)
    order = _worst_first(found, way)
    place = order.index(number)
    asked = found.questions[number]
    boxes = _boxes(request, [asked["box"], *(box for box, _score in asked["found"][way])])
    hits = [
        Shown(
            rank=rank,
            score=score,
            box=boxes.get(box),
            right=_right(asked, box, boxes.get(box)),
        )
        for rank, (box, score) in enumerate(asked["found"][way], start=1)
    ]
    context = {
        "inspection": found,
        "way": way,
        "ways": [(name, words) for name, words in WAYS.items() if name in asked["found"]],
        "asked": _asked(found, number, way, boxes),
        "hits": hits,
        "right": sum(hit.right is True for hit in hits),
        "gone": sum(hit.box is None for hit in hits),
        "place": place + 1,
        "total": len(order),
        "previous": order[place - 1] if place else None,
        "next": order[place + 1] if place + 1 < len(order) else None,
        "any": random.choice(order),
    }
    return render(request, "inspections/question.html", context)


def _visible(request: HttpRequest, pk: int) -> Inspection:
    rows = Inspection.objects.visible_to(request.user)
    return get_object_or_404(rows.select_related("version", "dataset", "job"), pk=pk)


def _way(request: HttpRequest, found: Inspection) -> str:
    asked = request.GET.get("way", "")
    there = found.questions[0]["found"] if found.questions else {}
    return asked if asked in there else "exact"


def _worst_first(found: Inspection, way: str) -> list[int]:
    """Numbers of questions, those about nobody known last."""
    values = [one["precision"].get(way) for one in found.questions]
    return sorted(range(len(values)), key=lambda n: (values[n] is None, values[n] or 0.0, n))


def _boxes(request: HttpRequest, numbers: list[int]) -> dict[int, Box]:
    rows = Box.objects.visible_to(request.user).exclude(review=Review.HIDDEN)
    return rows.with_context().in_bulk(numbers)


def _asked(found: Inspection, number: int, way: str, boxes: dict[int, Box]) -> Asked:
    one = found.questions[number]
    return Asked(
        number=number,
        text=one["text"],
        box=boxes.get(one["box"]),
        precision=one["precision"].get(way),
    )


def _right(asked: dict[str, Any], number: int, box: Box | None) -> bool | None:
    if asked["person"] is not None:
        return None if box is None else box.identity_id == asked["person"]
    # A text about nobody known is about one box.
    return number == asked["box"] if asked["text"] else None
