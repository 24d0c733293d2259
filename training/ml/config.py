"""What a training run is told: one frozen record, stored as JSON with run and checkpoint."""

import difflib
import math
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

BERT = {
    "model_type": "bert",
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 768,
    "max_position_embeddings": 512,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


# What a version's towers are made of: to go on from it, these are its own.
OF_TOWERS = (
    "height", "width", "backbone", "normalize", "pooling", "gem_p", "parts", "detail",
    "detail_maps", "dim", "text_tower", "byte_width", "text_width", "text_layers", "text_heads",
    "text_stride", "lower",
)  # fmt: skip


def room_for(facts: int) -> int:
    """Dimensions that hold so many facts apart, and the three directions beside them."""
    return facts + 3


# Terms of distill that compare with the teacher's vectors themselves: both need one width.
IN_TEACHERS_SPACE = ("img_dist", "cap_dist", "img_c", "cap_c", "a_c", "p_c")


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
    # Both towers of CLIP, Chinese-CLIP or SigLIP: a `transformers` folder or hub id, instead of
    # `backbone` and `text_tower`. height, width and dim must be the model's.
    model: str = ""
    # What pictures are brought to before the network: -1 to 1, or ImageNet's mean and deviation.
    normalize: str = setting("half", choices=("half", "imagenet"))
    # gem_coded is that of the system that `gem` comes from, to repeat its numbers.
    pooling: str = setting("gap", choices=("gap", "gem", "gem_coded"))
    gem_p: float = setting(3.0, above=0, high=100)
    # Horizontal stripes pooled one by one beside the whole; 0 pools the whole alone.
    parts: int = setting(5, low=0, high=16)
    # Width of a head that reads the last (at most) `detail_maps` feature maps beside; 0 for none.
    detail: int = setting(192, low=0, high=4096)
    detail_maps: int = setting(3, above=0, high=8)
    dim: int = setting(256, above=0, high=4096)

    # Text tower.
    text_tower: str = setting("characters", choices=("characters", "lstm", "bert"))
    byte_width: int = setting(64, above=0, high=512)
    text_width: int = setting(192, above=0, high=2048)
    text_layers: int = setting(3, above=0, high=48)
    text_heads: int = setting(6, above=0, high=64)
    text_stride: int = setting(2, above=0, high=8)
    lower: bool = True
    # Of a tower that reads words (lstm): those that come at least so often.
    least: int = setting(3, above=0, high=100_000)
    word_width: int = setting(512, above=0, high=4096)
    hidden: int = setting(512, above=0, high=4096)
    bidirectional: bool = True
    # Of one that reads pieces of words (bert): how many there are; its `transformers` config.
    pieces: int = setting(8000, low=260, high=500_000)
    bert: dict[str, Any] = field(default_factory=lambda: {**BERT})
    # Longer texts are cut there, in words or pieces.
    max_tokens: int = setting(100, low=2, high=4096)

    # Objective of `clip`.
    # A version to go on from, whose towers these settings describe; empty to begin anew.
    start: str = setting("", recipes=("clip",))
    scale: float = setting(14.0, above=0, high=100, recipes=("clip",))
    contrastive_weight: float = setting(1.0, low=0, high=1000, recipes=("clip",))
    # Needs data with known attributes; without them the term is left out.
    attribute_weight: float = setting(1.0, low=0, high=1000, recipes=("clip",))

    # Of pairs that reviewers refused, each below those that fit; without judgements left out.
    rejection_weight: float = setting(1.0, low=0, high=1000, recipes=("clip",))
    # So many judged texts join each batch, each with a picture that was refused for it and one
    # that was confirmed: however large the dataset is, a step sees some.
    judged: int = setting(8, low=0, high=4096, recipes=("clip",))

    # Objectives of `distill` and `distill_text`.
    # A version, or a teacher whose vectors were extracted.
    teacher: str = setting("", recipes=("distill", "distill_text"))
    # Weights of the terms, which objectives/distill.py tells.
    dist_rel: float = setting(100.0, low=0, high=10_000, recipes=("distill",))
    # What the teacher's cosines are multiplied by; SigLIP-like teachers give people low ones.
    stretch: float = setting(4.0, above=0, high=100, recipes=("distill",))
    rkda_img: float = setting(0.0, low=0, high=10_000, recipes=("distill",))
    rkda_cap: float = setting(0.0, low=0, high=10_000, recipes=("distill",))
    rkdd_img: float = setting(0.0, low=0, high=10_000, recipes=("distill",))
    rkdd_cap: float = setting(0.0, low=0, high=10_000, recipes=("distill",))
    img_dist: float = setting(0.0, low=0, high=10_000, recipes=("distill",))
    cap_dist: float = setting(0.0, low=0, high=10_000, recipes=("distill",))
    img_c: float = setting(0.1, low=0, high=10_000, recipes=("distill",))
    cap_c: float = setting(0.1, low=0, high=10_000, recipes=("distill",))
    a_c: float = setting(0.1, low=0, high=10_000, recipes=("distill",))
    p_c: float = setting(0.1, low=0, high=10_000, recipes=("distill",))
    id_img: float = setting(0.01, low=0, high=10_000, recipes=("distill",))
    id_cap: float = setting(0.01, low=0, high=10_000, recipes=("distill",))
    id_img_cap: float = setting(0.001, low=0, high=10_000, recipes=("distill",))
    d_pos: float = setting(1.0, low=0, high=10_000, recipes=("distill",))
    s_neg: float = setting(1.0, low=0, high=10_000, recipes=("distill",))
    # Whose captions s_neg pushes away: those that do not fit, or `all` but the picture's own.
    s_neg_of: str = setting("strangers", choices=("strangers", "all"), recipes=("distill",))
    # Which texts beside captions are learned from, where the data have them.
    attributes: bool = setting(True, recipes=("distill",))
    prompts: bool = setting(True, recipes=("distill",))
    queue: int = setting(100_000, above=0, high=10_000_000, recipes=("distill",))
    queue_growth: int = setting(10, low=0, high=1_000_000, recipes=("distill",))
    circle_margin: float = setting(0.2, low=0, high=1, recipes=("distill", "distill_text"))
    circle_gamma: float = setting(30.0, above=0, high=1000, recipes=("distill", "distill_text"))
    # Weights of the terms, which objectives/distill_text.py tells.
    text_sim: float = setting(10.0, low=0, high=10_000, recipes=("distill_text",))
    text_rel: float = setting(1.0, low=0, high=10_000, recipes=("distill_text",))
    text_l1: float = setting(1.0, low=0, high=10_000, recipes=("distill_text",))
    text_info: float = setting(1.0, low=0, high=10_000, recipes=("distill_text",))
    text_length: float = setting(16.0, above=0, high=10_000, recipes=("distill_text",))
    info_scale: float = setting(20.0, above=0, high=1000, recipes=("distill_text",))
    # A Chinese text learns the teacher's vector of its English fellow, or of itself.
    text_target: str = setting("english", choices=("english", "own"), recipes=("distill_text",))
    # The version whose image tower the text tower is paired with; default the teacher.
    pair_with: str = setting("", recipes=("distill_text",))

    # Objective of `cmpm`.
    cmpm: float = setting(1.0, low=0, high=1000, recipes=("cmpm",))
    cmpc: float = setting(1.0, low=0, high=1000, recipes=("cmpm",))
    spread: float = setting(0.0, low=0, high=1000, recipes=("cmpm",))
    cmpm_target: str = setting("sum", choices=("sum", "l2"), recipes=("cmpm",))

    # Objective of `gem`.
    gem_loss: str = setting(
        "batch", choices=("batch", "tuples", "triplet", "classes"), recipes=("gem",)
    )
    gem_scale: float = setting(10.0, above=0, high=1000, recipes=("gem",))
    triplet_margin: float = setting(0.3, low=0, high=2, recipes=("gem",))
    # Of each tuple.
    negatives: int = setting(4, above=0, high=1000, recipes=("gem",))
    # Who selects checkpoints: identities that are not trained on, or other pictures of the same.
    held_out: str = setting("identities", choices=("identities", "pictures"), recipes=("gem",))
    # The version reads each picture twice, the second time 1.41 times as large.
    multi_scale: bool = setting(False, recipes=("gem",))

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
    # The batch is encoded in so many parts, one after the other: less memory, the same loss.
    accumulate: int = setting(1, above=0, high=1024)
    optimizer: str = setting("adamw", choices=("adamw", "schedule_free", "lion"))
    lr: float = setting(1e-3, above=0)
    # The share of lr that the schedule ends at.
    lr_end: float = setting(0.01, low=0, high=1)
    weight_decay: float = setting(0.05, low=0, high=10)
    warmup: int = setting(300, low=0, high=1_000_000)
    clip_norm: float = setting(1.0, above=0)
    # Weights that serve are an average that keeps this share of itself a step; 0 for the last.
    ema_decay: float = setting(0.0, low=0, high=0.99999)
    # Globs on names of weights that stay as they are, such as "image.backbone.*"; with commas.
    freeze: str = ""
    augment: bool = True

    # How it is computed; auto measures on the first batch and takes the fastest.
    precision: str = setting("auto", choices=("auto", "fp32", "bf16", "fp16"))
    memory_format: str = setting("auto", choices=("auto", "channels_last", "contiguous"))
    compile: bool = False
    threads: int = setting(0, low=0, high=1024)

    # Progress.
    log_every: int = setting(20, above=0, high=1_000_000)
    validate_every: int = setting(500, above=0, high=10_000_000)
    # Validations in a row without a better one that end the training; 0 for none.
    patience: int = setting(0, low=0, high=1000)
    checkpoint_every: int = setting(250, above=0, high=10_000_000)

    def __post_init__(self) -> None:
        for entry in fields(self):
            _check(entry, getattr(self, entry.name))
        if self.text_width % self.text_heads:
            raise ConfigError(
                f"text_width {self.text_width} is not a multiple of text_heads {self.text_heads}"
            )
        if (self.pretrained or self.model) and not self.pretrained_licence:
            what = "model" if self.model else "pretrained"
            raise ConfigError(f"{what} needs pretrained_licence: where is the model from?")
        if self.towers != "both" and (self.text_first or self.image_first or self.text_last):
            raise ConfigError("text_first, image_first and text_last need both towers")
        if self.accumulate > self.batch:
            raise ConfigError(f"accumulate {self.accumulate} is more than batch {self.batch}")
        if self.sampling == "balanced" and self.batch % self.each:
            raise ConfigError(f"batch {self.batch} is not a multiple of each {self.each}")

    @property
    def knows_facts(self) -> bool:
        """Whether towers read and write facts, where the data know them."""
        return self.recipe == "clip" and self.attribute_weight > 0 and not self.model

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
                hint = f" (did you mean {near[0]}?)" if near else ""
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
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{entry.name} must be a number, not {value}")
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
