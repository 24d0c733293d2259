"""Retrieval metrics: numpy, from a matrix of scores and one of what is relevant."""

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]


def recall_at(
    scores: Scores, relevant: Flags, ks: tuple[int, ...] = (1, 5, 10)
) -> dict[int, float]:
    """Share of queries with a relevant item among their k best.

    Args:
        scores: (Q, N), higher is better. Ties go to the lower column.
        relevant: (Q, N).
        ks: cut-offs; a k above N counts all items.

    Returns: k -> share, 0 to 1, over the queries that have a relevant item at all.
    Raises: ValueError, no query has one, or a score is NaN.
    """
    if np.isnan(scores).any():
        raise ValueError("a score is NaN")
    asked = relevant.any(axis=1)
    if not asked.any():
        raise ValueError("no query has a relevant item")
    order = np.argsort(-scores[asked], axis=1, kind="stable")[:, : max(ks)]
    hit = np.take_along_axis(relevant[asked], order, axis=1)
    return {k: float(hit[:, :k].any(axis=1).mean()) for k in ks}
