"""Row 9: the image tower in int8 against itself in fp32."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.bench import shipped
from tests.bench.rounds import Line, in_turn, spread
from training.ml.runtime import encode_crops

BATCH, BATCHES = 16, 6


def measure(work: Path) -> Iterator[Line]:
    """Pictures a second, first hits, and how alike the vectors are."""
    found = shipped.load(work)
    plain = shipped.image_tower(found)
    small = shipped.image_tower(found, shipped.image_int8(found, work))
    crops = np.asarray(found.drawn.pixels)
    timed = crops[: BATCH * BATCHES]
    rounds = in_turn(lambda: encode_crops(plain, timed), lambda: encode_crops(small, timed))
    value, ends = spread(before / after for before, after in rounds)
    speed = len(timed) / spread(after for _before, after in rounds)[0]
    yield Line(
        row=9,
        what="int8 image tower / fp32, pictures a second",
        value=value,
        sense=">=",
        target=2.0,
        spread=ends,
        note=f"{speed:.0f}/s in int8, 2 threads, batches of {BATCH}, {found.bundle.about['name']}",
    )
    texts = shipped.text_tower(found, threads=2).encode(found.texts)
    before, after = encode_crops(plain, crops), encode_crops(small, crops)
    hits = [shipped.first_hits(found, texts, each) for each in (before, after)]
    yield Line(
        row=9,
        what="R@1 lost in int8, points",
        value=(hits[0] - hits[1]) * 100,
        sense="<=",
        target=0.5,
        note=f"{hits[0]:.4f} to {hits[1]:.4f}, {len(found.texts)} texts about drawn people",
    )
    rest = slice(shipped.CALIBRATION, None)
    yield Line(
        row=9,
        what="mean cosine of vectors in int8 and fp32",
        value=float((before[rest] * after[rest]).sum(axis=1).mean()),
        sense=">=",
        target=0.99,
        note=f"{len(crops) - shipped.CALIBRATION} drawn crops, none of them calibrated on",
    )
