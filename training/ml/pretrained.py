"""Towers of a `transformers` image-text model, to be trained further."""

import copy
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.ml import foreign
from training.ml.config import ConfigError, TrainConfig
from training.ml.foreign_tokens import write_tokenizer
from training.ml.token_tower import TokenTower


class PretrainedImage(nn.Module):
    """The image half of a model.

    Args:
        model: that gives `get_image_features`.
        mean, std: of channels scaled to 0-1, as the model was trained with.
    """

    mean: Tensor
    std: Tensor
    # It reads no facts; see ImageEncoder.
    facts = None

    def __init__(self, model: nn.Module, *, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.model = _half(model, without="text")
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) of 0 to 255 -> (B, dim)."""
        read = (pixels / 255 - self.mean) / self.std
        return foreign.picture_features(self.model, {"pixel_values": read})

    def read(self, pixels: Tensor) -> tuple[Tensor, None]:
        """As `forward`, and no facts."""
        return self(pixels), None


class _TextHalf(nn.Module):
    """(B, L) ids, and (B, L) mask where the model is told where a text ends, -> (B, dim)."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = _half(model, without="visi", and_without="visual")

    def forward(self, ids: Tensor, mask: Tensor | None = None) -> Tensor:
        fed = {"input_ids": ids} | ({} if mask is None else {"attention_mask": mask})
        return foreign.text_features(self.model, fed)


def _half(model: nn.Module, *, without: str, and_without: str = "-") -> nn.Module:
    """The same model without the parts of one tower, and without its temperature."""
    half = copy.copy(model)
    half._parameters = {}
    half._modules = {
        name: part
        for name, part in model._modules.items()
        if not name.startswith((without, and_without))
    }
    return half


def towers(config: TrainConfig) -> tuple[PretrainedImage, TokenTower, int]:
    """Both towers of `config.model`, and the width of their space.

    Raises: ConfigError, the model cannot be loaded, or the config has another size or dim.
    """
    try:
        found = foreign.load(config.model, device="cpu")
        vocabulary = _vocabulary(found)
    except foreign.ForeignError as exc:
        raise ConfigError(str(exc)) from exc
    # Plain operators, which are what is exported.
    model: Any = found.model
    model.set_attn_implementation("eager")
    _refuse_size(config, found)
    image = PretrainedImage(
        found.model,
        mean=list(found.processor.image_mean),
        std=list(found.processor.image_std),
    )
    text = TokenTower(
        vocabulary,
        found.rules,
        _TextHalf(found.model),
        masked=found.masked,
    )
    dim = _dim(image, config)
    if dim != config.dim:
        raise ConfigError(f"{config.model} gives {dim} dimensions: set dim={dim}")
    return image, text, dim


def _vocabulary(found: foreign.Foreign) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tokenizer.json"
        write_tokenizer(found, path)
        return path.read_text("utf-8")


def _refuse_size(config: TrainConfig, found: foreign.Foreign) -> None:
    described: Any = found.model.config
    size = getattr(getattr(described, "vision_config", None), "image_size", None)
    if isinstance(size, int) and (config.height, config.width) != (size, size):
        raise ConfigError(
            f"{config.model} reads pictures of {size} x {size}: set height={size} width={size}"
        )


@torch.no_grad()
def _dim(image: PretrainedImage, config: TrainConfig) -> int:
    return int(image(torch.zeros(1, 3, config.height, config.width)).shape[1])
