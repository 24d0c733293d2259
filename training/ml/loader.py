"""Batches made ready beside the training: pictures augmented, texts as tokens."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from training.ml.config import TrainConfig
from training.ml.data import Batch, PairData, Rows, balanced_rows_of_step, rows_of_step
from training.ml.image_encoder import augment
from training.ml.processes import share
from training.ml.stages import Stage
from training.ml.text_tower import Texts, TextTower, grouped

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """How this process reads a batch.

    tower: makes the texts' tokens; None where there is no text tower.
    index, count: of the processes that share each batch.
    memory_format: of the pictures.
    """

    tower: TextTower | None
    index: int = 0
    count: int = 1
    memory_format: torch.memory_format = torch.channels_last


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What one step trains on; None for the tower that its stage does not run.

    batch: the whole step's, the same in every process.
    pictures: (I, 3, H, W) floats of 0 to 255, and texts: this process's share of them.
    """

    step: int
    batch: Batch
    pictures: Tensor | None
    texts: Texts | None


def batches(
    config: TrainConfig, data: PairData, stage: Stage, reader: Reader, start: int
) -> Iterator[Loaded]:
    """The stage's steps from `start` on; each depends on its number alone, so that runs resume."""

    def make(step: int) -> Loaded:
        rows = _rows(config, data, step)
        rng = np.random.default_rng((config.seed, 1, step))
        # Facts cost nothing where no text is encoded.
        texts = len(rows) if stage.towers == "image" else min(config.texts or len(rows), len(rows))
        batch = data.batch(rows, texts, rng)
        return Loaded(
            step=step,
            batch=batch,
            pictures=None if stage.towers == "text" else _pictures(config, batch, reader, step),
            texts=None if stage.towers == "image" else _tokens(reader, batch),
        )

    return _ahead(make(step) for step in range(start, stage.end))


def gallery_batches(
    config: TrainConfig,
    data: PairData,
    stage: Stage,
    reader: Reader,
    gallery: Rows,
    rng: np.random.Generator,
    start: int,
) -> Iterator[Loaded]:
    """The steps from `start` on of texts against the fixed pictures of these rows.

    Args:
        rng: as it was left when the gallery was drawn; steps before `start` draw from it too.
    """
    nothing = np.empty((0, 0, 0, 3), np.uint8)

    def make() -> Iterator[Loaded]:
        for step in range(stage.start, stage.end):
            asked = rng.choice(gallery, size=min(config.batch, len(gallery)), replace=False)
            texts, positive = data.texts(asked, gallery, rng)
            if step >= start:
                batch = Batch(pixels=nothing, texts=texts, positive=positive)
                yield Loaded(step=step, batch=batch, pictures=None, texts=_tokens(reader, batch))

    return _ahead(make())


def to_pictures(pixels: np.ndarray[Any, Any]) -> Tensor:
    """(B, H, W, 3) bytes -> (B, 3, H, W) floats of 0 to 255, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()


def epoch_steps(config: TrainConfig, data: PairData) -> int:
    """Steps in which every row, or with balanced sampling every identity, comes once."""
    if config.sampling == "balanced" and data.identities is not None:
        people = len(np.unique(data.identities))
        return max(1, people // min(config.batch // config.each, people))
    return max(1, len(data) // min(config.batch, len(data)))


def _rows(config: TrainConfig, data: PairData, step: int) -> Rows:
    if config.sampling == "shuffled":
        return rows_of_step(step, count=len(data), batch=config.batch, seed=config.seed)
    if data.identities is None:
        raise ValueError("sampling=balanced needs data that know who is in each picture")
    return balanced_rows_of_step(
        step, identities=data.identities, batch=config.batch, each=config.each, seed=config.seed
    )


def _pictures(config: TrainConfig, batch: Batch, reader: Reader, step: int) -> Tensor | None:
    rows = share(len(batch.pixels), reader.index, reader.count)
    if not len(batch.pixels):
        return None
    pictures = to_pictures(batch.pixels[rows])
    if config.augment:
        generator = torch.Generator().manual_seed(config.seed * 1_000_003 + step)
        pictures = augment(pictures, generator, total=len(batch.pixels), first=rows.start)
    return pictures.contiguous(memory_format=reader.memory_format)


def _tokens(reader: Reader, batch: Batch) -> Texts | None:
    texts = batch.texts[share(len(batch.texts), reader.index, reader.count)]
    return grouped(reader.tower, texts) if reader.tower is not None and texts else None


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The items; a thread makes the next one while this one is trained on."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
