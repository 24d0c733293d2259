"""Cross-modal projection: matching and classification of people."""

import torch
from torch import Tensor, nn

from training.ml.config import ConfigError, TrainConfig
from training.ml.data import PairData
from training.ml.losses.projection import (
    cmpc_loss,
    cmpm_loss,
    identity_spread,
    pair_similarity,
)
from training.ml.objectives.base import Objective, Outputs, Targets


class Cmpm(Objective):
    """Terms `cmpm`, `cmpc`, and `spread`, how far apart embeddings of one person are.

    Args:
        cmpm, cmpc, spread: weights; a term of weight 0 is not computed.
        target: of CMPM, see `cmpm_loss`.
        dim: of an embedding. classes: people to tell apart.
    """

    def __init__(
        self, *, cmpm: float, cmpc: float, spread: float, target: str, dim: int, classes: int
    ) -> None:
        super().__init__()
        self.cmpm, self.cmpc, self.spread = cmpm, cmpc, spread
        self.target = target
        self.classes = nn.Parameter(nn.init.xavier_uniform_(torch.empty(dim, classes)))
        self._watched: dict[str, float] = {}

    def watched(self) -> dict[str, float]:
        """Mean cosine of pairs of one person and of two, and the share that CMPC names right."""
        return self._watched

    def forward(self, outputs: Outputs, targets: Targets) -> dict[str, Tensor]:
        if outputs.image is None or outputs.text is None or targets.text_identities is None:
            raise ValueError("cmpm needs pictures, texts, and who is in each")
        text, people = outputs.text, targets.text_identities
        image = outputs.image
        image = image[: len(text)] if targets.described is None else image[targets.described]
        losses: dict[str, Tensor] = {}
        positive, negative = pair_similarity(image.detach(), text.detach(), people)
        self._watched = {
            "pos_avg_sim": float(positive),
            "neg_avg_sim": float(negative),
        }
        if self.cmpm:
            losses["cmpm"] = self.cmpm * cmpm_loss(image, text, people, target=self.target)
        if self.cmpc:
            loss, named = cmpc_loss(image, text, people, self.classes)
            losses["cmpc"] = self.cmpc * loss
            self._watched["precision"] = float(named)
        if self.spread:
            apart = identity_spread(image, people) + identity_spread(text, people)
            losses["spread"] = self.spread * apart
        return losses


def build(config: TrainConfig, data: PairData, dim: int) -> Cmpm:
    """Raises: ConfigError, the data do not know who is who, or no term has a weight."""
    if not data.classes:
        raise ConfigError("cmpm needs data that know who is in each picture")
    if not (config.cmpm or config.cmpc):
        raise ConfigError("cmpm and cmpc are both 0: there is nothing to learn")
    return Cmpm(
        cmpm=config.cmpm,
        cmpc=config.cmpc,
        spread=config.spread,
        target=config.cmpm_target,
        dim=dim,
        classes=data.classes,
    )
