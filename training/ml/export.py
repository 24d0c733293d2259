"""Towers to ONNX: normalization folded in, the batch free, and equal to torch before it is done."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim

from training.ml import chars, checkpoint, validation
from training.ml.config import TrainConfig
from training.ml.data import Pixels
from training.ml.dual_encoder import DualEncoder, build
from training.ml.runtime import Bundle, ImageTower, Vectors
from training.ml.text_tower import CharacterTower

OPSET = 18
# The largest cosine distance between torch's and onnxruntime's vector of one input.
PARITY = 1e-4
# Numbers in a weight from which on its precision matters to the size of the file.
_LARGE = 1024


class ParityError(RuntimeError):
    """An exported tower gives other vectors than the one it was exported from."""


class _FromPixels(nn.Module):
    """The image tower as it serves: uint8 (B, H, W, 3) in."""

    def __init__(self, image: nn.Module) -> None:
        super().__init__()
        self.image = image

    def forward(self, pixels: Tensor) -> Tensor:
        embedded: Tensor = self.image(pixels.permute(0, 3, 1, 2).float())
        return embedded


def restore(path: Path) -> tuple[TrainConfig, DualEncoder]:
    """The model of a checkpoint, in eval mode, with its config.

    Raises: CheckpointError, the file is damaged.
    """
    state = checkpoint.load(path)
    config = TrainConfig.from_dict(state["config"])
    model = build(config, state["model"].get("image.facts.sizes", torch.empty(0)).tolist())
    model.load_state_dict(state["model"])
    return config, model.eval()


def export(
    config: TrainConfig,
    model: DualEncoder,
    folder: Path,
    *,
    crops: Pixels,
    captions: Sequence[str],
    about: Mapping[str, Any],
) -> Bundle:
    """Write a bundle: both towers, the character table, golden inputs and `model.json`.

    Args:
        crops: (N, H, W, 3) golden crops; captions: golden captions. Their vectors are stored
            beside them and checked whenever the towers are loaded.
        about: what `model.json` says besides: name, space, licence, metrics.

    Raises: ParityError, a tower differs from torch by more than PARITY; nothing is then left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = model.cpu().eval()
    _export_image(config, model, folder / "model_image.onnx")
    _export_text(config, model, folder / "model_text.onnx")
    np.save(folder / "characters.npy", _characters(model).tables.weight.detach().numpy())
    described = _describe(config, folder, about)
    (folder / "model.json").write_text(json.dumps(described, indent=2, ensure_ascii=False), "utf-8")
    bundle = Bundle.read(folder)
    try:
        _store_golden(config, model, bundle, crops, captions)
    except ParityError:
        (folder / "model.json").unlink()
        raise
    return bundle


def _characters(model: DualEncoder) -> CharacterTower:
    if not isinstance(model.text, CharacterTower):
        raise TypeError(f"only a character tower is exported here, not {type(model.text).__name__}")
    return model.text


def _export_image(config: TrainConfig, model: DualEncoder, path: Path) -> None:
    example = torch.zeros(2, config.height, config.width, 3, dtype=torch.uint8)
    assert model.image is not None
    _to_onnx(_FromPixels(model.image), (example,), path, {"pixels": {0: Dim("batch")}})


def _export_text(config: TrainConfig, model: DualEncoder, path: Path) -> None:
    example = torch.zeros(2, 24, chars.BYTES * config.byte_width), torch.ones(2, 24)
    axes = {0: Dim("batch"), 1: Dim("length", min=2, max=chars.MAX_CHARACTERS)}
    _to_onnx(_characters(model).encoder, example, path, {"data": axes, "mask": axes})


def _to_onnx(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    shapes: dict[str, dict[int, Dim]],
) -> None:
    torch.onnx.export(
        module,
        example,
        str(path),
        input_names=list(shapes),
        output_names=["output"],
        dynamic_shapes=shapes,
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    _halve_weights(path)


def _halve_weights(path: Path) -> None:
    """Store large weights as fp16, each behind a Cast to fp32 that is folded when a session loads.

    Half the file, the same speed and fp32 arithmetic; rounding a weight to 11 bits moves a vector
    by less than PARITY, which is checked after.
    """
    model = onnx.load(path)
    casts = []
    for weight in model.graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _LARGE:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
        casts.append(
            onnx.helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, path)


def _describe(config: TrainConfig, folder: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    size = {"height": config.height, "width": config.width}
    return {
        **about,
        "dim": config.dim,
        "image": {
            "file": "model_image.onnx",
            "sha256": sha256(folder / "model_image.onnx"),
            "preprocessing": {"input": "uint8", "layout": "nhwc", **size},
        },
        "text": {
            "file": "model_text.onnx",
            "sha256": sha256(folder / "model_text.onnx"),
            "characters": "characters.npy",
            "characters_sha256": sha256(folder / "characters.npy"),
            "preprocessing": {"lower": config.lower},
        },
        "golden": "golden.npz",
    }


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _store_golden(
    config: TrainConfig,
    model: DualEncoder,
    bundle: Bundle,
    crops: Pixels,
    captions: Sequence[str],
) -> None:
    image, text = bundle.image_tower(), bundle.text_tower()
    assert text is not None
    crop_vectors = _encode_one_by_one(image, crops)
    caption_vectors = np.concatenate([text.encode([caption]) for caption in captions])
    _compare("image tower", crop_vectors, validation.encode_pictures(model, crops))
    _compare("text tower", caption_vectors, validation.encode_texts(model, captions))
    np.savez_compressed(
        bundle.folder / "golden.npz",
        crops=crops,
        crop_vectors=crop_vectors,
        captions=np.array(list(captions)),
        caption_vectors=caption_vectors,
    )


def _encode_one_by_one(image: ImageTower, crops: Pixels) -> Vectors:
    return np.concatenate([image.encode(crop[None]) for crop in crops])


def _compare(what: str, got: Vectors, expected: Vectors) -> None:
    worst = float((1 - (got * expected).sum(axis=1)).max())
    if not worst <= PARITY:
        raise ParityError(f"the exported {what} differs from torch by {worst:.6f} (cosine)")
