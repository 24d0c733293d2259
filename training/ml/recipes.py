"""Recipes: named presets of the one configuration. Known without torch, so that forms can ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A preset.

    objective: what is minimized, a name in `training.ml.objectives.OBJECTIVES`.
    defaults: where the recipe's defaults differ from those of TrainConfig.
    """

    objective: str
    defaults: Mapping[str, Any] = field(default_factory=dict)


RECIPES: dict[str, Recipe] = {
    "clip": Recipe(objective="clip"),
    "distill": Recipe(objective="distill", defaults={"batch": 64, "weight_decay": 5e-4}),
    "distill_text": Recipe(
        objective="distill_text",
        defaults={"towers": "text", "augment": False, "batch": 64},
    ),
    "cmpm": Recipe(
        objective="cmpm",
        defaults={
            "text_tower": "lstm",
            "dim": 512,
            "parts": 0,
            "detail": 0,
            "batch": 16,
            "lr": 2e-4,
            "weight_decay": 4e-5,
            "lower": False,
        },
    ),
    "gem": Recipe(
        objective="gem",
        defaults={
            "towers": "image",
            "pooling": "gem",
            "parts": 0,
            "detail": 0,
            "sampling": "balanced",
            "each": 4,
            "batch": 64,
            "height": 224,
            "width": 224,
        },
    ),
}
