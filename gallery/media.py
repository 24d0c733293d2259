"""Pictures for browsers and programs: always re-encoded as JPEG, for those who may see them.

The bytes received are never sent out, so a file that is also a web page or a script stays a
picture; its metadata stays here too.
"""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe
from rest_framework.exceptions import APIException

from gallery import crops
from gallery.errors import BadImage
from gallery.models import Box, Image
from pedsite.accounts.authentication import ApiKeyAuthentication
from pedsite.audit.journal import opened

CACHED_S = 3600
DEFAULT_HEIGHT = 256
DEFAULT_WIDTH = 1280
# What lists show many of; anything larger is looked at, which the audit log tells.
THUMBNAIL_HEIGHT, THUMBNAIL_WIDTH = 320, 480
View = Callable[..., HttpResponse]


def session_or_key(view: View) -> View:
    """Let in whoever is logged in, or sends an API key: the API's answers link to these views."""

    @wraps(view)
    def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if "Authorization" in request.headers:
            try:
                user_and_key = ApiKeyAuthentication().authenticate(request)
            except APIException as exc:
                return _plain(str(exc.detail), exc.status_code)
            if user_and_key is None:
                return _plain("Send an API key as a bearer.", 401)
            request.user = user_and_key[0]
        elif not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return checked


@require_safe
@session_or_key
def crop(request: HttpRequest, box_id: int) -> HttpResponse:
    """The pixels of a box, `h` pixels high or less."""
    box = Box.objects.visible_to(request.user).select_related("image").filter(pk=box_id).first()
    if box is None:
        raise Http404
    height = _size(request, "h", DEFAULT_HEIGHT)
    if height > THUMBNAIL_HEIGHT:
        opened(request.user, f"box {box.pk}")
    tag = f'"{box.image.sha256[:24]}-{"-".join(map(str, box.bounds))}-{height}"'
    return _jpeg(request, tag, f"box-{box.pk}.jpg", lambda: crops.crop_jpeg(box, height))


@require_safe
@session_or_key
def frame(request: HttpRequest, image_id: int) -> HttpResponse:
    """A whole image, `w` pixels wide or less."""
    image = Image.objects.visible_to(request.user).filter(pk=image_id).first()
    if image is None:
        raise Http404
    width = _size(request, "w", DEFAULT_WIDTH)
    if width > THUMBNAIL_WIDTH:
        opened(request.user, f"image {image.pk}")
    tag = f'"{image.sha256[:24]}-{width}"'
    return _jpeg(request, tag, f"image-{image.pk}.jpg", lambda: crops.frame_jpeg(image, width))


def _jpeg(request: HttpRequest, tag: str, name: str, encode: Callable[[], bytes]) -> HttpResponse:
    unchanged = get_conditional_response(request, etag=tag)
    if unchanged is not None:
        return unchanged
    try:
        response = HttpResponse(encode(), content_type="image/jpeg")
    except BadImage as exc:
        return _plain(str(exc), 422)
    response["ETag"] = tag
    response["Cache-Control"] = f"private, max-age={CACHED_S}"
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'"
    patch_vary_headers(response, ["Cookie", "Authorization"])
    return response


def _plain(text: str, status: int) -> HttpResponse:
    response = HttpResponse(text, status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _size(request: HttpRequest, name: str, default: int) -> int:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else default
