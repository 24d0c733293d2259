"""Pages of the datasets: what there is, and what is in one."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gallery import pages
from gallery.models import Dataset


@require_safe
@login_required
def dataset_list(request: HttpRequest) -> HttpResponse:
    datasets = Dataset.objects.visible_to(request.user).with_counts()
    context = {"datasets": datasets, "covers": pages.covers(datasets)}
    return render(request, "gallery/dataset_list.html", context)


@require_safe
@login_required
def dataset_detail(request: HttpRequest, name: str) -> HttpResponse:
    visible = Dataset.objects.visible_to(request.user).with_counts()
    dataset = visible.filter(name=name).first()
    if dataset is None:
        raise Http404(_("There is no such dataset, or it is not shared with you."))
    page = pages.of(
        dataset,
        # No camera has a NUL in its name, and PostgreSQL refuses to look for one.
        camera=request.GET.get("camera", "").replace("\0", "\ufffd"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    context = {"dataset": dataset, "page": page, "about": pages.about(dataset)}
    return render(request, "gallery/dataset.html", context)
