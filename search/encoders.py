"""Words and pixels to unit vectors. Each process loads a tower once and keeps it."""

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock

import numpy as np
from django.conf import settings

from search import text_cache
from search.errors import ImageOnlyVersion
from training import versions
from training.ml.runtime import ImageTower, TextTower
from training.models import Encoder, ModelVersion

# A process serves two or three towers; a worker that enrolls many versions must not keep all.
KEPT_TOWERS = 6
# A page of hits, its filters and its next pages ask with the same words: in several orders, and
# by phrases.
KEPT_TEXTS = 4096

_loading = Lock()
_knowing = Lock()
_texts: dict[tuple[int, str], np.ndarray] = {}


def image_tower(encoder: Encoder) -> ImageTower:
    """Raises: CorruptArtifact, the stored file is missing, changed, or fails its self-test."""
    with _loading:  # two first requests must not load one tower twice
        return _image_tower(encoder.pk)


def text_tower(encoder: Encoder) -> TextTower:
    """Raises: CorruptArtifact, as `image_tower`."""
    with _loading:
        return _text_tower(encoder.pk)


def encode_text(version: ModelVersion, text: str) -> np.ndarray:
    """The unit vector float32 (dim,) of a text.

    Raises:
        ImageOnlyVersion: the version has no text encoder.
        CorruptArtifact: as `image_tower`.
    """
    return encode_query(version, [text])[0]


def encode_query(version: ModelVersion, texts: Sequence[str]) -> np.ndarray:
    """Unit vectors float32 (N, dim), those that no process knows from before in one run.

    Raises: as `encode_text`.
    """
    if version.text_encoder is None:
        raise ImageOnlyVersion(version.name)
    pk = version.text_encoder.pk
    with _knowing:
        found = {text: _texts.pop((pk, text), None) for text in texts}
    missing = [text for text, vector in found.items() if vector is None]
    if missing:
        found |= text_cache.find(pk, missing)
    new = [text for text in missing if found[text] is None]
    if new:
        tower = text_tower(version.text_encoder)
        encoded = dict(zip(new, tower.encode(new), strict=True))
        text_cache.keep(pk, encoded)
        found |= encoded
    with _knowing:
        # Back at the end: the first are those that nobody has asked for the longest.
        _texts.update({(pk, text): vector for text, vector in found.items()})
        for key in list(_texts)[: max(0, len(_texts) - KEPT_TEXTS)]:
            del _texts[key]
    return np.stack([found[text] for text in texts])


def encode_texts(version: ModelVersion, texts: Sequence[str]) -> np.ndarray:
    """Unit vectors float32 (N, dim) of texts that nobody will ask for again soon.

    Raises: as `encode_text`.
    """
    if version.text_encoder is None:
        raise ImageOnlyVersion(version.name)
    return text_tower(version.text_encoder).encode(texts)


def encode_crops(version: ModelVersion, crops: Sequence[np.ndarray]) -> np.ndarray:
    """Unit vectors float32 (N, dim) of crops uint8 (h, w, 3) in RGB, each of its own size.

    Raises:
        ValueError: there are no crops.
        CorruptArtifact: as `image_tower`.
    """
    tower = image_tower(version.image_encoder)
    return tower.encode(np.stack([tower.prepare(crop) for crop in crops]))


@lru_cache(maxsize=KEPT_TOWERS)
def _image_tower(pk: int) -> ImageTower:
    encoder = Encoder.objects.select_related("space").get(pk=pk)
    return versions.image_tower(encoder, settings.PEDSITE_INFERENCE_THREADS)


@lru_cache(maxsize=KEPT_TOWERS)
def _text_tower(pk: int) -> TextTower:
    encoder = Encoder.objects.select_related("space").get(pk=pk)
    return versions.text_tower(encoder, settings.PEDSITE_INFERENCE_THREADS)
