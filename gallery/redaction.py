"""Somebody painted out of a picture that others are in as well."""

from collections.abc import Iterable

import numpy as np

from gallery import crops, images, pictures
from gallery.models import Box, Image

GREY = 128
QUALITY = 95
# Of a box's area; what is painted over to this share shows nothing of anybody else.
COVERED = 0.7

Bounds = tuple[int, int, int, int]


def paint_out(image: Image, regions: Iterable[Bounds]) -> str:
    """Store the picture anew with some regions grey. Call it with the dataset locked.

    The row has the new file and its hash when this returns; the old file stays until the caller's
    transaction is committed and it is removed by its name.

    Returns: the name of the old file.
    Raises: BadImage, it is gone or does not decode.
    """
    pixels = np.array(crops.picture(image))
    for left, top, right, bottom in regions:
        pixels[top:bottom, left:right] = GREY
    old = image.file.name
    is_lossy = old.rpartition(".")[2].lower() in ("jpg", "jpeg", "webp")
    data = pictures.encode_jpeg(pixels, QUALITY) if is_lossy else pictures.encode_png(pixels)
    image.sha256 = images.sha256(data)
    ending = "jpg" if is_lossy else "png"
    image.file = images.put(image.dataset_id, image.sha256, ending, data)
    image.save(update_fields=["sha256", "file"])
    return str(old)


def covered(box: Box, regions: Iterable[Bounds]) -> float:
    """The share of a box's pixels that lie in some region, 0 to 1."""
    left, top, right, bottom = box.bounds
    mask = np.zeros((bottom - top, right - left), dtype=bool)
    for x0, y0, x1, y1 in regions:
        mask[max(0, y0 - top) : max(0, y1 - top), max(0, x0 - left) : max(0, x1 - left)] = True
    return float(mask.mean())
