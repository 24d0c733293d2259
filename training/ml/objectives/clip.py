"""Symmetric InfoNCE with a learned temperature; with facts, where the data know them."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.ml.config import ConfigError, TrainConfig
from training.ml.data import PairData
from training.ml.fact_head import STATED
from training.ml.losses.attributes import (
    image_attribute_loss,
    stated_loss,
    text_attribute_loss,
)
from training.ml.losses.contrastive import info_nce, symmetric_info_nce
from training.ml.losses.rejection import rejection_loss
from training.ml.objectives.base import Objective, Outputs, Targets

# CLIP stops here too: a sharper softmax makes training unstable.
MAX_SCALE = 100.0
# 1 / temperature of the text's attribute term.
TEXT_FACT_SCALE = 12.0


class Clip(Objective):
    """Texts and pictures of one batch find each other; a tower alone learns against the facts.

    Args:
        scale: 1 / temperature at the start.
        contrastive_weight: of the InfoNCE term; attribute_weight: of each term about facts;
            rejection_weight: of what people refused.
        fields: which facts belong to each field; empty where the data know none.
        text_states: the text tower ends in a StatedHead, which tells how probable it is that the
            text states each fact.
    """

    def __init__(
        self,
        *,
        scale: float,
        contrastive_weight: float,
        attribute_weight: float,
        rejection_weight: float,
        fields: list[slice],
        text_states: bool,
    ) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.contrastive_weight = contrastive_weight
        self.attribute_weight = attribute_weight
        self.rejection_weight = rejection_weight
        self.fields = fields
        self.text_states = text_states

    @property
    def scale(self) -> Tensor:
        """1 / temperature."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)

    def watched(self) -> dict[str, float]:
        return {"scale": float(self.scale.detach())}

    def forward(self, outputs: Outputs, targets: Targets) -> dict[str, Tensor]:
        """Terms `contrastive`, `rejected` where people refused a pair of the batch, and
        `text_attributes`, `text_distance`, `image_attributes`."""
        if outputs.image_is_fixed:
            found = self._against_gallery(outputs, targets)
            return {"contrastive": self.contrastive_weight * found}
        losses: dict[str, Tensor] = {}
        stated, space = targets.stated, outputs.space
        said = None
        if stated is not None and space is not None and targets.attributes is not None:
            said = space.write_stated(stated.float())
        if outputs.image is not None:
            asked = said if outputs.text is None else outputs.text
            if asked is None:
                raise ValueError("pictures alone need data with known attributes")
            contrastive = symmetric_info_nce(
                asked, outputs.image, targets.positive, self.scale, targets.unknown
            )
            losses["contrastive"] = self.contrastive_weight * contrastive
        both = outputs.image is not None and outputs.text is not None
        if both and targets.rejected is not None and self.rejection_weight:
            losses["rejected"] = self.rejection_weight * self._rejected(outputs, targets)
        if said is not None and self.attribute_weight:
            facts = self._facts(outputs, targets, said)
            losses |= {name: self.attribute_weight * loss for name, loss in facts.items()}
        return losses

    def _rejected(self, outputs: Outputs, targets: Targets) -> Tensor:
        assert outputs.text is not None
        assert outputs.image is not None
        assert targets.rejected is not None
        # The temperature is learned from the contrast alone: here a lower one would always pay.
        return rejection_loss(
            outputs.text, outputs.image, targets.positive, targets.rejected, self.scale.detach()
        )

    def _facts(self, outputs: Outputs, targets: Targets, said: Tensor) -> dict[str, Tensor]:
        """What each tower reads, against what is known."""
        losses: dict[str, Tensor] = {}
        stated, space, attributes = targets.stated, outputs.space, targets.attributes
        assert stated is not None
        assert space is not None
        assert attributes is not None
        prototypes = space.prototypes
        if outputs.text is not None:
            losses["text_attributes"] = (
                stated_loss(outputs.text @ prototypes.T / STATED, stated)
                if self.text_states
                else text_attribute_loss(outputs.text, prototypes, stated, scale=TEXT_FACT_SCALE)
            )
            losses["text_distance"] = 1 - F.cosine_similarity(outputs.text, said, dim=1).mean()
        if outputs.facts is not None:
            losses["image_attributes"] = image_attribute_loss(
                outputs.facts, attributes, self.fields
            )
        return losses

    def _against_gallery(self, outputs: Outputs, targets: Targets) -> Tensor:
        assert outputs.text is not None
        assert outputs.image is not None
        text = F.normalize(outputs.text, dim=1)
        return info_nce(self.scale.detach() * text @ outputs.image.T, targets.positive)


def build(config: TrainConfig, data: PairData, dim: int) -> Clip:
    """Raises: ConfigError, a stage trains one tower against facts that the data do not know."""
    knows_facts = bool(data.fields) and config.knows_facts
    if (config.text_first or config.image_first) and not knows_facts:
        raise ConfigError(
            "text_first and image_first need data with known attributes, such as drawn people"
        )
    return Clip(
        scale=config.scale,
        contrastive_weight=config.contrastive_weight,
        attribute_weight=config.attribute_weight,
        rejection_weight=config.rejection_weight,
        fields=data.fields,
        text_states=knows_facts and config.text_tower == "characters",
    )
