"""Verification: how well a threshold on the score tells pairs that fit from pairs that do not."""

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating]


def equal_error_rate(positive: Scores, negative: Scores) -> tuple[float, float]:
    """The error rate where false accepts and false rejects come closest, and the threshold.

    A pair is accepted when its score is at least the threshold.

    Args:
        positive: (P,) scores of pairs that fit; higher is closer.
        negative: (N,) scores of pairs that do not.

    Returns: (rate, threshold); the rate, 0 to 1, is the mean of both error rates there.
    Raises: ValueError, a set is empty or holds a NaN.
    """
    if positive.size == 0 or negative.size == 0:
        raise ValueError("an equal error rate needs positive and negative scores")
    if np.isnan(positive).any() or np.isnan(negative).any():
        raise ValueError("a score is NaN")
    ordered = np.sort(negative)
    thresholds = np.unique(positive)
    thresholds = np.append(thresholds, max(thresholds[-1], ordered[-1]) + 1)
    rejected = np.searchsorted(np.sort(positive), thresholds, side="left") / positive.size
    accepted = 1 - np.searchsorted(ordered, thresholds, side="left") / negative.size
    best = int(np.argmin(np.abs(accepted - rejected)))
    return float(accepted[best] + rejected[best]) / 2, float(thresholds[best])
