"""Which two things make a pair: by protocol, in blocks of scores that fit in memory."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

IGNORED, GENUINE, IMPOSTOR = 0, 1, 2
ALL_PAIRS, SEQUENTIAL, UNORDERED = "all_pairs", "sequential", "unordered"
PROTOCOLS = (ALL_PAIRS, SEQUENTIAL)
# Scores in one block: 4 MiB of float32 and some temporaries of the same length.
BLOCK = 1 << 20


@dataclass(frozen=True)
class Block:
    """Scores of some rows against all columns.

    first: the row that `scores[0]` is. scores: (b, M). kinds: (b, M) of IGNORED, GENUINE, IMPOSTOR.
    """

    first: int
    scores: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Two lists of unit vectors, pictures and descriptions or pictures twice.

    rows, columns: (N, D) and (M, D); a score is their product.
    row_people, column_people: (N,) and (M,), whole numbers from 0; equal means the same person.
    protocol: `all_pairs`, every row with every column. `sequential`, row k with column k as the
        one genuine pair and with every earlier column of another person as an impostor: the walk
        of the verification report that the protocol comes from; it ignores no equal words.
        `unordered`, each two of one list once, for pictures with pictures.
    same_words: row -> columns that say word for word what is true of the row. Of another person
        they are no impostors: such pairs are ignored, or low FARs would measure the labels.

    Raises: ValueError, lengths differ, or a protocol is unknown or does not fit the lists.
    """

    rows: Vectors
    columns: Vectors
    row_people: Numbers
    column_people: Numbers
    protocol: str = ALL_PAIRS
    same_words: Mapping[int, Numbers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.protocol not in (*PROTOCOLS, UNORDERED):
            raise ValueError(f"{self.protocol} is no protocol")
        if len(self.rows) != len(self.row_people) or len(self.columns) != len(self.column_people):
            raise ValueError("every row and every column needs a person")
        if self.protocol != ALL_PAIRS and len(self.rows) != len(self.columns):
            raise ValueError(f"{self.protocol} needs as many columns as rows")

    def blocks(self) -> Iterator[Block]:
        """All pairs, a block of rows at a time; the same blocks each time."""
        step = max(1, BLOCK // max(1, len(self.columns)))
        for first in range(0, len(self.rows), step):
            scores = self.rows[first : first + step] @ self.columns.T
            yield Block(first, scores, self._kinds(first, len(scores)))

    def _kinds(self, first: int, count: int) -> npt.NDArray[np.uint8]:
        rows = np.arange(first, first + count)[:, None]
        columns = np.arange(len(self.columns))[None, :]
        same = self.row_people[rows] == self.column_people[columns]
        kinds = np.where(same, np.uint8(GENUINE), np.uint8(IMPOSTOR))
        if self.protocol == SEQUENTIAL:
            kinds[(columns > rows) | (same & (columns != rows))] = IGNORED
        elif self.protocol == UNORDERED:
            kinds[columns <= rows] = IGNORED
        if self.protocol != SEQUENTIAL:
            for row in range(first, first + count) if self.same_words else ():
                if row in self.same_words:
                    alike = self.same_words[row]
                    others = self.column_people[alike] != self.row_people[row]
                    kinds[row - first, alike[others]] = IGNORED
        return kinds
