"""Pages of the datasets: what there is, and what is in one."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import curation, pages
from gallery.browse import Wanted
from gallery.curation_forms import BrowseForm
from gallery.curation_views import visible
from gallery.models import Dataset


@require_safe
@login_required
def dataset_list(request: HttpRequest) -> HttpResponse:
    datasets = Dataset.objects.visible_to(request.user).with_counts()
    context = {"datasets": datasets, "covers": pages.covers(datasets)}
    return render(request, "gallery/dataset_list.html", context)


@require_safe
@login_required
@vary_on_headers("HX-Request")
def dataset_detail(request: HttpRequest, name: str) -> HttpResponse:
    dataset = visible(request, name)
    form = BrowseForm(request.GET, dataset=dataset)
    wanted = form.wanted() if form.is_valid() else Wanted()
    given = request.GET
    page = pages.of(
        dataset,
        wanted,
        request.user,
        after=given.get("after", ""),
        before=given.get("before", ""),
    )
    context = {
        "dataset": dataset,
        "page": page,
        "form": form,
        "wanted": wanted,
        "asked": pages.asked(form, given),
        "most": curation.MOST,
    }
    if request.user.curates:
        context["undoable"] = pages.undoable(dataset, request.user)
    if request.htmx:
        return render(request, "gallery/_boxes.html", context)
    return render(request, "gallery/dataset.html", context | {"about": pages.about(dataset)})
