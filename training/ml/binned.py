"""The binned report of system 2's verification, so that numbers made with it can be compared.

Scores are put in whole-numbered bins whose place and width come from the first 80,000 scores of
its walk (`sequential` in training.ml.pairs); a threshold rejects its own bin and accepts it too,
and the equal error rate is the mean of four rates. `verification.measure` has neither oddity.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.ml.pairs import GENUINE, IMPOSTOR, SEQUENTIAL, Pairs

SETTLED_AFTER = 80_000
_SPREAD, _ORIGIN = 800, 200
FAR_LEVELS = (1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True, kw_only=True)
class BinnedReport:
    """EER and FRR at FAR 1e-3, 1e-4, 1e-5, 1e-6 and 0, in percent, each with a bin's score."""

    genuine: int
    impostor: int
    eer: float
    eer_score: float
    frr: tuple[float, ...]
    scores: tuple[float, ...]

    def lines(self) -> str:
        """A table of one row of rates and one of scores."""
        names = ["EER", *(f"FAR={level:.0e}" for level in FAR_LEVELS), "FAR=0"]
        rates = [self.eer, *self.frr]
        scores = [self.eer_score, *self.scores]
        rows = [
            ("", names),
            ("FRR(%)", [f"{rate:.3f}" for rate in rates]),
            ("SCORE", [f"{score:.4f}" for score in scores]),
        ]
        return "\n".join(
            f"{name:<8}" + "".join(f"{cell:>12}" for cell in cells) for name, cells in rows
        )


def measure(pairs: Pairs) -> BinnedReport:
    """The report of a sequential walk.

    Raises: ValueError, the protocol is another, or a kind of pair is missing.
    """
    if pairs.protocol != SEQUENTIAL:
        raise ValueError("the binned report walks the samples in order: protocol sequential")
    offset, scale = _settle(pairs)
    counts: dict[int, npt.NDArray[np.int64]] = {}
    low, high = int(np.floor((-1.001 - offset) * scale)), int(np.ceil((1.001 - offset) * scale))
    size = high - low + 1
    for kind in (GENUINE, IMPOSTOR):
        counts[kind] = np.zeros(size, dtype=np.int64)
    for block in pairs.blocks():
        bins = np.floor((block.scores - offset) * scale).astype(np.int64) - low
        for kind, counted in counts.items():
            counted += np.bincount(bins[block.kinds == kind], minlength=size)
    return _report(counts[GENUINE], counts[IMPOSTOR], low, offset, scale)


def _settle(pairs: Pairs) -> tuple[float, float]:
    """The score of bin 0 after the origin's shift, and bins for each unit of score.

    The walk gives sample k its genuine score, then its impostors.
    """
    genuine: list[float] = []
    impostor: list[npt.NDArray[np.float32]] = []
    seen = 0
    for block in pairs.blocks():
        for row, (scores, kinds) in enumerate(zip(block.scores, block.kinds, strict=True)):
            genuine.append(float(scores[block.first + row]))
            others = scores[kinds == IMPOSTOR][: SETTLED_AFTER - seen - 1]
            impostor.append(others)
            seen += 1 + len(others)
            if seen >= SETTLED_AFTER:
                break
        if seen >= SETTLED_AFTER:
            break
    rejected = np.concatenate(impostor) if impostor else np.zeros(0, np.float32)
    if not genuine or not len(rejected):
        raise ValueError("verification needs pairs that fit and pairs that do not")
    mean_genuine, mean_impostor = float(np.mean(genuine)), float(rejected.mean())
    scale = _SPREAD / (mean_genuine - mean_impostor + 1)
    return mean_impostor, scale


def _report(
    genuine: npt.NDArray[np.int64],
    impostor: npt.NDArray[np.int64],
    low: int,
    offset: float,
    scale: float,
) -> BinnedReport:
    frr = np.cumsum(genuine) / genuine.sum() * 100
    far = np.cumsum(impostor[::-1])[::-1] / impostor.sum() * 100
    crossing = int(np.argmax(frr > far))
    before = max(0, crossing - 1)
    eer = float(frr[crossing] + far[crossing] + frr[before] + far[before]) / 4
    places: list[int | None] = []
    for level in (*FAR_LEVELS, 0.0):
        later = np.flatnonzero(far[crossing:] <= level * 100)
        places.append(crossing + int(later[0]) if len(later) else None)
    rates: list[float] = []
    for place in reversed(places):  # a missing value is that of the next stricter column
        rates.append(float(frr[place]) if place is not None else rates[-1] if rates else 100.0)
    at = [place if place is not None else len(far) - 1 for place in places]
    return BinnedReport(
        genuine=int(genuine.sum()),
        impostor=int(impostor.sum()),
        eer=eer,
        eer_score=(crossing + low) / scale + offset,
        frr=tuple(reversed(rates)),
        scores=tuple((place + low) / scale + offset for place in at),
    )
