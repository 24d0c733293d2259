"""Pages of models: which versions there are, what each is made of, how good it was measured."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from pedsite.jobs.models import Job
from training import versions
from training.errors import UnknownVersion
from training.models import ModelVersion, TrainingRun

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
    try:
        version = versions.get(name)
    except UnknownVersion:
        raise Http404(_("There is no such model.")) from None
    run = TrainingRun.objects.with_job().filter(version=version).first()
    context = {
        "version": version,
        "run": run,
        "sees_job": run and Job.objects.visible_to(request.user).filter(pk=run.job_id).exists(),
    }
    return render(request, "training/model.html", context)
