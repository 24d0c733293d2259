"""Row 11: the verification report against the bare product of its vectors."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil

from tests.bench.rounds import Line, in_turn, spread
from training.ml.pairs import Pairs
from training.ml.verification import equal_error_rate
from training.ml.verification import measure as report

DIM, NOISE = 512, 2.5
# Rows and columns: 12.5 million pairs, and with BENCH_LARGE=1 ten to the ninth.
SIZES = {"12.5M": (5_000, 2_500)}
LARGE = {"10^9": (31_623, 31_623)}
MEGABYTE = 1e6


def measure(work: Path) -> Iterator[Line]:
    """Speed, memory, and the equal error rate against that of all scores sorted."""
    sizes = SIZES | (LARGE if os.environ.get("BENCH_LARGE") else {})
    for name, (rows, columns) in sizes.items():
        pairs = _pairs(rows, columns)
        rounds = in_turn(
            lambda pairs=pairs: _product(pairs),
            lambda pairs=pairs: report(pairs, resamples=0),
            rounds=5 if name in SIZES else 1,
        )
        value, ends = spread(bare / whole for bare, whole in rounds)
        taken = spread(whole for _bare, whole in rounds)[0]
        yield Line(
            row=11,
            what=f"verification of {name} pairs / the product alone",
            value=value,
            sense=">=",
            target=0.5,
            spread=ends,
            note=f"{taken:.2f} s, {DIM} dimensions, FRR at five FARs, without intervals",
        )
        yield Line(
            row=11,
            what=f"memory above the vectors at {name} pairs, MB",
            value=_grows_by(lambda pairs=pairs: report(pairs, resamples=0)) / MEGABYTE,
            sense="<=",
            target=300.0,
        )
        if name in SIZES:
            yield _against_sorting(pairs, name)


def _pairs(rows: int, columns: int) -> Pairs:
    """Vectors of people of whom each has four rows and some columns."""
    rng = np.random.default_rng(0)
    people = rows // 4
    centres = rng.standard_normal((people, DIM), dtype=np.float32)
    sides = []
    for count in (rows, columns):
        who = np.arange(count) % people
        vectors = centres[who]
        vectors += np.float32(NOISE) * rng.standard_normal((count, DIM), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        sides.append((vectors, who))
    (left, left_people), (right, right_people) = sides
    return Pairs(rows=left, columns=right, row_people=left_people, column_people=right_people)


def _product(pairs: Pairs) -> None:
    for first in range(0, len(pairs.rows), pairs.step):
        pairs.rows[first : first + pairs.step] @ pairs.columns.T


def _grows_by(work: Callable[[], object]) -> float:
    """Bytes by which this process grows at most while it works."""
    process, over = psutil.Process(), threading.Event()
    before = most = process.memory_info().rss

    def watch() -> None:
        nonlocal most
        while not over.is_set():
            most = max(most, process.memory_info().rss)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        over.set()
        watcher.join()
    return float(most - before)


def _against_sorting(pairs: Pairs, name: str) -> Line:
    scores = pairs.rows @ pairs.columns.T
    same = pairs.row_people[:, None] == pairs.column_people
    expected, _threshold = equal_error_rate(scores[same], scores[~same])
    found = report(pairs, resamples=0).eer_rate
    return Line(
        row=11,
        what="EER against that of all scores sorted",
        value=abs(found - expected),
        sense="<=",
        target=1e-4,
        note=f"{found:.6f} and {expected:.6f} at {name} pairs",
    )
