"""Both towers and the learned temperature, as they are trained."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.ml.config import TrainConfig
from training.ml.fact_head import FactHead
from training.ml.image_encoder import GAP, GeM, ImageEncoder, build_backbone
from training.ml.text_encoder import CharacterTables, TextEncoder

# CLIP stops here too: a sharper softmax makes training unstable.
MAX_SCALE = 100.0


class DualEncoder(nn.Module):
    """An image and a text tower of one space."""

    def __init__(
        self,
        image: ImageEncoder,
        tables: CharacterTables,
        text: TextEncoder,
        *,
        scale: float,
    ) -> None:
        super().__init__()
        self.image = image
        self.tables = tables
        self.text = text
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))

    def encode_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, L, 4) bytes and (B, L) mask -> (B, dim), not normalized."""
        embedded: Tensor = self.text(self.tables(ids, mask), mask)
        return embedded

    @property
    def prototypes(self) -> Tensor | None:
        """(P, dim) the direction of each fact; None where no facts are known."""
        facts = self.image.facts
        return None if facts is None else facts.directions[:-1]

    @property
    def scale(self) -> Tensor:
        """1 / temperature."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)


def build(config: TrainConfig, fields: Sequence[int] = ()) -> DualEncoder:
    """The model that a config describes.

    Args:
        fields: how many values each field has of which the data knows the facts; none by default.
    """
    backbone, channels = build_backbone(
        config.backbone, config.pretrained, maps=config.detail_maps if config.detail else 1
    )
    image = ImageEncoder(
        backbone,
        channels=channels,
        pool=GeM(config.gem_p) if config.pooling == "gem" else GAP(),
        parts=config.parts,
        detail=config.detail,
        dim=config.dim,
        facts=_fact_head(config.dim, fields) if fields else None,
    )
    text = TextEncoder(
        byte_width=config.byte_width,
        width=config.text_width,
        layers=config.text_layers,
        heads=config.text_heads,
        stride=config.text_stride,
        dim=config.dim,
    )
    return DualEncoder(image, CharacterTables(config.byte_width), text, scale=config.scale)


def _fact_head(dim: int, fields: Sequence[int]) -> FactHead:
    # Orthogonal and fixed: a language of facts that both towers can learn apart.
    directions = nn.init.orthogonal_(torch.empty(sum(fields) + 1, dim))
    return FactHead(directions, fields)
