"""The binned report of system 2's verification, so that numbers made with it can be compared.

Scores are put in whole-numbered bins whose place and width come from the first 80,000 scores of
its walk (`sequential` in training.ml.pairs); a threshold rejects its own bin and accepts it too,
and the equal error rate is the mean of four rates. `verification.measure` has none of these
oddities; `layout` prints the numbers of either as that system's tool does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.ml.pairs import OUT, SEQUENTIAL, Pairs

SETTLED_AFTER = 80_000
_SPREAD, _ORIGIN = 800, 200
FAR_LEVELS = (1e-3, 1e-4, 1e-5, 1e-6)
Counts = npt.NDArray[np.int64]
Named = Iterable[tuple[str, str, float]]


@dataclass(frozen=True, kw_only=True)
class BinnedReport:
    """EER and FRR at FAR 1e-3, 1e-4, 1e-5, 1e-6 and 0, in percent, each with a bin's score.

    lowest, highest: scores of the outermost bins that hold a pair.
    """

    genuine: int
    impostor: int
    eer: float
    eer_score: float
    frr: tuple[float, ...]
    scores: tuple[float, ...]
    lowest: float
    highest: float


def layout(
    rates: Sequence[float],
    scores: Sequence[float],
    count: int,
    lowest: float,
    highest: float,
    rejects: Named,
    accepts: Named,
) -> str:
    """What system 2 prints of a verification, character for character.

    Args:
        rates, scores: EER and FRR at the five FARs in percent, and the scores they are at.
        count: of genuine and impostor pairs.
        lowest, highest: scores; printed as whole numbers, which makes 0 of nearly all cosines.
        rejects, accepts: picture, text, score of the worst pairs, the worst first.
    """
    shares = "  ".join(f"{rate:7.4f}%" for rate in rates)
    first, *others = scores
    lines = [
        "        EER      FAR=1e-3  FAR=1e-4  FAR=1e-5  FAR=1e-6  FAR=0",
        "-" * 64,
        f"FRR    {shares}",
        f"SCORE   {first:<8g} " + "  ".join(f"{score:<8g}" for score in others),
        f"Verify Count={count}. Score in [ {int(lowest)} - {int(highest)} ]",
    ]
    for title, worst in (("False Rejected", list(rejects)), ("False Accepted", list(accepts))):
        if worst:
            lines.append(f"Top-{len(worst)} {title}:")
            lines += [f"\t {picture} {text} {score}" for picture, text, score in worst]
    return "\n".join(lines)


def measure(pairs: Pairs) -> BinnedReport:
    """The report of a sequential walk.

    Raises: ValueError, the protocol is another, or a kind of pair is missing.
    """
    if pairs.protocol != SEQUENTIAL:
        raise ValueError("the binned report walks the samples in order: protocol sequential")
    offset, scale = _settle(pairs)
    low, high = int(np.floor((-1.001 - offset) * scale)), int(np.ceil((1.001 - offset) * scale))
    genuine_bins, impostor_bins = np.zeros((2, high - low + 1), dtype=np.int64)
    for block in pairs.blocks():
        genuine, impostor = block.taken_apart()
        for scores, counts in ((genuine, genuine_bins), (impostor[impostor != OUT], impostor_bins)):
            bins = np.floor((scores - offset) * scale).astype(np.int64) - low
            counts += np.bincount(bins, minlength=len(counts))
    return _report(genuine_bins, impostor_bins, low, offset, scale)


def _settle(pairs: Pairs) -> tuple[float, float]:
    """The score of bin 0 after the origin's shift, and bins for each unit of score.

    The walk gives sample k its genuine score, then its impostors.
    """
    genuine: list[float] = []
    impostor: list[npt.NDArray[np.float32]] = []
    seen = 0
    for block in pairs.blocks():
        own, flat = block.taken_apart()
        for score, scores in zip(own, flat.reshape(block.scores.shape), strict=True):
            genuine.append(float(score))
            others = scores[scores != OUT][: max(0, SETTLED_AFTER - seen - 1)]
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
    genuine: Counts, impostor: Counts, low: int, offset: float, scale: float
) -> BinnedReport:
    held = np.flatnonzero(genuine + impostor)
    lowest, highest = int(held[0]), int(held[-1])
    # Only bins between the lowest and the highest score can be a threshold.
    frr = (np.cumsum(genuine) / genuine.sum() * 100)[lowest : highest + 1]
    far = (np.cumsum(impostor[::-1])[::-1] / impostor.sum() * 100)[lowest : highest + 1]
    over = np.flatnonzero(frr > far)
    # What is never reached stands at the best impostor, with 100 %.
    last = int(np.flatnonzero(impostor)[-1]) - lowest
    crossing = int(over[0]) if len(over) else last
    before = max(0, crossing - 1)
    eer = float(frr[crossing] + far[crossing] + frr[before] + far[before]) / 4
    places: list[int | None] = []
    for level in (*FAR_LEVELS, 0.0):
        later = np.flatnonzero(far[crossing + 1 :] <= level * 100)
        places.append(crossing + 1 + int(later[0]) if len(over) and len(later) else None)
    rates: list[float] = []
    for place in reversed(places):  # a missing value is that of the next stricter column
        rates.append(float(frr[place]) if place is not None else rates[-1] if rates else 100.0)
    at = [last if place is None else place for place in places]

    def score(place: int) -> float:
        return (place + lowest + low) / scale + offset

    return BinnedReport(
        genuine=int(genuine.sum()),
        impostor=int(impostor.sum()),
        eer=eer if len(over) else 100.0,
        eer_score=score(crossing),
        frr=tuple(reversed(rates)),
        scores=tuple(score(place) for place in at),
        lowest=score(0),
        highest=score(highest - lowest),
    )
