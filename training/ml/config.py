"""What a training run is told: one frozen record, stored as JSON with run and checkpoint."""

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

RECIPES = ("clip",)


class ConfigError(ValueError):
    """A setting that cannot be used; the message names it."""


def _resnet() -> dict[str, Any]:
    return {
        "model_type": "resnet",
        "embedding_size": 32,
        "hidden_sizes": [32, 64, 128, 256],
        "depths": [1, 1, 2, 1],
        "layer_type": "basic",
    }


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Every setting of a training run.

    Raises: ConfigError, a value is out of its range.
    """

    recipe: str = "clip"
    seed: int = 1

    # Image tower: pictures are height x width; the backbone is a `transformers` config.
    height: int = 160
    width: int = 64
    backbone: dict[str, Any] = field(default_factory=_resnet)
    # A `transformers` folder or hub id to start from instead of `backbone`, and its licence.
    pretrained: str = ""
    pretrained_licence: str = ""
    pooling: str = "gap"
    gem_p: float = 3.0
    # Horizontal stripes pooled one by one beside the whole; 0 pools the whole alone.
    parts: int = 5
    # Width of a head that reads the last (at most) `detail_maps` feature maps beside; 0 for none.
    detail: int = 192
    detail_maps: int = 3
    dim: int = 256

    # Text tower.
    byte_width: int = 64
    text_width: int = 192
    text_layers: int = 3
    text_heads: int = 6
    text_stride: int = 2
    lower: bool = True

    # Losses.
    scale: float = 14.0
    contrastive_weight: float = 1.0
    # Needs data with known attributes; without them the term is left out.
    attribute_weight: float = 1.0

    # Optimization.
    steps: int = 6000
    # Before these, so many steps of one tower alone: the text tower learns which facts captions
    # state, the image tower which facts pictures show. Both need data with known attributes.
    text_first: int = 0
    image_first: int = 0
    # After them, so many steps of the text tower against the vectors of `gallery` pictures, which
    # stay as they are: far more pictures to tell apart than a batch has.
    text_last: int = 0
    gallery: int = 4096
    batch: int = 128
    # Texts a step; 0 is one for each picture.
    texts: int = 0
    lr: float = 1e-3
    weight_decay: float = 0.05
    warmup: int = 300
    clip_norm: float = 1.0
    precision: str = "fp32"
    augment: bool = True
    threads: int = 0

    # Progress.
    log_every: int = 20
    validate_every: int = 500
    checkpoint_every: int = 250

    def __post_init__(self) -> None:
        positive = (
            "height width dim byte_width text_width text_layers text_heads text_stride "
            "detail_maps steps batch gallery lr clip_norm log_every validate_every "
            "checkpoint_every scale gem_p"
        )
        for name in positive.split():
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be above 0, not {getattr(self, name)}")
        choices = {
            "recipe": RECIPES,
            "pooling": ("gap", "gem"),
            "precision": ("fp32", "bf16", "fp16"),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"{name} must be one of {', '.join(allowed)}, not {getattr(self, name)!r}"
                )
        if self.text_width % self.text_heads:
            raise ConfigError(
                f"text_width {self.text_width} is not a multiple of text_heads {self.text_heads}"
            )
        if self.batch < 2:
            raise ConfigError("batch must be at least 2: a pair alone has no negatives")
        if self.pretrained and not self.pretrained_licence:
            raise ConfigError("pretrained needs pretrained_licence: where is the model from?")

    @property
    def all_steps(self) -> int:
        """Those of one tower alone included."""
        return self.text_first + self.image_first + self.steps + self.text_last

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The config with these values. Raises: ConfigError, an unknown key or a wrong type."""
        known = {entry.name: entry for entry in fields(cls)}
        typed: dict[str, Any] = {}
        for key, value in values.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ConfigError(f"there is no setting {key!r}{hint}")
            typed[key] = _typed(key, value, known[key].type)
        return cls(**typed)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _typed(key: str, value: Any, wanted: Any) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    expected = dict if wanted not in (int, float, bool, str) else wanted
    if not isinstance(value, expected) or (wanted is int and isinstance(value, bool)):
        raise ConfigError(f"{key} must be {expected.__name__}, not {value!r}")
    return value
