"""Pages that change boxes: the bulk on a dataset's page, the editor of a frame, the history."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gallery import browse, curation, history, pages, people
from gallery.curation_forms import BoundsForm, BrowseForm, BulkForm
from gallery.models import Action, Box, Dataset, Image
from pedsite.accounts.roles import curators_only
from pedsite.api import DomainError

HISTORY_SIZE = 30
SHOWN_CHANGES = 200


def visible(request: HttpRequest, name: str) -> Dataset:
    """The dataset of that name with its counts, or a 404."""
    found = Dataset.objects.visible_to(request.user).with_counts().filter(name=name).first()
    if found is None:
        raise Http404(_("There is no such dataset, or it is not shared with you."))
    return found


def back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the page that a form was on, if it is one of ours."""
    wanted = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
    return redirect(wanted if ours and wanted.startswith("/") else otherwise)


def tell(request: HttpRequest, outcome: curation.Outcome) -> None:
    """What a bulk did, and what it left and why."""
    changed = outcome.changed
    text = ngettext("%(count)d box was changed.", "%(count)d boxes were changed.", changed)
    messages.success(request, text % {"count": changed})
    for reason in sorted({left.reason for left in outcome.left}):
        rows = [left.row for left in outcome.left if left.reason == reason]
        text = ngettext("%(count)d box stays: %(why)s", "%(count)d boxes stay: %(why)s", len(rows))
        messages.warning(request, text % {"count": len(rows), "why": reason})


