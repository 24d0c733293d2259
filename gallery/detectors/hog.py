"""OpenCV's people detector: histograms of gradients and a linear classifier, no model file."""

import cv2
import numpy as np

from gallery.detectors.found import Found, settle

THRESHOLD = 0.5
MOST_OVERLAP = 0.35
# The classifier sees people of 96 pixels and more: small pictures are enlarged, large ones shrunk
# to where a whole search takes a fraction of a second.
SEARCH_HEIGHT = (480, 720)
# The window has a margin around the person that a crop must not have: share of it on each side.
MARGIN_X, MARGIN_TOP, MARGIN_BOTTOM = 0.16, 0.06, 0.07
# What turns the distance from the classifier's plane into a share: at MIDDLE it is one half.
MIDDLE, STEEPNESS = 0.5, 3.0


class HogDetector:
    def __init__(self, threshold: float | None = None) -> None:
        self.threshold = THRESHOLD if threshold is None else threshold
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())

    def detect(self, rgb: np.ndarray) -> list[Found]:
        """The people in a picture, surest first; the score is a squashed distance."""
        height, width = rgb.shape[:2]
        scale = np.clip(height, *SEARCH_HEIGHT) / height
        size = max(64, round(width * scale)), max(128, round(height * scale))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        searched = cv2.cvtColor(cv2.resize(rgb, size, interpolation=how), cv2.COLOR_RGB2GRAY)
        windows, weights = self._hog.detectMultiScale(
            searched, hitThreshold=0, winStride=(8, 8), padding=(16, 16), scale=1.05,
            groupThreshold=0,
        )  # fmt: skip
        if len(windows) == 0:
            return []
        scores = 1 / (1 + np.exp(-STEEPNESS * (np.ravel(weights).astype(np.float64) - MIDDLE)))
        sure = scores >= self.threshold
        boxes = _people(np.asarray(windows, dtype=np.float64)[sure])
        boxes *= np.array([width / size[0], height / size[1]] * 2)
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
