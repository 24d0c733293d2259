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
# Pairs of each kind that a blend is fitted on, and the descent.
_FITTED = 50_000
_STEPS, _RATE = 400, 8.0
LEVELS = 60


@dataclass(frozen=True)
class Scale:
    """Where the scores of one text lie on the background."""

    low: float
    high: float
    mean: float
    spread: float

    @classmethod
    def of(cls, scores: np.ndarray) -> list[Self]:
        """For each query, of its cosines (Q, N) with background crops."""
        lows, highs = np.quantile(scores, (LOW, HIGH), axis=1)
        # A background of one crop, or of equal ones, has no spread.
        highs, spreads = np.maximum(highs, lows + 1e-6), np.maximum(scores.std(axis=1), 1e-6)
        columns = (lows, highs, scores.mean(axis=1), spreads)
        return [cls(*map(float, row)) for row in zip(*columns, strict=True)]

    def share(self, score: float) -> float:
        """How much a phrase shows, from 0 to 1; above SHOWN it probably does."""
        return min(1.0, max(0.0, (score - self.low) / (self.high - self.low)))

    def score(self, share: float) -> float:
        """The cosine at which `share` is reached."""
        return self.low + share * (self.high - self.low)


@dataclass(frozen=True)
class Blend:
    """How a score becomes a number that is comparable between queries.

    The cosine itself, its standard deviations above the background and its place between the
    background's percentiles each compare some queries better than the others do, and which does
    depends on how a model was trained; so their weights are fitted, none of them below 0: a higher
    cosine never counts less. Without the fit, standard deviations alone are taken.

    On drawn people, of boxes that have all that a text states, at 1 false accept in 100: 18 % are
    found by the deviations and 2 % by the cosine of a model whose cosines mean more for a longer
    text; 13 % and 88 % with one whose cosine is a logarithm of a probability (`fact_head`).
    """

    cosine: float = 0.0
    deviations: float = 1.0
    place: float = 0.0

    def line(self, scale: Scale) -> tuple[float, float]:
        """Slope and offset of the number as a function of the cosine, for one query."""
        width = scale.high - scale.low
        slope = self.cosine + self.deviations / scale.spread + self.place / width
        offset = -self.deviations * scale.mean / scale.spread - self.place * scale.low / width
        return slope, offset

    @classmethod
    def fit(cls, impostors: np.ndarray, genuine: np.ndarray) -> Self:
        """By logistic regression, both kinds counting alike, on `measurements` (P, 3), (G, 3).

        Returns: the standard deviations alone where no genuine pairs are known.
        """
        if not len(genuine):
            return cls()
        rng = np.random.default_rng(0)
        parts = [_some(rows, rng) for rows in (genuine, impostors)]
        rows = np.concatenate(parts)
        true = np.repeat([1.0, 0.0], [len(part) for part in parts])
        share = np.repeat([0.5 / len(part) for part in parts], [len(part) for part in parts])
        middle, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
        rows = (rows - middle) / spread
        weights, bias = np.zeros(3), 0.0
        for _ in range(_STEPS):
            error = (1 / (1 + np.exp(-(rows @ weights + bias))) - true) * share
            weights = np.maximum(0, weights - _RATE * (rows.T @ error))
            bias -= _RATE * float(error.sum())
        weights = weights / spread
        if not weights.any():  # nothing tells them apart
            return cls()
        return cls(*(float(weight) for weight in weights))


def measurements(queries: np.ndarray, boxes: np.ndarray, background: np.ndarray) -> np.ndarray:
    """(Q, N, 3): the cosine of each query and box, and the two places of it that `Blend` weighs."""
    read = scales(queries, background)
    cosines = (queries @ boxes.T).astype(np.float32)
    means, spreads, lows, highs = (
        np.array([getattr(scale, name) for scale in read], np.float32)[:, None]
        for name in ("mean", "spread", "low", "high")
    )
    return np.stack(
        [cosines, (cosines - means) / spreads, (cosines - lows) / (highs - lows)], axis=2
    )


def blended(blend: Blend, rows: np.ndarray) -> np.ndarray:
    """The numbers (P,) of `measurements` (P, 3)."""
    return rows @ np.array([blend.cosine, blend.deviations, blend.place], rows.dtype)


def _some(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    chosen = rows if len(rows) <= _FITTED else rows[rng.choice(len(rows), _FITTED, replace=False)]
    return chosen.astype(np.float64)


def scales(queries: np.ndarray, background: np.ndarray) -> list[Scale]:
    """A scale for each query (Q, dim) on background vectors (N, dim); a cosine's own if N is 0."""
    if not len(background):
        return [Scale(low=-1.0, high=1.0, mean=0.0, spread=1.0) for _ in queries]
    return Scale.of(queries @ background.T)


def mean(vectors: np.ndarray) -> np.ndarray:
    """The unit vector of the sum of some (N, dim)."""
    total = vectors.sum(axis=0)
    return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)


@dataclass(frozen=True)
class Curve:
    """How often blended scores of impostors lie above a threshold: falling rates, rising scores.

    rates: (L,) from 1/2 down to where LEAST_ACCEPTS impostors were seen. scores: (L,).
    """

    rates: tuple[float, ...]
    scores: tuple[float, ...]

    @classmethod
    def of(cls, impostors: np.ndarray) -> Self:
        """Of blended scores of pairs that do not belong together.

        Raises: ValueError, they are fewer than say anything about a rate of 1 in 10.
        """
        if impostors.size < 10 * LEAST_ACCEPTS:
            raise ValueError(f"{impostors.size} impostor pairs are too few to calibrate with")
        rates = np.geomspace(0.5, LEAST_ACCEPTS / impostors.size, LEVELS)
        scores = np.quantile(impostors, 1 - rates)
        return cls(rates=tuple(rates.tolist()), scores=tuple(scores.tolist()))

    def threshold(self, rate: float) -> float:
        """The blended score that a share of `rate` of the impostors exceeds.

        A rate below the last is answered with the last: what was never seen is not promised.
        """
        return float(np.interp(-np.log(rate), -np.log(self.rates), self.scores))

    def rate(self, score: float) -> float:
        """The false-accept rate at a blended score, never below the last that was seen."""
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
