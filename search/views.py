"""The search page, the page of one box, and the picture that is shown to search by."""

from time import perf_counter
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect

from gallery import pictures
from gallery.models import Box, Review
from pedsite.api import DomainError
from pedsite.audit.journal import opened
from search import admission, asking, calibration, coverage, grouping, retrieval, scope, shown
from search.forms import FILTER_FIELDS, SearchForm
from search.models import Mode
from search.questions import Like
from search.review import judging
from training import versions

PAGE_SIZE = 24
# People are looked for among more hits than are shown one by one.
GROUPED_HITS = 96
QUALITY = 88


@login_required
@require_safe
@never_cache
@vary_on_headers("HX-Request")
def search(request: HttpRequest) -> HttpResponse:
    """GET /search/: the page, or for htmx its results alone. The address holds all of its state."""
    form = SearchForm(request.GET, user=request.user)
    if request.htmx and form.data.get("picture") and not form.data.get("crop"):
        # Picking somebody is a page of its own, with scripts that begin with it.
        return HttpResponseClientRedirect(f"{request.path}?{form.query()}")
    context = outcome(form, request, limit=GROUPED_HITS if form.grouped else PAGE_SIZE)
    template = "search/_results.html" if request.htmx else "search/search.html"
    response = render(request, template, context, status=context["status"])
    if context.get("retry_after") is not None:
        response["Retry-After"] = str(context["retry_after"])
    if request.htmx:
        response["HX-Push-Url"] = f"{request.path}?{form.query()}"
    return response


