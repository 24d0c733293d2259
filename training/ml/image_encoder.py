"""The image tower: a CNN from `transformers`, pooled over the whole and over horizontal stripes."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoConfig, AutoModel

from training.ml.fact_head import FactHead

# Of ImageNet's channels, scaled to 0-1: what most published backbones were trained to read.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


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


class CodedGeM(nn.Module):
    """Not quite a mean: ((sum x^p) / (|x| + 1e-7) + 0.1)^(1/p), |x| the L2 norm over space.

    Source: the image retrieval system that the recipe `gem` comes from, which has it so in its
    code; to repeat its numbers. `GeM` is what was published.
    """

    def __init__(self, p: float = 3.0) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.tensor(p))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C)."""
        # Below 0 has no root, and at 0 the power has no slope.
        x = maps.clamp(min=1e-6).flatten(2)
        length = torch.linalg.vector_norm(x, dim=2)
        raised: Tensor = x.pow(self.p).sum(dim=2) / (length + 1e-7)
        return (raised + 0.1).pow(1 / self.p)


class GAP(nn.Module):
    """The mean over space: (B, C, H, W) -> (B, C)."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.mean(dim=(2, 3))


def pool_of(name: str, p: float) -> nn.Module:
    """The pooling of a config's `pooling`; p is that of GeM."""
    pools: dict[str, Callable[[], nn.Module]] = {
        "gem": lambda: GeM(p),
        "gem_coded": lambda: CodedGeM(p),
        "gap": GAP,
    }
    return pools[name]()


