"""Pictures without words, and what or who is in each."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from training.ml.data import Batch, Flags, Pixels, Probe, Rows


class LabelledCrops:
    """Crops and the number of the identity in each.

    Args:
        pixels: (N, H, W, 3), commonly a memory map. people: (N,) identity numbers.
        negatives: of each tuple in a batch: an anchor, another picture of its identity, and so
            many of others, all from the batch.

    Raises: ValueError, lengths differ.
    """

    fields: ClassVar[list[slice]] = []
    teacher_dim: ClassVar[int] = 0

    def __init__(self, pixels: Pixels, people: Rows, *, negatives: int = 4) -> None:
        if len(pixels) != len(people):
            raise ValueError(f"{len(pixels)} crops, {len(people)} people")
        self._pixels = pixels
        self._negatives = negatives
        self._identities = np.unique(people, return_inverse=True)[1].astype(np.int64)
        self.classes = int(self._identities.max(initial=-1)) + 1

    @property
    def identities(self) -> Rows:
        return self._identities

    def __len__(self) -> int:
        return len(self._pixels)

    def batch(self, rows: Rows, texts: int, rng: np.random.Generator) -> Batch:
        identities = self._identities[rows]
        return Batch(
            pixels=self._pixels[rows],
            texts=[],
            positive=np.zeros((0, len(rows)), bool),
            identities=identities,
            tuples=tuples(identities, self._negatives, rng),
        )

    def pictures(self, rows: Rows) -> Pixels:
        return self._pixels[rows]

    def texts(self, rows: Rows, gallery: Rows, rng: np.random.Generator) -> tuple[list[str], Flags]:
        """Raises: ValueError, always: there are no words."""
        raise ValueError("these pictures have no words")

    def probe(self, rows: Rows) -> Probe:
        """These rows asking for each other."""
        people = self._identities[rows]
        return Probe(
            pixels=self._pixels[rows], texts=[], positive=people[:, None] == people[None, :]
        )


def tuples(identities: Rows | Sequence[int], negatives: int, rng: np.random.Generator) -> Rows:
    """(N, 2 + negatives) places: each that has a fellow, one of them, and others, with repeats
    where there are too few.

    A batch without a pair, or of one identity alone, gives none.
    """
    people = np.asarray(identities)
    found = []
    for place, person in enumerate(people):
        fellows = np.flatnonzero(people == person)
        fellows = fellows[fellows != place]
        others = np.flatnonzero(people != person)
        if len(fellows) and len(others):
            strangers = rng.choice(others, negatives, replace=len(others) < negatives)
            found.append([place, int(rng.choice(fellows)), *strangers])
    return np.array(found, dtype=np.int64).reshape(-1, 2 + negatives)
