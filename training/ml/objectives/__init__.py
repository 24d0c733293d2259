"""What a training minimizes: each objective turns what the towers gave into named loss terms."""

from collections.abc import Callable

from training.ml.config import ConfigError, TrainConfig
from training.ml.data import PairData
from training.ml.objectives import clip, cmpm, distill, distill_text, gem
from training.ml.objectives.base import Objective
from training.ml.recipes import RECIPES

Builder = Callable[[TrainConfig, PairData, int], Objective]

# By the name that a recipe gives its objective.
OBJECTIVES: dict[str, Builder] = {
    "clip": clip.build,
    "distill": distill.build,
    "distill_text": distill_text.build,
    "cmpm": cmpm.build,
    "gem": gem.build,
}


def build(config: TrainConfig, data: PairData, dim: int) -> Objective:
    """The objective of the config's recipe for this data.

    Args:
        dim: of the towers' embeddings.

    Raises: ConfigError, the data do not know what the objective needs, in words.
    """
    name = RECIPES[config.recipe].objective
    if name not in OBJECTIVES:
        raise ConfigError(f"the recipe {config.recipe} names an unknown objective {name!r}")
    return OBJECTIVES[name](config, data, dim)
