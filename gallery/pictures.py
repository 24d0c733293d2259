"""Bytes from outside to upright RGB pictures, and back to JPEG.

Everything that the project decodes passes `decode`, so that the rules for hostile or unusual
files stand in one place.
"""

import io
from typing import NamedTuple

import numpy as np
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from gallery.errors import BadImage

MAX_BYTES = 64 * 2**20
MAX_PIXELS = 50_000_000
MAX_SIDE = 30_000
# What Pillow may try, and the ending of the stored file. No SVG, no TIFF, no vector formats.
ENDINGS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "GIF": "gif"}
_TRIED = ("JPEG", "PNG", "WEBP", "BMP", "GIF")


class Decoded(NamedTuple):
    picture: Image.Image
    ending: str


def open_upright(data: bytes) -> Image.Image:
    """The picture in some bytes: RGB, turned upright by its EXIF orientation, first frame.

    Raises:
        BadImage: empty, not a picture, truncated, or too large; the message says which.
    """
    return decode(data).picture


def decode(data: bytes) -> Decoded:
    """Like `open_upright`, with the file ending that belongs to the format found.

    Raises:
        BadImage: as `open_upright`.
    """
    if not data:
        raise BadImage(_("The file is empty (0 bytes)."))
    if len(data) > MAX_BYTES:
        raise BadImage(_("The file has more than %d MiB.") % (MAX_BYTES // 2**20))
    opened = _open(data)
    ending = ENDINGS[opened.format or ""]
    width, height = opened.size
    try:
        opened.load()
    except Exception as exc:  # on hostile bytes a decoder may raise anything
        raise BadImage(
            _("The picture (%(width)d x %(height)d) is damaged or truncated: %(why)s.")
            % {"width": width, "height": height, "why": _words(exc)}
        ) from exc
    return Decoded(_rgb(_upright(opened)), ending)


def encode_jpeg(picture: Image.Image | np.ndarray, quality: int = 88) -> bytes:
    """A JPEG without metadata of an RGB picture, or of an array uint8 [height, width, 3]."""
    # Through bare pixels, because Pillow writes the comment, EXIF and profile that a picture
    # brought with it, and a comment may be a web page.
    out = io.BytesIO()
    Image.fromarray(np.asarray(picture)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def encode_png(picture: Image.Image | np.ndarray) -> bytes:
    """A PNG without metadata of an RGB picture, or of an array uint8 [height, width, 3]."""
    out = io.BytesIO()
    Image.fromarray(np.asarray(picture)).save(out, "PNG")
    return out.getvalue()


def _open(data: bytes) -> Image.Image:
    try:
        opened = Image.open(io.BytesIO(data), formats=_TRIED)
    except Image.UnidentifiedImageError as exc:
        raise BadImage(_("Not a picture: no JPEG, PNG, WebP, BMP or GIF.")) from exc
    except Image.DecompressionBombError as exc:
        raise BadImage(
            _("The picture has more than %d megapixels.") % (MAX_PIXELS // 10**6)
        ) from exc
    except Exception as exc:  # on hostile bytes a header reader may raise anything
        raise BadImage(_("The picture's header is damaged: %s.") % _words(exc)) from exc
    width, height = opened.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise BadImage(
            _(
                "The picture is %(width)d x %(height)d pixels; "
                "the limit is %(most)d megapixels and %(side)d a side."
            )
            % {"width": width, "height": height, "most": MAX_PIXELS // 10**6, "side": MAX_SIDE}
        )
    return opened


def _upright(picture: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # damaged EXIF says nothing about the pixels, which are good
        return picture


def _rgb(picture: Image.Image) -> Image.Image:
    """RGB; 16-bit levels scaled, transparency laid over white."""
    if picture.mode == "RGB":
        return picture
    if picture.mode.startswith("I") or picture.mode == "F":
        levels = np.asarray(picture, dtype=np.float64)
        # convert() clips at 255 what is a 16-bit level.
        levels = np.clip(levels / 257, 0, 255).round().astype(np.uint8)
        return Image.fromarray(levels).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        paper = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(paper, picture).convert("RGB")
    return picture.convert("RGB")


def _words(exc: Exception) -> str:
    return str(exc).strip().rstrip(".") or type(exc).__name__
