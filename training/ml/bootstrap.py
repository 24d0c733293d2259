"""How sure a number is: what it would have been with other people of the same kind.

People are drawn again, not pairs or queries: those of one person stand or fall together, and an
interval that forgets it is too narrow.
"""

import numpy as np
import numpy.typing as npt

RESAMPLES = 200
LOW, HIGH = 2.5, 97.5

Weights = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def weights(people: int, resamples: int = RESAMPLES, seed: int = 0) -> Weights:
    """How often each person was drawn, (people, resamples): each column sums to `people`."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(people, np.full(people, 1 / people), size=resamples)
    return np.ascontiguousarray(drawn.T, dtype=np.float32)


def interval(values: npt.NDArray[np.floating]) -> list[float] | None:
    """The middle 95 % of what the resamples gave; None if fewer than half gave a number."""
    usable = values[np.isfinite(values)]
    if len(usable) < max(1, len(values) / 2):
        return None
    low, high = np.percentile(usable, [LOW, HIGH])
    return [float(low), float(high)]


def mean_interval(
    values: Floats, people: npt.NDArray[np.integer], drawn: Weights
) -> list[float] | None:
    """The interval of a mean over queries.

    Args:
        values: (Q,) of each query.
        people: (Q,) rows of `drawn`, whose query it is.
        drawn: as `weights` gives them.
    """
    sums = np.bincount(people, weights=values, minlength=len(drawn))
    counts = np.bincount(people, minlength=len(drawn)).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = (sums @ drawn) / (counts @ drawn)
    return interval(means)
