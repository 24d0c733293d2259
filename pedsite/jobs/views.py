"""Pages of jobs: what runs, how far it is, and why items failed."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseStopPolling

from pedsite.accounts.roles import operators_only
from pedsite.api import DomainError
from pedsite.jobs import failures, queues, work
from pedsite.jobs.models import Job, PausedQueue

PAGE_SIZE = 25


@require_safe
@login_required
def job_list(request: HttpRequest) -> HttpResponse:
    state = request.GET.get("state", "")
    jobs = Job.objects.visible_to(request.user).select_related("created_by")
    if state in Job.State.values:
        jobs = jobs.filter(state=state)
    page = Paginator(jobs, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "state": state,
        "states": Job.State.choices,
        "queues": queues.standings(),
    }
    return render(request, "jobs/list.html", context)


@require_safe
@login_required
def job_detail(request: HttpRequest, job_id: int) -> HttpResponse:
    """The page of a job; asked by htmx, only the part that changes while it runs."""
    job = _visible(request, job_id)
    pause = PausedQueue.objects.filter(queue=job.queue).select_related("by").first()
    context = {"job": job, "groups": failures.grouped(job), "pause": pause}
    if not request.htmx:
        return render(request, "jobs/detail.html", context)
    return _polled(job, render(request, "jobs/_progress.html", context))


@require_safe
@login_required
def job_card(request: HttpRequest, job_id: int) -> HttpResponse:
    """One job of the list, which asks for itself again while the job is not over."""
    job = _visible(request, job_id)
    return _polled(job, render(request, "jobs/_card.html", {"job": job}))


@require_POST
@login_required
@operators_only
def queue_pause(request: HttpRequest) -> HttpResponse:
    """Begin nothing of a queue from now on."""
    name = request.POST.get("queue", "")
    try:
        queues.pause(name, request.user, request.POST.get("reason", ""))
        messages.success(request, _("The queue %(name)s is paused.") % {"name": name})
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("jobs:list")


@require_POST
@login_required
@operators_only
def queue_resume(request: HttpRequest) -> HttpResponse:
    """Go on with a queue, or with all where none is named."""
    name = request.POST.get("queue", "")
    try:
        count = queues.resume(name) if name else queues.resume_all()
        text = ngettext("%(count)s job goes on.", "%(count)s jobs go on.", count)
        messages.success(request, text % {"count": count})
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("jobs:list")


@require_POST
@login_required
def job_cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    job = _visible(request, job_id)
    try:
        work.cancel(job)
        messages.success(request, _("Job %(id)s is being cancelled.") % {"id": job.pk})
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("jobs:detail", job_id)


@require_POST
@login_required
def job_retry(request: HttpRequest, job_id: int) -> HttpResponse:
    job = _visible(request, job_id)
    try:
        again = work.retry_failed(job, request.user)
    except DomainError as exc:
        messages.error(request, str(exc))
        return redirect("jobs:detail", job_id)
    messages.success(request, _("The failed items are queued again."))
    return redirect("jobs:detail", again.pk)


def _visible(request: HttpRequest, job_id: int) -> Job:
    jobs = Job.objects.visible_to(request.user).select_related("created_by", "retry_of")
    job = jobs.filter(pk=job_id).first()
    if job is None:
        raise Http404(_("There is no such job, or it is not yours."))
    return job


def _polled(job: Job, response: HttpResponse) -> HttpResponse:
    # htmx stops polling at status 286.
    return HttpResponseStopPolling(response.content) if job.is_over else response
