"""The page where users make and revoke their own API keys."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from pedsite.accounts import keys
from pedsite.accounts.forms import KeyForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def key_list(request: HttpRequest) -> HttpResponse:
    """The keys of the user; a POST issues one and shows its secret this once."""
    form = KeyForm(request.user, request.POST if request.method == "POST" else None)
    secret = ""
    if form.is_valid():
        wanted = form.cleaned_data
        issued = keys.issue(request.user, wanted["name"], form.expires_at(), wanted["scopes"])
        secret = issued[1]
        form = KeyForm(request.user)
    context = {"keys": request.user.api_keys.all(), "form": form, "secret": secret}
    return render(request, "accounts/keys.html", context)


@require_POST
@login_required
def key_revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    key = request.user.api_keys.filter(pk=key_id).first()
    if key is None:
        raise Http404
    keys.revoke(key, request.user)
    messages.success(request, _("“%(name)s” no longer works.") % {"name": key.name})
    return redirect("accounts:keys")
