"""Pictures that a user shows to be searched by: kept for an hour, for that user alone.

They live in the cache, re-encoded, so that an address (`?picture=TOKEN&crop=l,t,r,b`) can be
gone back to and shared between one's own windows, and nothing of them outlives the hour.
"""

import secrets
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from PIL import Image

from gallery import detection, pictures
from gallery.errors import BadImage
from pedsite.api import DomainError

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KEPT_S = 3600
KEPT_PER_USER = 12
# The longer side, in pixels, of what is kept: a person of 1/20 of it still fills a crop.
MAX_SIDE = 2560
QUALITY = 92


class Region(NamedTuple):
    """Pixels of a picture; left and top inclusive, right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def crop(self) -> str:
        """As the address of the search page spells it."""
        return ",".join(map(str, self))


class PictureGone(DomainError):
    """The picture was shown by someone else, or too long ago."""

    code = "picture-gone"
    status = 404


@dataclass(frozen=True)
class ShownPicture:
    """A picture as it is kept: upright, RGB, at most MAX_SIDE pixels a side.

    `people` are the regions found in it, surest first.
    """

    token: str
    jpeg: bytes
    width: int
    height: int
    people: tuple[Region, ...]

    @property
    def whole(self) -> str:
        """The region that is all of it, as the address spells it."""
        return Region(0, 0, self.width, self.height).crop


def check_size(size: int) -> None:
    """Refuse a file by its size in bytes, before anything of it is read.

    Raises: BadImage.
    """
    if size > settings.MAX_PICTURE_BYTES:
        raise BadImage(
            _("The picture has %(size)d MB; at most %(most)d MB can be shown.")
            % {"size": round(size / 2**20), "most": settings.MAX_PICTURE_BYTES // 2**20}
        )


def keep(data: bytes, user: "User") -> ShownPicture:
    """Read a picture, find the people in it, and keep it for an hour.

    Raises: BadImage, the bytes are no usable picture; the message says why.
    """
    check_size(len(data))
    image = pictures.open_upright(data)
    image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    picture = ShownPicture(
        token=secrets.token_urlsafe(16),
        jpeg=pictures.encode_jpeg(image, QUALITY),
        width=image.width,
        height=image.height,
        people=_people_in(image),
    )
    _forget_oldest(user, picture.token)
    cache.set(_key(user, picture.token), picture, KEPT_S)
    return picture


def find(token: str, user: "User") -> ShownPicture:
    """The picture that this user showed under a token.

    Raises: PictureGone.
    """
    picture = cache.get(_key(user, token))
    if picture is None:
        raise PictureGone(_("This picture is no longer kept. Show it again."))
    return picture


def cut(picture: ShownPicture, region: Region | None = None) -> np.ndarray:
    """The pixels of a region, or of the whole picture: (h, w, 3) uint8 RGB.

    Raises: BadImage, the region lies outside of the picture.
    """
    image = Image.open(BytesIO(picture.jpeg), formats=["JPEG"]).convert("RGB")
    if region is None:
        return np.asarray(image)
    left, top, right, bottom = region
    right, bottom = min(right, image.width), min(bottom, image.height)
    if left >= right or top >= bottom:
        raise BadImage(_("The region lies outside of the picture."))
    return np.asarray(image.crop((left, top, right, bottom)))


def _people_in(image: Image.Image) -> tuple[Region, ...]:
    if Path(settings.PEDSITE_DETECTOR).is_dir():
        # Such a detector loads torch, which no web process does: a region is drawn by hand.
        return ()
    found = detection.detector(settings.PEDSITE_DETECTOR).detect(np.asarray(image))
    surest_first = sorted(found, key=lambda one: -one.score)
    return tuple(Region(one.left, one.top, one.right, one.bottom) for one in surest_first)


def _key(user: "User", token: str) -> str:
    return f"shown:{user.pk}:{token}"


def _forget_oldest(user: "User", token: str) -> None:
    # Nobody fills the cache by showing pictures without end. Two requests at once may each
    # forget the other's entry in this list; the picture then goes with its hour.
    recent = [*cache.get(f"shown:{user.pk}", ()), token]
    cache.delete_many([_key(user, old) for old in recent[:-KEPT_PER_USER]])
    cache.set(f"shown:{user.pk}", recent[-KEPT_PER_USER:], KEPT_S)