class ImageEncoder(nn.Module):
    """Pictures to embeddings, not normalized.

    Args:
        backbone: a `transformers` model of feature maps, (B, C, H', W').
        channels: C of the maps that are read, deepest last; the last map is pooled by `pool`.
        pool: (B, C, h, w) -> (B, C).
        parts: horizontal stripes pooled each for itself beside the whole; 0 for the whole alone.
        detail: width of a second head that reads the mean and the maximum of the stripes of every
            map in `channels`: shallow maps still show what is a few pixels wide. 0 for none.
        dim: of the embedding.
        facts: reads the embedding as facts and writes it anew; None where no facts are known.
        imagenet: the backbone reads channels by ImageNet's mean and deviation, not as -1 to 1.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        *,
        channels: list[int],
        pool: nn.Module,
        parts: int,
        detail: int,
        dim: int,
        facts: FactHead | None = None,
        imagenet: bool = False,
    ) -> None:
        super().__init__()
        self.imagenet = imagenet
        for name, channel in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(channel).view(1, 3, 1, 1), persistent=False)
        self.backbone = backbone
        self.pool = pool
        self.parts = parts
        self.maps = len(channels)
        self.project = nn.Linear(channels[-1] * (1 + parts), dim)
        self.detail = _detail_head(2 * sum(channels) * (1 + parts), detail, dim) if detail else None
        self.facts = facts

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) of 0 to 255 -> (B, dim)."""
        return self.read(pixels)[0]

    def read(self, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
        """(B, 3, H, W) of 0 to 255 -> (B, dim), and (B, P) log probabilities of facts if known."""
        embedded = self._embed(pixels)
        if self.facts is None:
            return embedded, None
        known = self.facts.log_probabilities(embedded.float())
        return self.facts(known), known

    def _embed(self, pixels: Tensor) -> Tensor:
        scaled = (pixels / 255 - self.mean) / self.std if self.imagenet else pixels / 127.5 - 1
        maps = feature_maps(self.backbone, scaled, self.maps)
        regions = [self._regions(one) for one in maps]
        embedded: Tensor = self.project(torch.cat([self.pool(part) for part in regions[-1]], dim=1))
        if self.detail is not None:
            read = [
                summary
                for parts in regions
                for part in parts
                for summary in (part.mean(dim=(2, 3)), part.amax(dim=(2, 3)))
            ]
            embedded = embedded + self.detail(torch.cat(read, dim=1))
        return embedded

    def _regions(self, maps: Tensor) -> list[Tensor]:
        """The whole map and its stripes of equal height: person crops are upright."""
        if not self.parts:
            return [maps]
        height = int(maps.shape[2])
        edges = [round(index * height / self.parts) for index in range(self.parts + 1)]
        # A map of fewer rows than stripes: some stripes share a row.
        rows = [(min(top, height - 1), bottom) for top, bottom in pairwise(edges)]
        return [maps, *(maps[:, :, top : max(bottom, top + 1)] for top, bottom in rows)]


def feature_maps(backbone: nn.Module, pixels: Tensor, count: int) -> list[Tensor]:
    """The backbone's last `count` feature maps, (B, C, H', W') each, deepest last."""
    output = backbone(pixels, output_hidden_states=count > 1)
    # The last hidden state is not everywhere the last of the hidden states: MobileNet's has one
    # convolution more.
    before = list(output.hidden_states[-count:-1]) if count > 1 else []
    return [*before, output.last_hidden_state]


def _detail_head(inputs: int, width: int, dim: int) -> nn.Sequential:
    last = nn.Linear(width, dim)
    # From nothing: at the start the first head alone decides.
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(
        nn.BatchNorm1d(inputs),
        nn.Linear(inputs, width),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        last,
    )


def build_backbone(
    settings: dict[str, Any], pretrained: str = "", maps: int = 1
) -> tuple[nn.Module, list[int]]:
    """A `transformers` CNN, new from a config or loaded from a folder or hub id.

    Returns: the model, and the channels of its last `maps` feature maps, deepest last; fewer
        where it has fewer.
    Raises: ValueError, the model gives no such feature maps.
    """
    if pretrained:
        backbone = AutoModel.from_pretrained(pretrained)
    else:
        given = dict(settings)
        described = AutoConfig.for_model(given.pop("model_type"), **given)
        backbone = AutoModel.from_config(described)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        backbone.eval()
        found = feature_maps(backbone, torch.zeros(1, 3, 64, 64), maps)
        backbone.train()
    name = type(backbone).__name__
    for one in found:
        if one.ndim != 4:
            raise ValueError(f"{name} gives {tuple(one.shape)}, not feature maps")
    return backbone, [int(one.shape[1]) for one in found]


def augment(pixels: Tensor, generator: torch.Generator, total: int = 0, first: int = 0) -> Tensor:
    """Random flips, shifts, light, contrast, blur and erased boxes; (B, 3, H, W) of 0 to 255, kept.

    Hue stays: the colour of a garment is what a caption names.

    Args:
        total, first: these are pictures `first` and on of so many, and get what they would get
            among all; 0 for all.
    """

    def drawn(channels: int = 1) -> Tensor:
        return torch.rand(total or batch, channels, 1, 1, generator=generator)[first:][:batch]

    def chance(share: float) -> Tensor:
        return drawn() < share

    def between(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * drawn(channels)

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
    contrast, light, tint = between(0.8, 1.2), between(0.8, 1.2), between(0.95, 1.05, channels=3)
    pixels = torch.addcmul(mean * (light - contrast) * tint, pixels, contrast * tint)
    # Of the chosen ones alone: a step waits for nothing dearer than these two.
    soft = chance(0.2).view(-1)
    pixels[soft] = F.avg_pool2d(pixels[soft], 3, stride=1, padding=1, count_include_pad=False)
    rows = torch.arange(height).view(1, 1, -1, 1)
    columns = torch.arange(width).view(1, 1, 1, -1)
    top, left = between(0, 0.9) * height, between(0, 0.9) * width
    bottom, right = top + between(0.06, 0.2) * height, left + between(0.15, 0.5) * width
    grey = 255 * between(0, 1, channels=3)
    hit = chance(0.25).view(-1)
    inside = (rows >= top[hit]) & (rows < bottom[hit])
    inside = inside & (columns >= left[hit]) & (columns < right[hit])
    pixels[hit] = torch.where(inside, grey[hit], pixels[hit])
    return pixels.clamp_(0, 255)
