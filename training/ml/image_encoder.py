"""The image tower: a CNN from `transformers`, pooled over the whole and over horizontal stripes."""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel


class GeM(nn.Module):
    """Generalized mean over space, (mean x^p)^(1/p): 1 is the mean, infinity the maximum.

    Source: Radenovic et al., Fine-tuning CNN Image Retrieval with No Human Annotation, 2018.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(p))
        self.eps = eps

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C)."""
        return maps.clamp(min=self.eps).pow(self.p).mean(dim=(2, 3)).pow(1 / self.p)


class GAP(nn.Module):
    """The mean over space: (B, C, H, W) -> (B, C)."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.mean(dim=(2, 3))


class ImageEncoder(nn.Module):
    """Pictures to embeddings, not normalized.

    Args:
        backbone: a model whose output has `last_hidden_state` (B, C, H', W').
        channels: C.
        pool: (B, C, h, w) -> (B, C).
        parts: horizontal stripes pooled each for itself beside the whole; 0 for the whole alone.
        dim: of the embedding.
    """

    def __init__(
        self, backbone: nn.Module, *, channels: int, pool: nn.Module, parts: int, dim: int
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.pool = pool
        self.parts = parts
        self.project = nn.Linear(channels * (1 + parts), dim)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) of 0 to 255 -> (B, dim)."""
        maps = self.backbone(pixels / 127.5 - 1).last_hidden_state
        pooled = [self.pool(maps)]
        if self.parts:
            # Stripes of equal height, cut where the map allows: person crops are upright.
            height = int(maps.shape[2])
            edges = [round(index * height / self.parts) for index in range(self.parts + 1)]
            pooled += [
                self.pool(maps[:, :, top : max(bottom, top + 1)]) for top, bottom in pairwise(edges)
            ]
        embedded: Tensor = self.project(torch.cat(pooled, dim=1))
        return embedded


def build_backbone(settings: dict[str, Any], pretrained: str = "") -> tuple[nn.Module, int]:
    """A `transformers` CNN, new from a config or loaded from a folder or hub id, and its channels.

    Raises: ValueError, the model gives no feature map.
    """
    if pretrained:
        backbone = AutoModel.from_pretrained(pretrained)
    else:
        given = dict(settings)
        described = AutoConfig.for_model(given.pop("model_type"), **given)
        backbone = AutoModel.from_config(described)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        backbone.eval()
        output = backbone(torch.zeros(1, 3, 64, 64)).last_hidden_state
        backbone.train()
    if output.ndim != 4:
        raise ValueError(f"{type(backbone).__name__} gives {tuple(output.shape)}, not feature maps")
    return backbone, output.shape[1]


def augment(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Random flips, shifts, light, contrast, blur and erased boxes; (B, 3, H, W) of 0 to 255, kept.

    Hue stays: the colour of a garment is what a caption names.
    """

    def chance(share: float) -> Tensor:
        return torch.rand(batch, 1, 1, 1, generator=generator) < share

    def between(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand(batch, channels, 1, 1, generator=generator)

    batch, _, height, width = pixels.shape
    pixels = torch.where(chance(0.5), pixels.flip(3), pixels)
    # A random window of 88 to 108 % of the picture: what an imperfect detector cuts.
    theta = torch.zeros(batch, 2, 3)
    theta[:, 0, 0] = between(0.88, 1.08).view(-1)
    theta[:, 1, 1] = between(0.9, 1.06).view(-1)
    theta[:, 0, 2] = between(-0.08, 0.08).view(-1)
    theta[:, 1, 2] = between(-0.05, 0.05).view(-1)
    grid = F.affine_grid(theta, [batch, 3, height, width], align_corners=False)
    pixels = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    pixels = (pixels - mean) * between(0.8, 1.2) + mean * between(0.8, 1.2)
    pixels = pixels * between(0.95, 1.05, channels=3)
    soft = F.avg_pool2d(pixels, 3, stride=1, padding=1, count_include_pad=False)
    pixels = torch.where(chance(0.2), soft, pixels)
    rows = torch.arange(height).view(1, 1, -1, 1)
    columns = torch.arange(width).view(1, 1, 1, -1)
    top, left = between(0, 0.9) * height, between(0, 0.9) * width
    inside = (rows >= top) & (rows < top + between(0.06, 0.2) * height)
    inside = inside & (columns >= left) & (columns < left + between(0.15, 0.5) * width)
    grey = 255 * between(0, 1, channels=3)
    pixels = torch.where(inside & chance(0.25), grey, pixels)
    return pixels.clamp(0, 255)
