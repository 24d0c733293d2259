"""Pages of a user's webhooks."""

import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pedsite.api import DomainError
from pedsite.webhooks import hooks
from pedsite.webhooks.errors import UnknownDelivery, UnknownWebhook
from pedsite.webhooks.forms import WebhookForm
from pedsite.webhooks.models import Webhook

PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def webhook_list(request: HttpRequest) -> HttpResponse:
    """The webhooks of the user; a POST makes one and shows its secret this once."""
    form = WebhookForm(request.POST if request.method == "POST" else None)
    secret = ""
    if form.is_valid():
        try:
            _made, secret = hooks.make(request.user, **form.cleaned_data)
            form = WebhookForm()
        except DomainError as exc:
            form.add_error("url", str(exc))
    context = {
        "webhooks": request.user.webhooks.all(),
        "form": form,
        "secret": secret,
        "allowed": bool(settings.PEDSITE_WEBHOOK_ALLOW),
    }
    return render(request, "webhooks/list.html", context)


@require_safe
@login_required
def webhook_detail(request: HttpRequest, webhook_id: int) -> HttpResponse:
    return _shown(request, _found(request, webhook_id))


@require_POST
@never_cache
@login_required
def webhook_rotate(request: HttpRequest, webhook_id: int) -> HttpResponse:
    """Another secret, on the page that answers and nowhere else."""
    webhook = _found(request, webhook_id)
    return _shown(request, webhook, hooks.rotate(webhook))


@require_POST
@login_required
def webhook_ping(request: HttpRequest, webhook_id: int) -> HttpResponse:
    try:
        hooks.ping(_found(request, webhook_id))
        messages.success(request, _("A test message is on its way."))
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("webhooks:detail", webhook_id)


@require_POST
@login_required
def webhook_on(request: HttpRequest, webhook_id: int) -> HttpResponse:
    hooks.turn_on(_found(request, webhook_id))
    messages.success(request, _("It is on again, and what waited is being sent."))
    return redirect("webhooks:detail", webhook_id)


@require_POST
@login_required
def webhook_delete(request: HttpRequest, webhook_id: int) -> HttpResponse:
    _found(request, webhook_id).delete()
    messages.success(request, _("Nothing is sent to that address any more."))
    return redirect("webhooks:list")


@require_POST
@login_required
def delivery_again(request: HttpRequest, webhook_id: int, delivery_id: uuid.UUID) -> HttpResponse:
    try:
        hooks.redeliver(_found(request, webhook_id), delivery_id)
        messages.success(request, _("The message is being sent again."))
    except UnknownDelivery as exc:
        raise Http404(str(exc)) from exc
    except DomainError as exc:
        messages.error(request, str(exc))
    return redirect("webhooks:detail", webhook_id)


def _found(request: HttpRequest, webhook_id: int) -> Webhook:
    try:
        return hooks.find(request.user, webhook_id)
    except UnknownWebhook as exc:
        raise Http404(str(exc)) from exc


def _shown(request: HttpRequest, webhook: Webhook, secret: str = "") -> HttpResponse:
    deliveries = Paginator(webhook.deliveries.all(), PAGE_SIZE)
    page = deliveries.get_page(request.GET.get("page"))
    context = {"webhook": webhook, "page": page, "secret": secret}
    return render(request, "webhooks/detail.html", context)
