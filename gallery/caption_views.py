"""Pages of captions: many at a time, one by one, words replaced, and what is missing."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from gallery import captions, pages
from gallery.caption_forms import REVIEWS, SPOKEN, NarrowForm, ReplaceForm
from gallery.captions import Outcome, Replacement
from gallery.curation_views import back, visible
from gallery.models import Box, Caption, Dataset, Review
from pedsite.accounts.roles import curators_only
from pedsite.api import DomainError
from pedsite.jobs.models import Job

SHOWN_REPLACED = 100
DRAFT_KIND = "draft captions"


@require_safe
@login_required
@curators_only
@never_cache
def caption_list(request: HttpRequest, name: str) -> HttpResponse:
    """GET /datasets/NAME/captions/?language=&source=&review=&kind=&words=: many at a time."""
    dataset = visible(request, name)
    form = NarrowForm(request.GET)
    rows = form.narrow().of(_rows(dataset)).select_related("box__image")
    found, previous, following = pages.cut(
        rows,
        pages.number(request.GET.get("after", "")),
        pages.number(request.GET.get("before", "")),
    )
    context = _context(request, dataset, form) | {
        "captions": found,
        "previous": previous,
        "next": following,
        "most": captions.MOST,
    }
    return render(request, "captions/list.html", context)


@require_safe
@login_required
@curators_only
@never_cache
def one(request: HttpRequest, name: str) -> HttpResponse:
    """GET /datasets/NAME/captions/one/?…&at=ID or &after=ID: one, by default the first."""
    dataset = visible(request, name)
    form = NarrowForm(request.GET)
    rows = form.narrow().of(_rows(dataset)).order_by("pk").select_related("box__image__camera")
    at, after = (pages.number(request.GET.get(word, "")) for word in ("at", "after"))
    found = rows.filter(pk=at).first() if at else rows.filter(pk__gt=after or 0).first()
    # Behind the last there may be some that were skipped.
    found = found or rows.first()
    context = _context(request, dataset, form) | {
        "caption": found,
        "left": rows.count(),
        "others": _others(found) if found else [],
    }
    return render(request, "captions/one.html", context)


@require_safe
@login_required
@curators_only
@never_cache
def missing(request: HttpRequest, name: str) -> HttpResponse:
    """GET /datasets/NAME/captions/missing/?language=: boxes that nobody described in it."""
    dataset = visible(request, name)
    language = request.GET.get("language", "")
    spoken = dict(SPOKEN)
    language = language if language in spoken else next(iter(spoken))
    rows = captions.lacking(dataset, [language]).with_context().prefetch_related("captions")
    found, previous, following = pages.cut(
        rows,
        pages.number(request.GET.get("after", "")),
        pages.number(request.GET.get("before", "")),
    )
    context = _context(request, dataset, NarrowForm()) | {
        "boxes": found,
        "language": language,
        "previous": previous,
        "next": following,
        "asked": urlencode({"language": language}),
    }
    return render(request, "captions/missing.html", context)


@require_POST
@login_required
@curators_only
def change(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/captions/change/: a verdict on the ticked, or on all that are left."""
    dataset = visible(request, name)
    rows = _rows(dataset)
    if request.POST.get("scope") == "all":
        rows = NarrowForm(request.GET).narrow().of(rows).order_by("pk")
        ids = list(rows.values_list("pk", flat=True)[: captions.MOST + 1])
    else:
        ids = _ids(request.POST.getlist("caption"), rows)
    try:
        done = captions.decide(ids, request.POST.get("verdict", ""), request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
    else:
        if "quietly" not in request.POST:
            _tell(request, done)
    return back(request, reverse("gallery:captions", args=[name]))


@require_POST
@login_required
@curators_only
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/captions/edit/: other words for one."""
    dataset = visible(request, name)
    ids = _ids(request.POST.getlist("caption"), _rows(dataset))
    if len(ids) != 1:
        raise Http404
    try:
        captions.edit(ids[0], request.POST.get("text", ""), request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
    return back(request, reverse("gallery:captions", args=[name]))


@require_POST
@login_required
@curators_only
def add(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/captions/add/: a caption for a box that lacks one."""
    dataset = visible(request, name)
    boxes = Box.objects.filter(image__dataset=dataset)
    ids = _ids(request.POST.getlist("box"), boxes)
    if len(ids) != 1:
        raise Http404
    try:
        captions.add(
            ids[0], request.POST.get("text", ""), request.POST.get("language", ""), request.user
        )
    except DomainError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, _("The caption was added."))
    return back(request, reverse("gallery:captions-missing", args=[name]))


