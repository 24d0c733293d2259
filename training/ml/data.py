"""What the engine trains on and validates with: batches of pictures, texts, and what fits what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One step's data.

    pixels: (I, H, W, 3) RGB.
    texts: T descriptions.
    positive: (T, I), text i describes the person in picture j.
    attributes: (I, F) value index of each field, -1 where unknown; None where nothing is known.
    stated: (T, P) which facts a text states; None where unknown.
    """

    pixels: Pixels
    texts: list[str]
    positive: Flags
    attributes: Rows | None = None
    stated: Flags | None = None


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Held-out pictures (N, H, W, 3) and texts, and which fit, (T, N): what selection looks at."""

    pixels: Pixels
    texts: list[str]
    positive: Flags


class PairData(Protocol):
    """Anything that can be trained on."""

    # Which facts belong to each field; empty where nothing is known.
    fields: list[slice]

    def __len__(self) -> int:
        """Pictures."""

    def batch(self, rows: Rows, texts: int, rng: np.random.Generator) -> Batch:
        """The pictures of these rows, with that many texts about the first of them."""

    def pictures(self, rows: Rows) -> Pixels:
        """(B, H, W, 3) of these rows."""

    def texts(self, rows: Rows, gallery: Rows, rng: np.random.Generator) -> tuple[list[str], Flags]:
        """A text about each row, and which rows of the gallery it describes, (T, G)."""


class CaptionedCrops:
    """Crops with written captions and the number of the person in each.

    Args:
        pixels: (N, H, W, 3), commonly a memory map.
        people: (N,) identity numbers; equal numbers are one person.
        captions: for each crop its captions, at least one.

    Raises: ValueError, lengths differ, or a crop has no caption.
    """

    fields: ClassVar[list[slice]] = []

    def __init__(self, pixels: Pixels, people: Rows, captions: Sequence[Sequence[str]]) -> None:
        if not len(pixels) == len(people) == len(captions):
            raise ValueError(f"{len(pixels)} crops, {len(people)} people, {len(captions)} captions")
        missing = [row for row, texts in enumerate(captions) if not texts]
        if missing:
            raise ValueError(f"crop {missing[0]} has no caption")
        self._pixels = pixels
        self._people = people
        self._captions = captions

    def __len__(self) -> int:
        return len(self._pixels)

    def batch(self, rows: Rows, texts: int, rng: np.random.Generator) -> Batch:
        chosen = [_any_of(self._captions[row], rng) for row in rows[:texts]]
        return Batch(
            pixels=self._pixels[rows], texts=chosen, positive=self._fits(rows[:texts], chosen, rows)
        )

    def pictures(self, rows: Rows) -> Pixels:
        return self._pixels[rows]

    def texts(self, rows: Rows, gallery: Rows, rng: np.random.Generator) -> tuple[list[str], Flags]:
        chosen = [_any_of(self._captions[row], rng) for row in rows]
        return chosen, self._fits(rows, chosen, gallery)

    def probe(self, rows: Rows, rng: np.random.Generator) -> Probe:
        """These rows with one caption each."""
        texts = [_any_of(self._captions[row], rng) for row in rows]
        return Probe(pixels=self._pixels[rows], texts=texts, positive=self._fits(rows, texts, rows))

    def _fits(self, asked: Rows, texts: list[str], rows: Rows) -> Flags:
        same: Flags = self._people[asked][:, None] == self._people[rows][None, :]
        # A caption that another picture also carries word for word describes that one too.
        for index, text in enumerate(texts):
            same[index] |= [text in self._captions[row] for row in rows]
        return same


def _any_of(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def rows_of_step(step: int, *, count: int, batch: int, seed: int) -> Rows:
    """The rows that a step trains on: every row once an epoch, in an order fixed by seed and epoch.

    A function of the step alone, so that a resumed run continues exactly. When fewer rows than
    a batch exist, the step has them all.
    """
    batch = min(batch, count)
    per_epoch = count // batch
    epoch, place = divmod(step, per_epoch)
    order = np.random.default_rng((seed, epoch)).permutation(count)
    return order[place * batch : (place + 1) * batch]
