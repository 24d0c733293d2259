"""What a training run is told: one frozen record, stored as JSON with run and checkpoint."""

import difflib
from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from typing import Any, Self

from training.ml.recipes import RECIPES


class ConfigError(ValueError):
    """A setting that cannot be used; the message names it."""


def setting(
    default: Any,
    *,
    above: float | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    recipes: tuple[str, ...] = (),
) -> Any:
    """A field with its limits, which the record checks and a form shows.

    Args:
        above: the value must be more; low, high: at least, at most. `high` is there against slips
            of the keyboard: what no training needs.
        recipes: that read this setting; none for all.
    """
    limits = {"above": above, "low": low, "high": high, "choices": choices, "recipes": recipes}
    return field(default=default, metadata=limits)


RESNET = {
    "model_type": "resnet",
    "embedding_size": 32,
    "hidden_sizes": [32, 64, 128, 256],
    "depths": [1, 1, 2, 1],
    "layer_type": "basic",
}


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Every setting of a training run.

    The defaults here are those of no recipe in particular: `of_recipe` lays a recipe's over them.

    Raises: ConfigError, a value is out of its range.
    """

    recipe: str = setting("clip", choices=tuple(RECIPES))
    seed: int = setting(1, low=0, high=2**31)
    # Which towers there are; one alone is trained into a space that is given, or by pictures.
    towers: str = setting("both", choices=("both", "image", "text"))

    # Image tower: pictures are height x width; the backbone is a `transformers` config.
    height: int = setting(160, above=0, high=1024)
    width: int = setting(64, above=0, high=1024)
    backbone: dict[str, Any] = field(default_factory=lambda: {**RESNET})
    # A `transformers` folder or hub id to start from instead of `backbone`, and its licence.
    pretrained: str = ""
    pretrained_licence: str = ""
    pooling: str = setting("gap", choices=("gap", "gem"))
    gem_p: float = setting(3.0, above=0, high=100)
    # Horizontal stripes pooled one by one beside the whole; 0 pools the whole alone.
    parts: int = setting(5, low=0, high=16)
    # Width of a head that reads the last (at most) `detail_maps` feature maps beside; 0 for none.
    detail: int = setting(192, low=0, high=4096)
    detail_maps: int = setting(3, above=0, high=8)
    dim: int = setting(256, above=0, high=4096)

    # Text tower.
    text_tower: str = setting("characters", choices=("characters",))
    byte_width: int = setting(64, above=0, high=512)
    text_width: int = setting(192, above=0, high=2048)
    text_layers: int = setting(3, above=0, high=48)
    text_heads: int = setting(6, above=0, high=64)
    text_stride: int = setting(2, above=0, high=8)
    lower: bool = True

    # Objective of `clip`.
    scale: float = setting(14.0, above=0, high=100, recipes=("clip",))
    contrastive_weight: float = setting(1.0, low=0, high=1000, recipes=("clip",))
    # Needs data with known attributes; without them the term is left out.
    attribute_weight: float = setting(1.0, low=0, high=1000, recipes=("clip",))

    # Optimization.
    steps: int = setting(6000, above=0, high=10_000_000)
    # Before these, so many steps of one tower alone: the text tower learns which facts captions
    # state, the image tower which facts pictures show. Both need data with known attributes.
    text_first: int = setting(0, low=0, high=10_000_000, recipes=("clip",))
    image_first: int = setting(0, low=0, high=10_000_000, recipes=("clip",))
    # After them, so many steps of the text tower against the vectors of `gallery` pictures, which
    # stay as they are: far more pictures to tell apart than a batch has.
    text_last: int = setting(0, low=0, high=10_000_000, recipes=("clip",))
    gallery: int = setting(4096, above=0, high=1_000_000, recipes=("clip",))
    batch: int = setting(128, low=2, high=65_536)
    # Texts a step; 0 is one for each picture.
    texts: int = setting(0, low=0, high=65_536)
    # The order of rows: each once an epoch, or `each` pictures of each of batch / each identities.
    sampling: str = setting("shuffled", choices=("shuffled", "balanced"))
    each: int = setting(4, low=2, high=256)
    lr: float = setting(1e-3, above=0)
    weight_decay: float = setting(0.05, low=0, high=10)
    warmup: int = setting(300, low=0, high=1_000_000)
    clip_norm: float = setting(1.0, above=0)
    precision: str = setting("fp32", choices=("fp32", "bf16", "fp16"))
    augment: bool = True
    threads: int = setting(0, low=0, high=1024)

    # Progress.
    log_every: int = setting(20, above=0, high=1_000_000)
    validate_every: int = setting(500, above=0, high=10_000_000)
    checkpoint_every: int = setting(250, above=0, high=10_000_000)

    def __post_init__(self) -> None:
        for entry in fields(self):
            _check(entry, getattr(self, entry.name))
        if self.text_width % self.text_heads:
            raise ConfigError(
                f"text_width {self.text_width} is not a multiple of text_heads {self.text_heads}"
            )
        if self.pretrained and not self.pretrained_licence:
            raise ConfigError("pretrained needs pretrained_licence: where is the model from?")
        if self.towers != "both" and (self.text_first or self.image_first or self.text_last):
            raise ConfigError("text_first, image_first and text_last need both towers")
        if self.sampling == "balanced" and self.batch % self.each:
            raise ConfigError(f"batch {self.batch} is not a multiple of each {self.each}")

    @property
    def all_steps(self) -> int:
        """Those of one tower alone included."""
        return self.text_first + self.image_first + self.steps + self.text_last

    @classmethod
    def of_recipe(cls, recipe: str, settings: Mapping[str, Any]) -> Self:
        """A recipe's defaults with these settings over them.

        Raises: ConfigError, as `from_dict`; KeyError, there is no such recipe.
        """
        return cls.from_dict({**RECIPES[recipe].defaults, **settings, "recipe": recipe})

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


def settings_of(recipe: str) -> dict[str, Field[Any]]:
    """The settings that a recipe reads, in their order: what a form asks for."""
    return {
        entry.name: entry
        for entry in fields(TrainConfig)
        if entry.name != "recipe"
        and (not entry.metadata.get("recipes") or recipe in entry.metadata["recipes"])
    }


def defaults_of(recipe: str) -> dict[str, Any]:
    """The value of each of `settings_of` where nobody sets another."""
    preset = TrainConfig.of_recipe(recipe, {})
    return {name: getattr(preset, name) for name in settings_of(recipe)}


def _check(entry: Field[Any], value: Any) -> None:
    limits = entry.metadata
    if limits.get("choices") and value not in limits["choices"]:
        raise ConfigError(
            f"{entry.name} must be one of {', '.join(limits['choices'])}, not {value!r}"
        )
    # The comparisons are such that NaN passes none of them.
    above, low, high = (limits.get(name) for name in ("above", "low", "high"))
    if above is not None and not value > above:
        raise ConfigError(f"{entry.name} must be above {above}, not {value}")
    if low is not None and not value >= low:
        raise ConfigError(f"{entry.name} must be at least {low}, not {value}")
    if high is not None and not value <= high:
        raise ConfigError(f"{entry.name} must be at most {high}, not {value}")


def _typed(key: str, value: Any, wanted: Any) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    expected = dict if wanted not in (int, float, bool, str) else wanted
    if not isinstance(value, expected) or (wanted is int and isinstance(value, bool)):
        raise ConfigError(f"{key} must be {expected.__name__}, not {value!r}")
    return value