@login_required
@require_safe
@vary_on_headers("HX-Request")
def box(request: HttpRequest, box_id: int) -> HttpResponse:
    """GET /boxes/ID/: one box within its frame. The query string is the search it came from."""
    shown_box = get_object_or_404(_findable(request).prefetch_related("captions"), pk=box_id)
    opened(request.user, f"box {box_id}")
    form = SearchForm(request.GET, user=request.user)
    context = {
        "box": shown_box,
        "image": shown_box.image,
        "boxes": _findable(request).filter(image=shown_box.image).order_by("left", "top"),
        "captions": [c for c in shown_box.captions.all() if c.review != Review.HIDDEN],
        "query": form.query(),
        "filter_query": form.filter_query,
        "verdicts": judging.said(form, [shown_box.pk], request.user),
    }
    template = "search/_box.html" if request.htmx else "search/box.html"
    return render(request, template, context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def picture(request: HttpRequest) -> HttpResponseBase:
    """POST /search/picture/: keep the picture that was shown, and go where a person is picked."""
    # Whoever was refused stays at this address, and may reload it or change the language there.
    if request.method != "POST":
        return redirect("search:search")
    filters = _filters_of(request.POST.get("filters", ""))
    words = request.POST.get("q", "")
    file = request.FILES.get("picture")
    if file is None:
        return _refuse(
            request, filters, words, _("No picture came with the form. Choose one first.")
        )
    try:
        shown.check_size(file.size)
        kept = shown.keep(file.read(), request.user)
    except DomainError as exc:
        return _refuse(request, filters, words, f"{file.name}: {exc}", exc.status)
    asked = SearchForm(filters, user=request.user).query(q=words.strip(), picture=kept.token)
    return redirect(f"{reverse('search:search')}?{asked}")


@login_required
@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """POST /search/retry/: enroll what a search could not compare, and go back to that search."""
    query = QueryDict(request.POST.get("query", ""))
    form = SearchForm(query, user=request.user)
    try:
        filters = form.filters() if form.is_valid() else retrieval.Filters()
        version = versions.get(request.POST.get("version", ""))
        jobs = coverage.retry(scope.resolve(filters, request.user), version, request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
    else:
        told = ngettext("%(count)d job enrolls them.", "%(count)d jobs enroll them.", len(jobs))
        messages.success(request, told % {"count": len(jobs)})
    return redirect(f"{reverse('search:search')}?{query.urlencode()}")


@login_required
@require_safe
def shown_picture(request: HttpRequest, token: str) -> HttpResponse:
    """GET /search/pictures/TOKEN/: the picture as JPEG, or with ?crop=l,t,r,b a region of it."""
    form = SearchForm(request.GET, user=request.user)
    if not form.is_valid():
        raise Http404
    try:
        kept = shown.find(token, request.user)
        region = form.cleaned_data["crop"]
        jpeg = pictures.encode_jpeg(shown.cut(kept, region), QUALITY) if region else kept.jpeg
    except DomainError as exc:
        raise Http404(str(exc)) from exc
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(jpeg, content_type="image/jpeg", headers=headers)


def outcome(form: SearchForm, request: HttpRequest, *, limit: int) -> dict[str, Any]:
    """What the search page shows: an answer, a picture to pick a person from, or problems."""
    context: dict[str, Any] = {"form": form, "problems": [], "status": 200}
    began = perf_counter()
    try:
        valid = form.is_valid()
        # Before anything is refused: the picture stays while the words are mended.
        if form.shows == "picture":
            picture = form.cleaned_data["picture"]
            context["picture"] = shown.find(picture, request.user)
        if form.shows == "box":
            box_id = form.cleaned_data["box"]
            context["asked_box"] = get_object_or_404(_findable(request), pk=box_id)
        if not valid:
            problems = [text for texts in form.errors.values() for text in texts]
            return context | {"problems": problems, "status": 400}
        form.typed  # noqa: B018 (refuses tokens that there are not)
        context["answer"] = answer = _ask(form, context, request, limit)
        if answer is not None:
            context |= _arranged(form, answer)
            boxes = [hit.box.pk for hit in answer.hits]
            context["verdicts"] = judging.said(form, boxes, request.user)
            if answer.confidence is None and not (answer.is_mixed or answer.is_denied):
                context["calibrating"] = calibration.is_on_its_way(answer.version)
    except DomainError as exc:
        told = {"problems": [str(exc)], "status": exc.status, "retry_after": exc.retry_after}
        return context | told
    return context | {"seconds": perf_counter() - began}


def _arranged(form: SearchForm, answer: retrieval.Page) -> dict[str, Any]:
    """The shown hits as the form wants them: in another order, or by person."""
    wanted = form.cleaned_data["sort"]
    hits = list(answer.hits)
    if wanted:
        hits = grouping.by_time(hits, newest_first=wanted == "newest")
    arranged: dict[str, Any] = {"hits": hits, "sure": answer.sure(1 / form.one_in)}
    if form.grouped and hits:
        encoder = versions.get(answer.version).image_encoder
        arranged["groups"] = grouping.by_person(answer.hits, encoder, wanted)
    return arranged


def _ask(
    form: SearchForm, context: dict[str, Any], request: HttpRequest, limit: int
) -> retrieval.Page | None:
    wanted = form.cleaned_data
    likes = []
    if form.shows == "picture":
        if not wanted["crop"]:
            # Names of what there is not are refused before somebody is picked, not after.
            scope.resolve(form.filters(), request.user)
            return None
        crop = shown.cut(context["picture"], wanted["crop"])
        likes = [Like(crop=crop, weight=form.like_weight)]
    elif form.shows == "box":
        likes = [Like(box=context["asked_box"], weight=form.like_weight)]
    elif not form.asks:
        return None
    with admission.slot():
        return retrieval.ask(
            asking.question_of(form.typed, request.user, likes=likes),
            user=request.user,
            filters=form.filters(),
            limit=limit,
            cursor=wanted["cursor"] or None,
            mode=wanted["mode"] or Mode.FAST,
            purpose=wanted["purpose"],
        )


def _findable(request: HttpRequest) -> QuerySet[Box]:
    """Boxes that this user may see and nobody has hidden."""
    return Box.objects.visible_to(request.user).exclude(review=Review.HIDDEN).with_context()


def _filters_of(query: str) -> QueryDict:
    """The filters and the purpose out of a query string, and nothing else of it."""
    given, kept = QueryDict(query), QueryDict(mutable=True)
    for field in (*FILTER_FIELDS, "purpose"):
        if values := [value for value in given.getlist(field) if value]:
            kept.setlist(field, values)
    return kept


def _refuse(
    request: HttpRequest, filters: QueryDict, words: str, problem: str, status: int = 400
) -> HttpResponse:
    """The page with what had been typed and chosen on it, and why the picture is not."""
    asked = filters.copy()
    asked["q"] = words
    form = SearchForm(asked, user=request.user)
    form.is_valid()
    context = {"form": form, "problems": [problem], "refused_picture": True}
    return render(request, "search/search.html", context, status=status)
