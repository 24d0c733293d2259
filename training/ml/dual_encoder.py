"""Both towers, the learned temperature and the attribute prototypes, as they are trained."""

import math

import torch
from torch import Tensor, nn

from training.ml.config import TrainConfig
from training.ml.image_encoder import GAP, GeM, ImageEncoder, build_backbone
from training.ml.text_encoder import CharacterTables, TextEncoder

# CLIP stops here too: a sharper softmax makes training unstable.
MAX_SCALE = 100.0


class DualEncoder(nn.Module):
    """An image and a text tower of one space.

    Args:
        facts: how many facts the data knows, each a fixed direction of the space; 0 for none.
    """

    prototypes: Tensor | None

    def __init__(
        self,
        image: ImageEncoder,
        tables: CharacterTables,
        text: TextEncoder,
        *,
        dim: int,
        scale: float,
        facts: int,
    ) -> None:
        super().__init__()
        self.image = image
        self.tables = tables
        self.text = text
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        # Orthogonal and fixed: a language of facts that both towers can learn apart.
        fixed = nn.init.orthogonal_(torch.empty(facts, dim)) if facts else None
        self.register_buffer("prototypes", fixed)

    def encode_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, L, 4) bytes and (B, L) mask -> (B, dim), not normalized."""
        embedded: Tensor = self.text(self.tables(ids, mask), mask)
        return embedded

    @property
    def scale(self) -> Tensor:
        """1 / temperature."""
        return self.log_scale.exp().clamp(max=MAX_SCALE)


def build(config: TrainConfig, facts: int = 0) -> DualEncoder:
    """The model that a config describes; `facts` prototypes where the data knows attributes."""
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
    )
    text = TextEncoder(
        byte_width=config.byte_width,
        width=config.text_width,
        layers=config.text_layers,
        heads=config.text_heads,
        stride=config.text_stride,
        dim=config.dim,
    )
    tables = CharacterTables(config.byte_width)
    return DualEncoder(image, tables, text, dim=config.dim, scale=config.scale, facts=facts)
