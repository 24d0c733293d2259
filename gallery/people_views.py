"""Pages of people: those of a dataset with their splits, and what is changed of one."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from gallery import curation, pages, people, splits
from gallery.curation_forms import PeopleForm, PersonForm, SharesForm, people_of
from gallery.curation_views import back, visible
from gallery.models import Dataset
from pedsite.accounts.roles import curators_only
from pedsite.api import DomainError


@require_safe
@login_required
@vary_on_headers("HX-Request")
def people_list(request: HttpRequest, name: str) -> HttpResponse:
    """GET /datasets/NAME/people/: everybody in it, each by one box."""
    dataset = visible(request, name)
    form = PeopleForm(request.GET)
    page = pages.people(people_of(form, dataset, request.user), request.GET.get("after", ""))
    context = {
        "dataset": dataset,
        "form": form,
        "page": page,
        "asked": pages.asked(form, request.GET),
        "counts": splits.counts(dataset),
        "shares": SharesForm(),
    }
    if request.user.curates:
        context["undoable"] = pages.undoable(dataset, request.user)
    template = "people/_list.html" if request.htmx else "people/list.html"
    return render(request, template, context)


@require_POST
@login_required
@curators_only
def people_change(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/people/change/: merge the ticked, set their split, or share all out."""
    dataset = visible(request, name)
    try:
        _change(request, dataset)
    except DomainError as exc:
        messages.error(request, str(exc))
    return back(request, reverse("gallery:people", args=[name]))


def _change(request: HttpRequest, dataset: Dataset) -> None:
    given = request.POST
    ticked = [number for text in given.getlist("person") if (number := pages.number(text))]
    # Whom the form could not have shown is nobody.
    mine = list(dataset.identities.filter(pk__in=ticked).values_list("pk", flat=True))
    if given.get("action") == "merge":
        ordered = [pk for pk in ticked if pk in set(mine)]
        # Into the first that was ticked.
        people.merge(ordered[0] if ordered else 0, ordered[1:], request.user)
        messages.success(request, _("They are one person now."))
    elif given.get("action") == "split":
        made = people.set_split(mine, given.get("split", ""), request.user)
        rows = sum(each.rows for each in made)
        text = ngettext("%(count)d person was changed.", "%(count)d people were changed.", rows)
        messages.success(request, text % {"count": rows})
    else:
        _share_out(request, dataset)


def _share_out(request: HttpRequest, dataset: Dataset) -> None:
    form = SharesForm(request.POST)
    if not form.is_valid():
        name, problems = next(iter(form.errors.items()))
        messages.error(request, f"{form.fields[name].label}: {problems[0]}")
        return
    given = dict(form.cleaned_data)
    seed = given.pop("seed")
    done = splits.assign(dataset, given, request.user, seed=seed)
    new = sum(done.new.values())
    text = ngettext("%(count)d person got a split.", "%(count)d people got a split.", new)
    messages.success(request, text % {"count": new})


@require_POST
@login_required
@curators_only
def person_change(request: HttpRequest, identity_id: int) -> HttpResponse:
    """POST /people/ID/change/: rename, set the split, merge others in, or take boxes out."""
    try:
        found = people.get(identity_id, request.user)
    except DomainError as exc:
        raise Http404(str(exc)) from exc
    form = PersonForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.problem)
    else:
        try:
            _change_person(request, found.pk, form.cleaned_data)
        except DomainError as exc:
            messages.error(request, str(exc))
    return back(request, reverse("gallery:people", args=[found.dataset.name]))


def _change_person(request: HttpRequest, pk: int, given: dict[str, Any]) -> None:
    user, action = request.user, given["action"]
    if action == "rename":
        people.rename(pk, given["key"], user)
    elif action == "split":
        people.set_split([pk], given["split"], user)
    elif action == "merge":
        people.merge(pk, given["person"], user, split=given["agreed"] or None)
        messages.success(request, _("They are one person now."))
    elif action == "part":
        new = people.part(pk, given["box"], user, given["key"]).identity
        messages.success(request, _("They are person %(key)s now.") % {"key": new.key})
    elif action == "unassign":
        curation.assign(given["box"], "", user)
    else:
        # Boxes of nobody known that are this person's.
        curation.assign(given["box"], people.get(pk, user).key, user)
