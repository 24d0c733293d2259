"""The button that asks for drafts."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gallery.models import Dataset
from pedsite.accounts.roles import curators_only
from pedsite.api import DomainError
from search.drafting import drafts
from search.drafting.drafts import Wish
from search.drafting.errors import BadDraft
from search.drafting.reading import CERTAINTY


@require_POST
@login_required
@curators_only
def start(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/captions/draft/: a job that drafts what is missing."""
    dataset = Dataset.objects.visible_to(request.user).filter(name=name).first()
    if dataset is None:
        raise Http404(_("There is no such dataset, or it is not shared with you."))
    try:
        job = drafts.request(dataset, _wish(request), request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect("gallery:captions", name)
    return redirect("jobs:detail", job.pk)


def _wish(request: HttpRequest) -> Wish:
    """Raises: BadDraft, a number is none."""
    given = request.POST
    try:
        return Wish(
            languages=given.getlist("language"),
            seed=int(given.get("seed") or 0),
            certainty=float(given.get("certainty") or CERTAINTY),
            again=bool(given.get("again")),
        )
    except ValueError as exc:
        raise BadDraft(_("The certainty and the seed are numbers.")) from exc
