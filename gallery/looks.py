"""What the pixels of a crop tell of its worth: how sharp it is, and what else looks the same."""

import hashlib

import cv2
import numpy as np

# Crops are compared at this height (pixels); a lower one is measured as it is.
HEIGHT = 128
# Side of the grid of differences: twice 8 x 8 bits.
GRID = 8
BITS = 2 * GRID * GRID

Bounds = tuple[int, int, int, int]


def sharpness(crop: np.ndarray) -> float:
    """How much of a crop's contrast is in its finest detail: the variance of the Laplacian over
    the variance of the brightness, at one height, so that size and light do not matter.

    Crops of drawn streets have .15 to 2, one of them .01 after a blur of 2 pixels at that height.

    Args:
        crop: uint8 (h, w, 3), RGB.

    Returns: 0 or more; 0 for one colour.
    """
    grey = _grey(crop)
    height, width = grey.shape
    if height > HEIGHT:
        size = (max(1, round(width * HEIGHT / height)), HEIGHT)
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    # The rim is made up by the filter, not seen.
    detail = cv2.Laplacian(grey, cv2.CV_32F)[1:-1, 1:-1]
    contrast = float(grey.var())
    if contrast < 1.0 or detail.size == 0:
        return 0.0
    return float(detail.var()) / contrast


def differences(crop: np.ndarray) -> bytes:
    """BITS bits of which neighbours in a small picture are brighter: nearly the same for a crop
    that was scaled, encoded anew, or taken a moment later.

    Args:
        crop: uint8 (h, w, 3), RGB.
    """
    grey = _grey(crop)
    across = cv2.resize(grey, (GRID + 1, GRID), interpolation=cv2.INTER_AREA)
    down = cv2.resize(grey, (GRID, GRID + 1), interpolation=cv2.INTER_AREA)
    bits = np.concatenate(
        [(across[:, 1:] > across[:, :-1]).ravel(), (down[1:] > down[:-1]).ravel()]
    )
    return np.packbits(bits).tobytes()


def digest(crop: np.ndarray) -> str:
    """SHA-256 of the decoded pixels, lower-case hex: equal for equal crops alone."""
    found = hashlib.sha256(np.array(crop.shape, np.int64).tobytes())
    found.update(np.ascontiguousarray(crop).tobytes())
    return found.hexdigest()


def covered(box: Bounds, others: list[Bounds]) -> float:
    """The share of a box, 0 to 1, that other boxes of the frame cover who stand in front of it.

    Cameras look down on streets: whose box ends lower in the picture stands nearer. Of two that
    end alike the larger does.
    """
    left, top, right, bottom = box
    own = (right - left) * (bottom - top)
    # One pixel of the mask for some of the picture: a share needs no more.
    step = max(1.0, max(right - left, bottom - top) / 256)
    mask = np.zeros(
        (max(1, round((bottom - top) / step)), max(1, round((right - left) / step))), dtype=bool
    )
    for other in others:
        area = (other[2] - other[0]) * (other[3] - other[1])
        if (other[3], area) <= (bottom, own):
            continue
        x0, x1 = (round((x - left) / step) for x in (max(left, other[0]), min(right, other[2])))
        y0, y1 = (round((y - top) / step) for y in (max(top, other[1]), min(bottom, other[3])))
        if x1 > x0 and y1 > y0:
            mask[y0:y1, x0:x1] = True
    return float(mask.mean())


def cut(box: Bounds, width: int, height: int) -> str:
    """The sides at which a box ends with its picture, of "ltrb": somebody goes on beyond."""
    left, top, right, bottom = box
    # Detectors stop a pixel or so before the edge.
    rim = max(1, round(min(width, height) / 400))
    ends = (left <= rim, top <= rim, right >= width - rim, bottom >= height - rim)
    if all(ends):
        return ""  # the whole picture is cut nowhere
    return "".join(side for side, is_cut in zip("ltrb", ends, strict=True) if is_cut)


def _grey(crop: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
