"""Found people, as a detector reports them, and how overlapping ones are thinned out."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

# Smaller finds show too little of anyone to be described (pixels).
MIN_WIDTH, MIN_HEIGHT = 8, 16


class Found(NamedTuple):
    """One person: pixels of the upright picture, right and bottom exclusive; score 0 to 1."""

    left: int
    top: int
    right: int
    bottom: int
    score: float


def settle(
    boxes: np.ndarray, scores: np.ndarray, size: tuple[int, int], most_overlap: float
) -> list[Found]:
    """Clip boxes to the picture, drop tiny ones, keep the surest of those that overlap.

    Args:
        boxes: float [n, 4], left, top, right, bottom in the picture's pixels.
        scores: float [n], 0 to 1.
        size: width and height of the picture.
        most_overlap: intersection over union above which the less sure box goes.
    """
    width, height = size
    boxes = np.stack(
        [
            np.floor(boxes[:, 0]).clip(0, width),
            np.floor(boxes[:, 1]).clip(0, height),
            np.ceil(boxes[:, 2]).clip(0, width),
            np.ceil(boxes[:, 3]).clip(0, height),
        ],
        axis=1,
    )
    large = (boxes[:, 2] - boxes[:, 0] >= MIN_WIDTH) & (boxes[:, 3] - boxes[:, 1] >= MIN_HEIGHT)
    boxes, scores = boxes[large], scores[large]
    order = np.argsort(-scores, kind="stable")
    found: list[Found] = []
    while order.size:
        best, order = order[0], order[1:]
        left, top, right, bottom = (int(edge) for edge in boxes[best])
        found.append(Found(left, top, right, bottom, float(scores[best].clip(0, 1))))
        order = order[overlaps(boxes[best], boxes[order]) <= most_overlap]
    return found


def overlaps(box: Iterable[float], others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box with n others, float [n]."""
    left, top, right, bottom = box
    shared = intersections(box, others)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    return shared / np.maximum((right - left) * (bottom - top) + areas - shared, 1e-9)


def intersections(box: Iterable[float], others: np.ndarray) -> np.ndarray:
    """The area that one box shares with each of n others, float [n]."""
    left, top, right, bottom = box
    width = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
    height = np.minimum(bottom, others[:, 3]) - np.maximum(top, others[:, 1])
    return width.clip(0) * height.clip(0)
