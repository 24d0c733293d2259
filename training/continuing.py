"""Going on from a version: which may be, and what its towers are made of."""

from collections.abc import Mapping
from typing import Any

from training import versions
from training.errors import BadTrainingData
from training.ml.config import OF_TOWERS, TrainConfig
from training.models import Encoder


def adopt(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with those that the towers of the version to go on from were made with.

    What is set says more: where it makes another tower, `towers` or the training refuses it. A
    version that no training here gave is taken for one of the recipe's defaults, as the shipped one
    is.

    Raises: UnknownVersion.
    """
    name = settings.get("start")
    if not name or not isinstance(name, str):
        return dict(settings)
    run = versions.get(name).runs.order_by("-pk").first()
    made = {} if run is None else {key: run.config[key] for key in OF_TOWERS if key in run.config}
    return made | dict(settings)


def towers(config: TrainConfig) -> tuple[Encoder, Encoder]:
    """The image and the text tower that a config goes on from.

    Raises: UnknownVersion; BadTrainingData, the version has none that can be gone on from.
    """
    version = versions.get(config.start)
    image, text = version.image_encoder, version.text_encoder
    if text is None or not text.characters.name.endswith(".npy") or config.towers != "both":
        raise BadTrainingData(
            f"Version “{version.name}” cannot be gone on from: both towers are needed, and the one "
            "for texts has to read characters."
        )
    size = tuple(image.preprocessing.get(side) for side in ("height", "width"))
    if size != (config.height, config.width) or version.dim != config.dim:
        raise BadTrainingData(
            f"Version “{version.name}” reads pictures of {size[0]} x {size[1]} and gives "
            f"{version.dim} dimensions: leave out what says otherwise."
        )
    return image, text


def licence(config: TrainConfig) -> str:
    """That of the version that a config goes on from, as its weights are; empty without one."""
    return versions.get(config.start).licence if config.start else ""
