"""Vectors of texts that any web process has encoded lately, kept in the cache for all of them."""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from django.core.cache import cache

# Two kilobytes each: those of an hour of busy searching fit the cache many times.
KEPT_S = 3600


def find(encoder_pk: int, texts: Sequence[str]) -> dict[str, np.ndarray]:
    """The vectors float32 (dim,) that are kept, by text."""
    keys = {_key(encoder_pk, text): text for text in texts}
    found = cache.get_many(keys)
    return {keys[key]: np.frombuffer(data, np.float32) for key, data in found.items()}


def keep(encoder_pk: int, vectors: Mapping[str, np.ndarray]) -> None:
    """Keep vectors (dim,) by text, for an hour."""
    rows = {
        _key(encoder_pk, text): np.asarray(vector, np.float32).tobytes()
        for text, vector in vectors.items()
    }
    cache.set_many(rows, KEPT_S)


def _key(encoder_pk: int, text: str) -> str:
    # What was asked is nobody's to read in the cache.
    return f"text:{encoder_pk}:{hashlib.sha256(text.encode()).hexdigest()[:40]}"
