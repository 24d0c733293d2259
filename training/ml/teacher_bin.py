"""System 2's teacher embeddings: one `torch.save` of a dict of tensors for each picture.

`image_embedding` (1, D), `text_embedding_attr` (1, D), `text_embedding_captions` (n, D) and
`text_embedding_prompt_caption` (1, D), in `<folder>/<path of the picture>.bin`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.ml.runtime import Vectors, unit

SUFFIX = ".bin"
IMAGE = "image_embedding"
# By the kind of caption.
TEXTS = {
    "attributes": "text_embedding_attr",
    "caption": "text_embedding_captions",
    "prompt": "text_embedding_prompt_caption",
}


class BadBin(ValueError):
    """A file is not such a dict of tensors."""


@dataclass(frozen=True)
class Embeddings:
    """Of one picture: its own vector (D,), and those of its texts by kind, each (n, D)."""

    image: Vectors
    texts: dict[str, Vectors]


def read(path: Path) -> Embeddings:
    """The embeddings of one file, every row of length 1.

    Only tensors and plain containers are read: a pickle that asks for more is refused.

    Raises: BadBin.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as exc:  # on hostile bytes the reader may raise anything
        raise BadBin(f"{path.name} does not read: {type(exc).__name__}") from exc
    if not isinstance(stored, dict) or IMAGE not in stored:
        raise BadBin(f"{path.name} holds no {IMAGE}")
    try:
        image = _rows(stored[IMAGE])
        texts = {kind: _rows(stored[key]) for kind, key in TEXTS.items() if key in stored}
    except (ValueError, TypeError, AttributeError) as exc:
        raise BadBin(f"{path.name}: {exc}") from exc
    if len(image) != 1 or any(rows.shape[1] != image.shape[1] for rows in texts.values()):
        raise BadBin(f"{path.name} holds vectors that do not fit together")
    return Embeddings(image[0], texts)


def _rows(tensor: torch.Tensor) -> Vectors:
    rows = tensor.float().numpy()
    if rows.ndim != 2:
        raise ValueError(f"a tensor is {rows.shape}, not (n, D)")
    return unit(rows) if len(rows) else rows.astype(np.float32)


def write(path: Path, found: Embeddings) -> None:
    """Raises: OSError, it cannot be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stored = {IMAGE: torch.from_numpy(np.array(found.image)[None])}
    stored |= {TEXTS[kind]: torch.from_numpy(np.array(rows)) for kind, rows in found.texts.items()}
    torch.save(stored, path)
