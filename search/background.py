"""Vectors of crops of nobody in particular, against which a score is read."""

import time
from functools import lru_cache
from threading import Lock

import numpy as np

from search.models import Background, Embedding
from training.models import Encoder

# More of them change no percentile that is used by a hundredth.
SIZE = 1000
# Seconds after which a process looks again: for what was stored, at a sample, at a small one.
LOOKED_S, SAMPLED_S, SMALL_S = 30.0, 600.0, 5.0
_RUN = 25
_NOTHING = np.zeros((0, 0), np.float32)

_known: dict[int, tuple[float, np.ndarray]] = {}
_knowing = Lock()


def of(encoder: Encoder) -> np.ndarray:
    """Float32 (N, dim): what was stored when a version was calibrated, else boxes of the gallery.

    Empty where nothing is enrolled. A process looks for news twice a minute.
    """
    with _knowing:
        until, vectors = _known.get(encoder.pk, (0.0, _NOTHING))
    if time.monotonic() < until:
        return vectors
    stored = Background.objects.filter(encoder_id=encoder.pk).values_list("pk", flat=True).first()
    if stored is not None:
        vectors, kept = _stored(stored), LOOKED_S
    else:
        vectors = np.array(_some(encoder), dtype=np.float32).reshape(-1, encoder.dim)
        # A gallery too small for percentiles may grow by the minute.
        kept = SAMPLED_S if len(vectors) >= SIZE else SMALL_S
    with _knowing:
        _known[encoder.pk] = (time.monotonic() + kept, vectors)
    return vectors


def store(encoder: Encoder, vectors: np.ndarray, source: str) -> Background:
    """Keep vectors (N, dim), in place of what was kept before."""
    with _knowing:
        _known.pop(encoder.pk, None)
    Background.objects.filter(encoder=encoder).delete()
    return Background.objects.create(
        encoder=encoder,
        vectors=vectors.astype("<f2").tobytes(),
        count=len(vectors),
        source=source,
    )


@lru_cache(maxsize=8)
def _stored(pk: int) -> np.ndarray:
    row = Background.objects.get(pk=pk)
    vectors = np.frombuffer(row.vectors, dtype="<f2").astype(np.float32)
    vectors = vectors.reshape(row.count, -1)
    vectors.flags.writeable = False  # every caller gets these
    return vectors


def _some(encoder: Encoder) -> list[list[float]]:
    """Runs of rows from random places: boxes of one picture come together in the table."""
    rows = Embedding.objects.filter(encoder_id=encoder.pk).order_by("pk")
    few = list(rows.values_list("vector", flat=True)[: SIZE + 1])
    if len(few) <= SIZE:
        return few
    first = rows.values_list("pk", flat=True).first()
    last = rows.values_list("pk", flat=True).last()
    starts = np.random.default_rng(encoder.pk).integers(first, last + 1, SIZE // _RUN)
    found = {}
    for start in sorted(int(start) for start in starts):
        found |= dict(rows.filter(pk__gte=start).values_list("pk", "vector")[:_RUN])
    return list(found.values())
