"""The page of one person: all their boxes, who might be the same, and which boxes look odd."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery import pages, people
from gallery.errors import UnknownIdentity
from gallery.models import Identity
from pedsite.api import DomainError
from pedsite.audit.journal import opened
from search import admission, likeness


@require_safe
@login_required
def person(request: HttpRequest, identity_id: int) -> HttpResponse:
    """GET /people/ID/"""
    try:
        found = people.get(identity_id, request.user)
    except UnknownIdentity as exc:
        raise Http404(_("There is no such person, or they are not shared with you.")) from exc
    opened(request.user, f"identity {identity_id}")
    context: dict[str, Any] = {
        "person": found,
        "dataset": found.dataset,
        "splits": Identity.Split.choices,
        "count": found.boxes.count(),
        "most": likeness.MOST_BOXES,
    }
    if request.user.curates:
        context["undoable"] = pages.undoable(found.dataset, request.user)
    return render(request, "people/person.html", context | _seen(found, request))


def _seen(found: Identity, request: HttpRequest) -> dict[str, Any]:
    """What the vectors say; without them the boxes alone, and why."""
    try:
        with admission.slot():
            look = likeness.look(found, request.user)
            return {"look": look, "sightings": look.sightings}
    except DomainError as exc:
        boxes = found.boxes.with_context().order_by("pk")[: likeness.MOST_BOXES]
        plain = [likeness.Sighting(box=box, likeness=None) for box in boxes]
        return {"problem": str(exc), "sightings": plain}
