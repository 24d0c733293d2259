"""Pictures alone: those of one identity come together."""

import math

import torch
from torch import Tensor, nn

from training.ml.config import ConfigError, TrainConfig
from training.ml.data import PairData
from training.ml.losses.retrieval import (
    anchor_loss,
    batch_anchor_loss,
    class_loss,
    triplet_loss,
)
from training.ml.objectives.base import Objective, Outputs, Targets

LOSSES = ("batch", "tuples", "triplet", "classes")


class Gem(Objective):
    """One term, by `loss`:

    batch: each pair of an identity against all others of the batch. tuples: an anchor, its
    positive, and some negatives. triplet: the hardest of each. classes: softmax over identities.

    Args:
        scale: 1 / temperature. margin: of triplet.
        dim: of an embedding. classes: identities, for the softmax.
    """

    def __init__(self, *, loss: str, scale: float, margin: float, dim: int, classes: int) -> None:
        super().__init__()
        self.loss, self.scale, self.margin = loss, scale, margin
        self.classes = (
            nn.Parameter(torch.randn(classes, dim) / math.sqrt(dim)) if loss == "classes" else None
        )

    def forward(self, outputs: Outputs, targets: Targets) -> dict[str, Tensor]:
        if outputs.image is None or targets.identities is None:
            raise ValueError("gem needs pictures, and who or what is in each")
        image, identities = outputs.image, targets.identities
        if self.loss == "tuples":
            if targets.tuples is None:
                raise ValueError("gem_loss=tuples needs data that put anchors with others")
            rows = image[targets.tuples]  # (N, K, D)
            if not len(rows):
                return {self.loss: image.sum() * 0}
            found = anchor_loss(rows[:, 0], rows[:, 1], rows[:, 2:], scale=self.scale)
        elif self.loss == "triplet":
            found = triplet_loss(image, identities, margin=self.margin)
        elif self.classes is not None:
            found = class_loss(image, identities, self.classes, scale=self.scale)
        else:
            found = batch_anchor_loss(image, identities, scale=self.scale)
        return {self.loss: found}


def build(config: TrainConfig, data: PairData, dim: int) -> Gem:
    """Raises: ConfigError, the data do not know what is in each picture."""
    if data.classes < 2:
        raise ConfigError("gem needs pictures of at least two identities")
    return Gem(
        loss=config.gem_loss,
        scale=config.gem_scale,
        margin=config.triplet_margin,
        dim=dim,
        classes=data.classes,
    )
