"""What a score says: of one phrase, whether it shows; of the whole query, how likely by chance.

A cosine means something else for each text. What makes it readable is how the same text scores on
background crops, a thousand boxes of nobody in particular: most of them lack what a phrase says.

Measured on drawn people (`manage.py measure_search`): the place of a score between the 2nd and the
99.5th percentile of the background tells true phrases from false ones with an AUC of .98, where
the raw cosine reaches .95 and its z-score .88 (a phrase that half of the background fits has
another spread than one that nobody fits).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

LOW, HIGH = 0.02, 0.995
# Shares from which a phrase counts as shown, and below which as missing: of drawn crops a half
# and one in seventeen have it there.
SHOWN = 0.8
MISSING = 0.3
# Thresholds are told down to where so many false accepts were seen.
LEAST_ACCEPTS = 20
LEVELS = 60


@dataclass(frozen=True)
class Scale:
    """Where the scores of one text lie on the background."""

    low: float
    high: float
    mean: float
    spread: float

    @classmethod
    def of(cls, scores: np.ndarray) -> Self:
        """Of the cosines (N,) of a query and background crops."""
        low, high = np.quantile(scores, (LOW, HIGH))
        # A background of one crop, or of equal ones, has no spread.
        return cls(
            low=float(low),
            high=float(max(high, low + 1e-6)),
            mean=float(scores.mean()),
            spread=float(max(scores.std(), 1e-6)),
        )

    def share(self, score: float) -> float:
        """How much a phrase shows, from 0 to 1; above SHOWN it probably does."""
        return min(1.0, max(0.0, (score - self.low) / (self.high - self.low)))

    def score(self, share: float) -> float:
        """The cosine at which `share` is reached."""
        return self.low + share * (self.high - self.low)

    def normal(self, score: float) -> float:
        """Standard deviations above the mean of the background."""
        return (score - self.mean) / self.spread


def scales(queries: np.ndarray, background: np.ndarray) -> list[Scale]:
    """A scale for each query (Q, dim) on background vectors (N, dim); a cosine's own if N is 0."""
    if not len(background):
        return [Scale(low=-1.0, high=1.0, mean=0.0, spread=1.0) for _ in queries]
    return [Scale.of(scores) for scores in queries @ background.T]


def mean(vectors: np.ndarray) -> np.ndarray:
    """The unit vector of the sum of some (N, dim)."""
    total = vectors.sum(axis=0)
    return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)


@dataclass(frozen=True)
class Curve:
    """How often normalized scores of impostors lie above a threshold: falling rates, rising scores.

    rates: (L,) from 1/2 down to where LEAST_ACCEPTS impostors were seen. scores: (L,).
    """

    rates: tuple[float, ...]
    scores: tuple[float, ...]

    @classmethod
    def of(cls, impostors: np.ndarray) -> Self:
        """Of normalized scores of pairs that do not belong together.

        Raises: ValueError, they are fewer than say anything about a rate of 1 in 10.
        """
        if impostors.size < 10 * LEAST_ACCEPTS:
            raise ValueError(f"{impostors.size} impostor pairs are too few to calibrate with")
        rates = np.geomspace(0.5, LEAST_ACCEPTS / impostors.size, LEVELS)
        scores = np.quantile(impostors, 1 - rates)
        return cls(rates=tuple(rates.tolist()), scores=tuple(scores.tolist()))

    def threshold(self, rate: float) -> float:
        """The normalized score that a share of `rate` of the impostors exceeds.

        A rate below the last is answered with the last: what was never seen is not promised.
        """
        return float(np.interp(-np.log(rate), -np.log(self.rates), self.scores))

    def rate(self, score: float) -> float:
        """The false-accept rate at a normalized score, never below the last that was seen."""
        if score >= self.scores[-1]:
            return self.least
        falling = np.exp(np.interp(score, self.scores, np.log(self.rates)))
        return 1.0 if score < self.scores[0] - 1 else float(falling)

    @property
    def least(self) -> float:
        """The lowest rate that can be told."""
        return self.rates[-1]


def area(scores: np.ndarray, true: np.ndarray) -> float:
    """The area under the ROC curve: how often a true one scores above a false one; ties count half.

    scores, true: (N,) with both true and false ones.
    """
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.bincount(inverse, ranks) / counts)[inverse]
    positive = int(true.sum())
    return float(
        (ranks[true].sum() - positive * (positive + 1) / 2) / (positive * (len(true) - positive))
    )