@require_POST
@login_required
@curators_only
def boxes_change(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/boxes/: one action on the ticked boxes, or on all that are asked for."""
    dataset = visible(request, name)
    form = BulkForm(request.POST)
    address = reverse("gallery:dataset", args=[name])
    if not form.is_valid():
        messages.error(request, form.problem)
        return back(request, address)
    try:
        _change(request, dataset, form.cleaned_data)
    except DomainError as exc:
        messages.error(request, str(exc))
    return back(request, address)


def _change(request: HttpRequest, dataset: Dataset, given: dict[str, Any]) -> None:
    ids = _asked(request, dataset, given)
    action = given["action"]
    if action == "split":
        chosen = Box.objects.filter(pk__in=ids, image__dataset=dataset)
        known = set(chosen.exclude(identity=None).values_list("identity", flat=True))
        made = people.set_split(known, given["split"], request.user)
        rows = sum(each.rows for each in made)
        text = ngettext("%(count)d person was changed.", "%(count)d people were changed.", rows)
        messages.success(request, text % {"count": rows})
        return
    if action == "delete":
        done = curation.delete(ids, request.user)
    elif action in ("assign", "unassign"):
        key = given["key"] if action == "assign" else ""
        done = curation.assign(ids, key, request.user)
    else:
        done = curation.review(ids, action, request.user)
    tell(request, done)


def _asked(request: HttpRequest, dataset: Dataset, given: dict[str, Any]) -> list[int]:
    """The ids of the boxes that an action is about."""
    if given["scope"] != "all":
        mine = Box.objects.filter(pk__in=given["box"], image__dataset=dataset)
        return list(mine.values_list("pk", flat=True))
    form = BrowseForm(request.GET, dataset=dataset)
    if not form.is_valid():
        return []
    rows = browse.boxes(request.user, form.wanted(), dataset)
    return list(rows.order_by("pk").values_list("pk", flat=True)[: curation.MOST + 1])


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@curators_only
@never_cache
def frame(request: HttpRequest, image_id: int) -> HttpResponse:
    """GET /frames/ID/: a picture with its boxes, to be changed; POST changes one.

    A script gets JSON, and the box's number back; without one it is a form.
    """
    image = Image.objects.visible_to(request.user).select_related("dataset", "camera")
    found = image.filter(pk=image_id).first()
    if found is None:
        raise Http404(_("There is no such picture, or it is not shared with you."))
    if request.method == "POST":
        return _edit(request, found)
    return render(request, "curation/frame.html", _frame_context(request, found))


def _frame_context(request: HttpRequest, image: Image) -> dict[str, Any]:
    boxes = list(image.boxes.select_related("identity").order_by("pk"))
    chosen = next((box for box in boxes if str(box.pk) == request.GET.get("box")), None)
    mine = Image.objects.filter(dataset=image.dataset_id)
    return {
        "image": image,
        "dataset": image.dataset,
        "boxes": boxes,
        "chosen": chosen,
        "previous": mine.filter(pk__lt=image.pk).order_by("-pk").first(),
        "next": mine.filter(pk__gt=image.pk).order_by("pk").first(),
        "undoable": pages.undoable(image.dataset, request.user),
        "least": curation.LEAST_SIDE,
    }


def _edit(request: HttpRequest, image: Image) -> HttpResponse:
    form = BoundsForm(request.POST)
    scripted = request.headers.get("Accept") == "application/json"
    problem, status, pk = "", 200, None
    if form.is_valid():
        try:
            pk = _edited(request, image, form)
        except DomainError as exc:
            problem, status = str(exc), exc.status
    else:
        problem, status = form.problem, 422
    if scripted:
        return JsonResponse({"box": pk, "problem": problem}, status=status)
    if problem:
        messages.error(request, problem)
        pk = form.cleaned_data.get("box")
    address = reverse("gallery:image", args=[image.pk])
    return redirect(f"{address}?{urlencode({'box': pk})}" if pk else address)


def _edited(request: HttpRequest, image: Image, form: BoundsForm) -> int | None:
    """Do what the form says; the box that is chosen afterwards."""
    given, user = form.cleaned_data, request.user
    pk = given["box"]
    if pk is not None and not image.boxes.filter(pk=pk).exists():
        raise Http404
    if given["action"] == "save" and pk is None:
        return curation.draw(image.pk, form.bounds, user)[0].pk
    if given["action"] == "save":
        curation.move(pk, form.bounds, user)
    elif given["action"] == "assign":
        curation.assign([pk], given["key"], user)
    elif given["action"] == "delete":
        done = curation.delete([pk], user)
        if done.left:
            raise curation.Kept(done.left[0].reason)
        return None
    else:
        curation.review([pk], given["action"], user)
    return pk


@require_safe
@login_required
@curators_only
def action_list(request: HttpRequest, name: str) -> HttpResponse:
    """GET /datasets/NAME/history/: who changed what, newest first."""
    dataset = visible(request, name)
    rows = Action.objects.filter(dataset=dataset).with_context().order_by("-pk")
    before = pages.number(request.GET.get("before", ""))
    rows = rows.filter(pk__lt=before) if before else rows
    found = list(rows[: HISTORY_SIZE + 1])
    context = {
        "dataset": dataset,
        "actions": found[:HISTORY_SIZE],
        "older": found[HISTORY_SIZE - 1].pk if len(found) > HISTORY_SIZE else None,
    }
    return render(request, "curation/history.html", context)


@require_safe
@login_required
@curators_only
def action_detail(request: HttpRequest, action_id: int) -> HttpResponse:
    """GET /actions/ID/: each row that an action changed, before and after."""
    action = _action(request, action_id)
    context = {
        "action": action,
        "dataset": action.dataset,
        "changes": action.changes.order_by("pk")[:SHOWN_CHANGES],
        "shown": SHOWN_CHANGES,
    }
    return render(request, "curation/action.html", context)


@require_POST
@login_required
@curators_only
def action_undo(request: HttpRequest, action_id: int) -> HttpResponse:
    action = _action(request, action_id)
    try:
        done = history.undo(action, request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
    else:
        text = _("“%(what)s” was undone.") % {"what": action.kind_name}
        messages.success(request, text)
        for left in done.left[: history.TOLD]:
            words = {"what": left.model_name, "number": left.row, "why": left.reason}
            messages.warning(request, _("%(what)s %(number)d stays: %(why)s") % words)
    return back(request, reverse("gallery:history", args=[action.dataset.name]))


def _action(request: HttpRequest, pk: int) -> Action:
    found = Action.objects.visible_to(request.user).with_context().filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such action, or you may not see it."))
    return found
