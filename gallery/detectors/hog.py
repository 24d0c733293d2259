"""OpenCV's people detector: histograms of gradients and a linear classifier, no model file.

People who stand free and upright are found well, others often not: it is the default because it
needs nothing, not because it is the best.
"""

import math

import cv2
import numpy as np

from gallery.detectors.found import Found, intersections, overlaps, settle

THRESHOLD = 0.5
MOST_OVERLAP = 0.4
# The classifier sees people of 96 pixels and more: pictures are searched at about this height.
SEARCH_HEIGHT = (432, 480)
MOST_SEARCH_WIDTH = 1280
# Its window has a margin around the person, so at the picture's edges it needs some room.
ROOM = 0.2
SCALE_STEP = 1.06
# How much of the window is margin: left and right, top, bottom.
MARGIN_X, MARGIN_TOP, MARGIN_BOTTOM = 0.19, 0.08, 0.09
# A person makes several windows fire that overlap by this much; one or two are mostly a mistake.
SUPPORT_OVERLAP, LEAST_SUPPORTERS = 0.5, 3
# Of a window inside a stronger one's person, such as the legs alone, this share lies in it.
INSIDE = 0.65
# The summed distances from the classifier's plane that make a score of one half.
HALF_SURE = 2.0


class HogDetector:
    def __init__(self, threshold: float | None = None) -> None:
        self.threshold = THRESHOLD if threshold is None else threshold
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())

    def detect(self, rgb: np.ndarray) -> list[Found]:
        """The people in a picture, surest first; the score says how many windows agree."""
        height, width = rgb.shape[:2]
        scale = min(float(np.clip(height, *SEARCH_HEIGHT)) / height, MOST_SEARCH_WIDTH / width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        grey = cv2.cvtColor(cv2.resize(rgb, size, interpolation=how), cv2.COLOR_RGB2GRAY)
        # At least one window of 64 x 128 has to fit in.
        x, y = max(32, round(ROOM * size[1] / 2)), max(64, round(ROOM * size[1]))
        grey = cv2.copyMakeBorder(grey, y, y, x, x, cv2.BORDER_REPLICATE)
        windows, weights = self._hog.detectMultiScale(
            grey, hitThreshold=0, winStride=(8, 8), scale=SCALE_STEP, groupThreshold=0
        )
        if len(windows) == 0:
            return []
        people = _people(np.asarray(windows, dtype=np.float64) - (x, y, 0, 0))
        boxes, scores = _agreed(people, np.ravel(weights).astype(np.float64))
        sure = scores >= self.threshold
        boxes = boxes[sure] * np.array([width / size[0], height / size[1]] * 2)
        return settle(boxes, scores[sure], (width, height), MOST_OVERLAP)


def _people(windows: np.ndarray) -> np.ndarray:
    """left, top, right, bottom of the people in windows of left, top, width, height."""
    left, top, width, height = windows.T
    return np.stack(
        [
            left + MARGIN_X * width,
            top + MARGIN_TOP * height,
            left + (1 - MARGIN_X) * width,
            top + (1 - MARGIN_BOTTOM) * height,
        ],
        axis=1,
    )


def _agreed(boxes: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weighted means of boxes that agree, [n, 4], and how sure they are, 0 to 1, [n]."""
    agree = np.stack([overlaps(box, boxes) > SUPPORT_OVERLAP for box in boxes])
    support = agree @ weights
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    free = np.ones(len(boxes), dtype=bool)
    means, scores = [], []
    for best in np.argsort(-support, kind="stable"):
        if not free[best]:
            continue
        shared = intersections(boxes[best], boxes)
        free &= (shared <= INSIDE * np.minimum(areas, areas[best])) & ~agree[best]
        if agree[best].sum() >= LEAST_SUPPORTERS:
            means.append(np.average(boxes, axis=0, weights=agree[best] * weights))
            scores.append(1 - math.exp(-math.log(2) * support[best] / HALF_SURE))
    return np.array(means).reshape(-1, 4), np.array(scores)
