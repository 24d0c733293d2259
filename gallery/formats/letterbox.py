"""Pictures made square without distortion, as the GeM system on CompCars makes them."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

FILLS = ("Gaussian", "Black", "White")
# That system's "white".
_GREY = {"Black": 0, "White": 225}
_KERNEL, _SIGMA = (7, 7), 1000


def square(picture: Pixels, size: int, fill: str = "Gaussian") -> Pixels:
    """A picture (h, w, 3) with its longer side scaled to `size`, centred in (size, size, 3).

    The empty bands are 0 (Black), 225 (White), or (Gaussian) the strips of the picture beside
    them, blurred; where a band is wider than the picture, the whole picture, again and again.

    Raises: ValueError, the fill is unknown.
    """
    if fill not in FILLS:
        raise ValueError(f"{fill} is no fill; there are {', '.join(FILLS)}")
    height, width = picture.shape[:2]
    scale = size / max(height, width)
    shape = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(picture, shape, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    # Bands are above and below: a tall picture is laid on its side for it.
    lying = small if small.shape[1] == size else small.swapaxes(0, 1)
    empty = size - len(lying)
    before, after = empty // 2, empty - empty // 2
    rows = [_band(lying, before, fill, last=False), lying, _band(lying, after, fill, last=True)]
    filled = np.concatenate(rows)
    return np.ascontiguousarray(filled if lying is small else filled.swapaxes(0, 1))


def _band(picture: Pixels, height: int, fill: str, *, last: bool) -> Pixels:
    if fill != "Gaussian" or not height:
        return np.full((height, *picture.shape[1:]), _GREY.get(fill, 0), dtype=np.uint8)
    if height <= len(picture):
        strip = picture[-height:] if last else picture[:height]
        return _blurred(strip)
    copies = np.concatenate([_blurred(picture)] * -(-height // len(picture)))
    return copies[:height] if last else copies[-height:]


def _blurred(strip: Pixels) -> Pixels:
    blurred = cv2.GaussianBlur(np.ascontiguousarray(strip), _KERNEL, _SIGMA)
    return np.asarray(blurred, dtype=np.uint8)
