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
}
