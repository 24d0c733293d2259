"""Which two things make a pair: by protocol, in blocks of scores that fit in memory."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
T = TypeVar("T")

ALL_PAIRS, SEQUENTIAL, UNORDERED = "all_pairs", "sequential", "unordered"
PROTOCOLS = (ALL_PAIRS, SEQUENTIAL)
# Scores in one block: 4 MiB of float32 and some temporaries of the same length.
BLOCK = 1 << 20
# Blocks that are made at once.
AHEAD = 2
# Stands for a pair that is no impostor among scores of impostors: below every cosine.
OUT = np.float32(-1.02)
# Longer vectors than this would reach it.
LONGEST = 1.005


@dataclass(frozen=True)
class Block:
    """Scores of some rows against a run of columns.

    first: the row that `scores[0]` is. left: the column that `scores[:, 0]` is. scores: (b, m).
    genuine, ignored, unasked: places in `scores.ravel()`; all other pairs are impostors. What is
        unasked is no pair of the protocol at all.
    """

    first: int
    left: int
    scores: npt.NDArray[np.float32]
    genuine: Numbers
    ignored: Numbers
    unasked: Numbers

    def taken_apart(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Scores of the genuine pairs (g,), and of all places (b * m,) with OUT for what is no
        impostor. The second takes the memory of `scores`: a block is taken apart once."""
        flat = self.scores.ravel()
        genuine = flat[self.genuine]
        for places in (self.genuine, self.ignored, self.unasked):
            flat[places] = OUT
        return genuine, flat

    def rows_and_columns(self, places: Numbers) -> tuple[Numbers, Numbers]:
        """Of places in `scores.ravel()`, counted in the lists that are compared."""
        rows, columns = np.divmod(places, self.scores.shape[1])
        return self.first + rows, self.left + columns


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Two lists of unit vectors, pictures and descriptions or pictures twice.

    rows, columns: (N, D) and (M, D), none longer than 1.005; a score is their product.
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

    @property
    def step(self) -> int:
        """Rows of one block."""
        return max(1, BLOCK // max(1, len(self.columns)))

    def blocks(self) -> Iterator[Block]:
        """All pairs, a block of rows at a time; the same blocks each time."""
        return self.each(lambda block: block)

    def each(self, look: Callable[[Block], T]) -> Iterator[T]:
        """What `look` makes of each block, in the order of the blocks; it runs in threads."""
        # Each block is made and looked at in one thread: the threads of one product would wait for
        # each other, and a thread that looks at the blocks of all would have them wait for it.
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(AHEAD) as pool:
            coming: deque[Future[T]] = deque()
            for first in range(0, len(self.rows), self.step):
                coming.append(pool.submit(lambda at: look(self.block(at, self.step)), first))
                if len(coming) > AHEAD:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()

    def block(self, first: int, count: int) -> Block:
        """The pairs of up to `count` rows from `first` on; columns that none has are left out."""
        last = min(first + count, len(self.rows))
        left = first if self.protocol == UNORDERED else 0
        right = last if self.protocol == SEQUENTIAL else len(self.columns)
        scores = self.rows[first:last] @ self.columns[left:right].T
        rows, columns = self._same_person(np.arange(first, last))
        width = right - left
        # Where in the block; those right of it or left of it are no pairs of the protocol.
        places = (rows - first) * width + (columns - left)
        if self.protocol == SEQUENTIAL:
            genuine, ignored = places[columns == rows], places[columns < rows]
        else:
            genuine = places[columns > rows] if self.protocol == UNORDERED else places
            ignored = self._alike(first, last, left, width)
        unasked = self._triangle(last - first, width)
        return Block(first, left, scores, genuine, ignored, unasked)

    @property
    def genuine_count(self) -> int:
        """How many pairs show one person."""
        if self.protocol == SEQUENTIAL:
            return len(self.rows)
        _order, begin, end = self._by_person
        same = int((end - begin).sum())
        return (same - len(self.rows)) // 2 if self.protocol == UNORDERED else same

    def genuine_of(self, some: Numbers) -> tuple[Numbers, Numbers]:
        """Rows and columns of the pairs of one person that these rows have."""
        if self.protocol == SEQUENTIAL:
            return some, some
        rows, columns = self._same_person(some)
        asked = columns > rows if self.protocol == UNORDERED else columns >= 0
        return rows[asked], columns[asked]

    @cached_property
    def _by_person(self) -> tuple[Numbers, Numbers, Numbers]:
        """Columns ordered by person, and for each row where its person's begin and end."""
        order = np.argsort(self.column_people, kind="stable")
        people = self.column_people[order]
        begin = np.searchsorted(people, self.row_people, side="left")
        return order, begin, np.searchsorted(people, self.row_people, side="right")

    def _same_person(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """Each row with each column of its person."""
        order, begin, end = self._by_person
        lengths = (end - begin)[rows]
        inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.repeat(rows, lengths), order[np.repeat(begin[rows], lengths) + inside]

    def _triangle(self, height: int, width: int) -> Numbers:
        """Places that the protocol does not ask for: later columns, or those had already."""
        if self.protocol == ALL_PAIRS:
            return np.zeros(0, np.int64)
        if self.protocol == UNORDERED:
            rows, columns = np.tril_indices(height)
        else:
            rows, columns = np.triu_indices(height, 1)
            columns = columns + (width - height)
        places: Numbers = rows * width + columns
        return places

    def _alike(self, first: int, last: int, left: int, width: int) -> Numbers:
        found = [np.zeros(0, np.int64)]
        for row in range(first, last) if self.same_words else ():
            if row in self.same_words:
                columns = self.same_words[row]
                others = self.column_people[columns] != self.row_people[row]
                # Of two pictures the later one's column is what counts.
                later = columns > row if self.protocol == UNORDERED else columns >= left
                found.append((row - first) * width + columns[others & later] - left)
        return np.concatenate(found)
