"""The pixels of boxes and images: for encoders as arrays, for browsers as JPEG."""

from collections.abc import Iterable, Iterator

import numpy as np
from PIL import Image as Pictures

from gallery import pictures
from gallery.errors import BadImage
from gallery.models import Box, Image

MAX_HEIGHT = 1024
MAX_WIDTH = 2048
MIN_SIDE = 16


def load(box: Box) -> np.ndarray:
    """The pixels of one box: uint8 [height, width, 3], RGB, at the picture's own size.

    Raises:
        BadImage: the stored file is missing or no longer decodes.
    """
    return np.asarray(_cut(picture(box.image), box))


def load_many(boxes: Iterable[Box]) -> Iterator[tuple[Box, np.ndarray | BadImage]]:
    """Each box with its pixels, or with the error that its picture gave.

    Each file is opened once: boxes come grouped by image, images in the order of their first
    box. Load them with `select_related("image")`.
    """
    by_image: dict[int, list[Box]] = {}
    for box in boxes:
        by_image.setdefault(box.image_id, []).append(box)
    for group in by_image.values():
        try:
            whole = picture(group[0].image)
        except BadImage as exc:
            yield from ((box, exc) for box in group)
            continue
        for box in group:
            yield box, np.asarray(_cut(whole, box))


def picture(image: Image) -> Pictures.Image:
    """The stored picture, upright and RGB.

    Raises:
        BadImage: the stored file is missing or no longer decodes.
    """
    try:
        with image.file.open("rb") as stored:
            data = stored.read()
    except FileNotFoundError as exc:
        raise BadImage(f"The stored file of image {image.pk} is missing.") from exc
    return pictures.open_upright(data)


def crop_jpeg(box: Box, height: int = 256) -> bytes:
    """A JPEG of the box, at most `height` pixels high; never enlarged.

    Raises:
        BadImage: as `load`.
    """
    height = min(max(height, MIN_SIDE), MAX_HEIGHT)
    cut = _cut(picture(box.image), box)
    # A box may be wide and low: the width is held too.
    cut.thumbnail((MAX_WIDTH, height), Pictures.Resampling.LANCZOS)
    return pictures.encode_jpeg(cut)


def frame_jpeg(image: Image, width: int = 1280) -> bytes:
    """A JPEG of the whole image, at most `width` pixels wide; never enlarged.

    Raises:
        BadImage: as `load`.
    """
    width = min(max(width, MIN_SIDE), MAX_WIDTH)
    whole = picture(image)
    whole.thumbnail((width, 2 * MAX_WIDTH), Pictures.Resampling.LANCZOS)
    return pictures.encode_jpeg(whole)


def _cut(whole: Pictures.Image, box: Box) -> Pictures.Image:
    return whole.crop(box.bounds)
