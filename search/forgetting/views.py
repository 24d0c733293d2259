"""Pages of administrators: forget a person, how long pictures are kept, and what was removed."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery.models import Dataset
from pedsite.accounts.roles import administrators_only
from pedsite.api import DomainError
from search.forgetting import removal, retention
from search.forgetting.forms import ForgetForm, RuleForm
from search.forgetting.models import Removal, RetentionRule

PAGE_SIZE = 25
SHOWN = 24


@require_safe
@login_required
@administrators_only
@never_cache
def removals(request: HttpRequest) -> HttpResponse:
    """GET /removals/: what was removed, newest first, and how long pictures are kept."""
    rows = Removal.objects.select_related("job", "requested_by")
    rules = {rule.dataset_id: rule for rule in RetentionRule.objects.select_related("dataset")}
    context = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "datasets": [
            (dataset, rules.get(dataset.pk), _due(rules.get(dataset.pk)))
            for dataset in Dataset.objects.all()
        ],
        "since": RetentionRule.Since.choices,
    }
    return render(request, "forgetting/list.html", context)


@require_safe
@login_required
@administrators_only
@never_cache
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """GET /removals/ID/: how far one is, what it removed, and who had held it."""
    try:
        found = removal.find(pk)
    except DomainError as exc:
        raise Http404(str(exc)) from exc
    return render(request, "forgetting/detail.html", {"removal": found})


@require_POST
@login_required
@administrators_only
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """POST /removals/ID/again/: go on with one whose job ended too early."""
    try:
        removal.again(removal.find(pk), request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("search:forgetting:removal", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@administrators_only
@never_cache
def forget(request: HttpRequest, box_id: int) -> HttpResponse:
    """GET /boxes/ID/forget/: whom it is about and what would go; POST: have it done."""
    try:
        told = removal.foretell(box_id)
    except DomainError as exc:
        raise Http404(str(exc)) from exc
    form = ForgetForm(request.POST or None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            made = removal.forget(
                box_id, request.user, typed=wanted["typed"], purpose=wanted["purpose"]
            )
            return redirect(made)
        except DomainError as exc:
            problem = str(exc)
    context = {"told": told, "shown": told.boxes[:SHOWN], "form": form, "problem": problem}
    return render(request, "forgetting/forget.html", context, status=400 if problem else 200)


@require_POST
@login_required
@administrators_only
def rule(request: HttpRequest, name: str) -> HttpResponse:
    """POST /removals/rules/NAME/: keep the pictures of a dataset for some days, or for ever."""
    dataset = get_object_or_404(Dataset, name=name)
    form = RuleForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(text for texts in form.errors.values() for text in texts))
        return redirect("search:forgetting:removals")
    retention.set_rule(dataset, form.cleaned_data["days"], form.cleaned_data["since"], request.user)
    messages.success(request, _("Set. It is applied once a day; nothing was removed yet."))
    return redirect("search:forgetting:removals")


@require_POST
@login_required
@administrators_only
def apply(request: HttpRequest, name: str) -> HttpResponse:
    """POST /removals/rules/NAME/apply/: remove now what the rule keeps no longer."""
    found = get_object_or_404(RetentionRule, dataset__name=name)
    made = retention.apply(found, request.user)
    if made is not None:
        return redirect(made)
    messages.info(request, _("Nothing is older than the rule allows, or it is being removed."))
    return redirect("search:forgetting:removals")


def _due(found: RetentionRule | None) -> retention.Due | None:
    return None if found is None else retention.due(found)
