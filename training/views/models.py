"""Pages of models: which versions there are, where each comes from, how good it was measured."""

import json

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pedsite.jobs.models import Job
from training import lineage, reports, versions
from training.errors import UnknownVersion
from training.models import ModelVersion

PAGE_SIZE = 25


@require_safe
@login_required
def model_list(request: HttpRequest) -> HttpResponse:
    found = ModelVersion.objects.with_towers()
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "training/model_list.html", {"page": page})


@require_safe
@login_required
def model(request: HttpRequest, name: str) -> HttpResponse:
    """GET /models/NAME/: its towers, lineage and numbers. All who are logged in may see it."""
    version = _version(name)
    found = lineage.of_version(version, request.user)
    jobs = Job.objects.visible_to(request.user)
    context = {
        "version": version,
        "lineage": found,
        "run": found.run,
        "trail": found.trail,
        "settings": found.settings,
        "measured": [(one, reports.headline(one)) for one in found.evaluations],
        "sees_job": found.run is not None and jobs.filter(pk=found.run.job_id).exists(),
    }
    return render(request, "training/model.html", context)


@require_safe
@login_required
def model_card(request: HttpRequest, name: str) -> HttpResponse:
    """GET /models/NAME/card.json: all of it as a file."""
    version = _version(name)
    text = json.dumps(lineage.card(version, request.user), indent=2, ensure_ascii=False) + "\n"
    headers = {
        # The name has no quotes: `versions.check_name` sees to it.
        "Content-Disposition": f'attachment; filename="{version.name}-card.json"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(text, content_type="application/json", headers=headers)


def _version(name: str) -> ModelVersion:
    try:
        return versions.get(name)
    except UnknownVersion:
        raise Http404(_("There is no such model.")) from None
