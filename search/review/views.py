"""Pages on which results are judged: the queue, one finding at a time, and from a search."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from pedsite.accounts.roles import reviewers_only
from pedsite.api import DomainError
from search.review import agreement, asked, judging, queue
from search.review.models import Decision, Finding, Query, Verdict

PAGE_SIZE = 48


@require_safe
@login_required
@reviewers_only
@never_cache
def review_list(request: HttpRequest) -> HttpResponse:
    """GET /review/?state=&query=: the findings in one state, to be judged many at a time."""
    state, query = _wanted(request.GET)
    rows = queue.findings(request.user, state, query)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    asked_for = Finding.objects.filter(query=query) if query else Finding.objects.none()
    context = _context(request, state, query) | {
        "page": page,
        "removable": asked_for.removable_by(request.user).count(),
    }
    return render(request, "review/list.html", context)


@require_safe
@login_required
@reviewers_only
@never_cache
def one(request: HttpRequest) -> HttpResponse:
    """GET /review/one/?state=&query=&at=: one finding, by default the first in its turn."""
    state, query = _wanted(request.GET)
    rows = queue.findings(request.user, state, query)
    found = rows.filter(pk__in=numbers(request.GET.getlist("at"))).first()
    # One that was judged meanwhile has left its state: the queue goes on with its first.
    found = found or rows.first()
    context = _context(request, state, query)
    undoable = context["undoable"]
    undone = undoable and undoable.changes.select_related("judgement").first()
    context |= {
        "finding": found,
        # Undoing goes back to what was decided.
        "undone_at": undone and undone.judgement.finding_id,
        "next": queue.following(rows, found) if found else None,
        "others": _others(found, request) if found else [],
    }
    return render(request, "review/one.html", context)


@require_safe
@login_required
@reviewers_only
def agreed(request: HttpRequest) -> HttpResponse:
    """GET /review/agreement/: how far reviewers agree, and every finding on which they do not."""
    rows = agreement.disagreements(request.user)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "pairs": agreement.pairs(request.user)}
    return render(request, "review/agreement.html", context)


@require_POST
@login_required
@reviewers_only
def decide(request: HttpRequest) -> HttpResponse:
    """POST /review/decide/: one finding or many of the queue; goes on to where `next` says."""
    findings = _chosen(request.POST, "finding")
    try:
        made = judging.decide(findings, request.POST.get("verdict", ""), request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
    else:
        if request.POST.get("scope") == "shown" or len(findings) > 1:
            _tell(request, made, len(findings))
    return redirect(back(request, reverse("search:review:list")))


@require_POST
@login_required
@reviewers_only
def undo(request: HttpRequest) -> HttpResponse:
    """POST /review/undo/: what the user said last is as it was before."""
    try:
        judging.undo(request.user, *numbers([request.POST.get("decision", "")]))
    except DomainError as exc:
        messages.error(request, str(exc))
    else:
        messages.success(request, _("The decision is undone."))
    return redirect(back(request, reverse("search:review:list")))


@require_POST
@login_required
@reviewers_only
def judge(request: HttpRequest) -> HttpResponse:
    """POST /review/judge/: boxes as answers to a search; asked by htmx, the verdict on one box."""
    query = request.POST.get("query", "")
    boxes = _chosen(request.POST, "box")
    verdict = request.POST.get("verdict", "")
    try:
        made = judging.judge(asked.on_page(query, request.user), boxes, verdict, request.user)
    except DomainError as exc:
        if request.htmx:
            return HttpResponse(str(exc), status=exc.status, content_type="text/plain")
        messages.error(request, str(exc))
        return redirect(back(request, _search(query)))
    if request.htmx:
        place = "drawer" if request.POST.get("place") == "drawer" else "card"
        context = {"box_id": boxes[0], "verdict": verdict, "query": query, "place": place}
        return render(request, "review/_judged.html", context)
    _tell(request, made, len(boxes))
    return redirect(back(request, _search(query)))


@require_POST
@login_required
@reviewers_only
def send(request: HttpRequest) -> HttpResponse:
    """POST /review/send/: chosen boxes, or all shown, of a search are put into the queue."""
    query, boxes = request.POST.get("query", ""), _chosen(request.POST, "box")
    try:
        kept, added = queue.send(query, request.user, boxes=boxes)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect(_search(query))
    told = ngettext(
        "%(count)d result is in the review now (new: %(added)d).",
        "%(count)d results are in the review now (new: %(added)d).",
        len(boxes),
    )
    messages.success(request, told % {"count": len(boxes), "added": added})
    return redirect(f"{reverse('search:review:list')}?query={kept.pk}")


@require_POST
@login_required
@reviewers_only
def withdraw(request: HttpRequest) -> HttpResponse:
    """POST /review/withdraw/: what nobody judged of a query leaves the queue."""
    queries = numbers([request.POST.get("query", "")])
    removed = queue.withdraw(queries[0], request.user) if queries else 0
    told = ngettext("%(count)d result was removed.", "%(count)d results were removed.", removed)
    messages.success(request, told % {"count": removed})
    return redirect(back(request, reverse("search:review:list")))


def _wanted(given: QueryDict) -> tuple[str, int | None]:
    state, query = given.get("state", ""), numbers([given.get("query", "")])
    return (state if state in queue.STATES else Verdict.UNREVIEWED), (query[0] if query else None)


def _chosen(given: QueryDict, name: str) -> list[int]:
    """What a form of many is about: the boxes that were ticked, or all that its page shows."""
    return numbers(given.getlist("shown" if given.get("scope") == "shown" else name))


def numbers(texts: Iterable[str]) -> list[int]:
    """Those that are ids; no id has more digits than the database takes."""
    return [int(text) for text in texts if text.isdecimal() and len(text) < 19]


def _context(request: HttpRequest, state: str, query: int | None) -> dict[str, Any]:
    """What every page of the queue needs: its tabs, and how it is narrowed."""
    counts = queue.counts(request.user, query)
    narrowed = {} if query is None else {"query": query}
    if query is not None and not any(counts.values()):
        raise Http404
    return {
        "state": state,
        "tabs": [
            (
                name,
                words,
                counts[name],
                f"?{urlencode({'state': name, **narrowed})}",
            )
            for name, words in queue.STATES.items()
        ],
        "query": None if query is None else Query.objects.filter(pk=query).first(),
        "address": urlencode({"state": state, **narrowed}),
        "undoable": judging.newest(request.user),
    }


def _others(found: Finding, request: HttpRequest) -> list[Any]:
    """What others said of a finding, for a reader who decided already."""
    if found.verdict == Verdict.UNREVIEWED:
        return []
    rows = found.judgements.open_to(request.user).exclude(reviewer=request.user)
    return list(rows.select_related("reviewer"))


def _tell(request: HttpRequest, made: Decision | None, count: int) -> None:
    if made is None:
        messages.info(request, _("Nothing changed: it was judged so already."))
        return
    told = ngettext("%(count)d result: %(verdict)s.", "%(count)d results: %(verdict)s.", count) % {
        "count": count,
        "verdict": made.get_verdict_display(),
    }
    messages.success(request, told)


def _search(query: str) -> str:
    return f"{reverse('search:search')}?{QueryDict(query).urlencode()}"


def back(request: HttpRequest, default: str) -> str:
    """Where the form says to go on, within this site."""
    wanted = request.POST.get("next", "")
    secure = request.is_secure()
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=secure):
        return wanted
    return default