@require_safe
@login_required
@curators_only
@never_cache
def replace(request: HttpRequest, name: str) -> HttpResponse:
    """GET /datasets/NAME/captions/replace/?…&find=&put=: what a replacement would do."""
    dataset = visible(request, name)
    form = NarrowForm(request.GET)
    words = ReplaceForm(request.GET if "find" in request.GET else None)
    context = _context(request, dataset, form) | {"words": words, "shown": SHOWN_REPLACED}
    if words.is_bound and words.is_valid():
        try:
            told = captions.foretell(form.narrow().of(_rows(dataset)), _wanted(words))
        except DomainError as exc:
            words.add_error("find", str(exc))
        else:
            good = [each for each in told if not each.problem]
            context |= {
                "told": told[:SHOWN_REPLACED],
                "good": good,
                "bad": len(told) - len(good),
            }
    status = 422 if words.errors else 200
    return render(request, "captions/replace.html", context, status=status)


@require_POST
@login_required
@curators_only
def replaced(request: HttpRequest, name: str) -> HttpResponse:
    """POST /datasets/NAME/captions/replaced/: what was foretold is done."""
    dataset = visible(request, name)
    words = ReplaceForm(request.POST)
    address = reverse("gallery:captions", args=[name])
    if not words.is_valid():
        messages.error(request, _("Say which words are to be replaced."))
        return back(request, address)
    try:
        wanted = _wanted(words)
        told = captions.foretell(NarrowForm(request.GET).narrow().of(_rows(dataset)), wanted)
        ids = [each.caption.pk for each in told]
        _tell(request, captions.replace(ids, wanted, request.user))
    except DomainError as exc:
        messages.error(request, str(exc))
    return back(request, address)


def _wanted(words: ReplaceForm) -> Replacement:
    given = words.cleaned_data
    return Replacement(
        find=given["find"],
        put=given["put"],
        match_case=given["match_case"],
        whole_words=not given["any_part"],
    )


def _rows(dataset: Dataset) -> QuerySet[Caption]:
    return Caption.objects.filter(box__image__dataset=dataset)


def _ids(texts: list[str], rows: QuerySet) -> list[int]:
    """Those of the chosen that are among the rows; no id has more digits than a database takes."""
    chosen = [found for text in texts if (found := pages.number(text)) is not None]
    return list(rows.filter(pk__in=chosen).values_list("pk", flat=True))


def _others(caption: Caption) -> list[Caption]:
    rows = caption.box.captions.shown().exclude(pk=caption.pk)
    return list(rows.order_by("kind", "language", "pk"))


def _context(request: HttpRequest, dataset: Dataset, form: NarrowForm) -> dict[str, Any]:
    """What every page of captions shows: how many there are of which, and how it is narrowed."""
    counted = _rows(dataset).values("review").annotate(total=Count("pk")).order_by("review")
    totals = {row["review"]: row["total"] for row in counted}
    drafts = _rows(dataset).filter(source=Caption.Source.DRAFTED, review=Review.UNREVIEWED)
    jobs = Job.objects.unfinished().filter(kind=DRAFT_KIND, params__dataset=dataset.pk)
    return {
        "dataset": dataset,
        "form": form,
        "asked": form.address() if form.is_bound else "",
        "totals": [(value, words, totals.get(value, 0)) for value, words in REVIEWS],
        "drafts": drafts.count(),
        "lacking": [
            (value, words, captions.lacking(dataset, [value]).count()) for value, words in SPOKEN
        ],
        "drafting": jobs.first(),
        "undoable": pages.undoable(dataset, request.user),
    }


def _tell(request: HttpRequest, done: Outcome) -> None:
    text = ngettext(
        "%(count)d caption was changed.", "%(count)d captions were changed.", done.changed
    )
    messages.success(request, text % {"count": done.changed})
    for reason in sorted({why for _pk, why in done.left}):
        count = sum(why == reason for _pk, why in done.left)
        text = ngettext(
            "%(count)d caption stays: %(why)s", "%(count)d captions stay: %(why)s", count
        )
        messages.warning(request, text % {"count": count, "why": reason})
