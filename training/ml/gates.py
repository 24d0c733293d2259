"""Whether a converted version may stand for the one it was made from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.ml.ranking import recall_at
from training.ml.runtime import ImageTower, Pixels, TextTower, Vectors, encode_crops

# The smallest cosine between the vectors of one golden input before and after.
PARITY = {"fp32": 0.9999, "fp16": 0.999, "int8": 0.97}
# The smallest mean of such cosines over real crops and over captions.
MEAN_COSINE = 0.99
# How much R@1 may fall: half a point.
RECALL_LOSS = 0.005

Towers = tuple[ImageTower, TextTower | None]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """What accuracy is measured on.

    crops: (N, H, W, 3). texts: T. fits: (T, N) text t describes crop n. people: (N,) numbers,
    for versions of pictures alone: a crop should find the others of its person.
    """

    crops: Pixels
    texts: list[str]
    fits: npt.NDArray[np.bool_]
    people: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Cosines of before and after by tower, and R@1 of both; None where nothing can be found."""

    golden: dict[str, float]
    mean: dict[str, float]
    queries: int
    recall_before: float | None
    recall_after: float | None

    def to_dict(self) -> dict[str, Any]:
        """Name -> number, as a version's metrics hold it."""
        numbers: dict[str, Any] = {f"golden_cosine_{k}": v for k, v in self.golden.items()}
        numbers |= {f"mean_cosine_{k}": v for k, v in self.mean.items()}
        if self.recall_before is not None and self.recall_after is not None:
            recall = {"r1_before": self.recall_before, "r1": self.recall_after}
            numbers |= {"queries": self.queries, **recall}
        return numbers


def compare(
    before: Towers,
    after: Towers,
    *,
    golden_crops: Pixels,
    golden_texts: list[str],
    pairs: Pairs,
) -> Comparison:
    """Run both on the same inputs.

    Texts longer than a fixed graph reads are cut for both, so that conversion is measured here
    and not cutting.
    """
    texts_too = before[1] is not None and after[1] is not None
    golden = {"image": _worst(*(encode_crops(of[0], golden_crops) for of in (before, after)))}
    crops = encode_crops(before[0], pairs.crops), encode_crops(after[0], pairs.crops)
    mean = {"image": _mean(*crops)}
    if texts_too:
        length = after[1].length if after[1] else None
        golden_cut, cut = _cut(golden_texts, length), _cut(pairs.texts, length)
        golden["text"] = _worst(_texts(before, golden_cut), _texts(after, golden_cut))
        texts = _texts(before, cut), _texts(after, cut)
        mean["text"] = _mean(*texts)
        recalls = [_recall(t @ i.T, pairs.fits) for t, i in zip(texts, crops, strict=True)]
        asked = int(pairs.fits.any(axis=1).sum())
    else:
        same = pairs.people[:, None] == pairs.people
        np.fill_diagonal(same, False)
        recalls = [_recall(i @ i.T - 4 * np.eye(len(i)), same) for i in crops]
        asked = int(same.any(axis=1).sum())
    return Comparison(
        golden=golden, mean=mean, queries=asked, recall_before=recalls[0], recall_after=recalls[1]
    )


def failures(found: Comparison, precision: str) -> list[str]:
    """Each gate that a conversion does not pass, in words; empty when it may be used."""
    failed = [
        f"a golden input of the {tower} tower has cosine {worst:.4f} to its vector before, "
        f"below {PARITY[precision]}"
        for tower, worst in found.golden.items()
        # Written so that NaN fails.
        if not worst >= PARITY[precision]
    ]
    failed += [
        f"the {tower} tower's mean cosine is {mean:.4f}, below {MEAN_COSINE}"
        for tower, mean in found.mean.items()
        if not mean >= MEAN_COSINE
    ]
    before, after = found.recall_before, found.recall_after
    if before is not None and after is not None and before - after > RECALL_LOSS + 1e-9:
        failed.append(
            f"R@1 falls from {before:.3f} to {after:.3f} over {found.queries} queries, by more "
            f"than {RECALL_LOSS}"
        )
    return failed


def _texts(towers: Towers, texts: list[str]) -> Vectors:
    assert towers[1] is not None
    return towers[1].encode(texts)


def _cut(texts: list[str], length: int | None) -> list[str]:
    return [text[:length] for text in texts]


def _worst(before: Vectors, after: Vectors) -> float:
    return float((before * after).sum(axis=1).min())


def _mean(before: Vectors, after: Vectors) -> float:
    return float((before * after).sum(axis=1).mean())


def _recall(scores: npt.NDArray[np.floating[Any]], relevant: npt.NDArray[np.bool_]) -> float | None:
    return recall_at(scores, relevant, (1,))[1] if relevant.any() else None
