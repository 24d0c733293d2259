"""Towers to ONNX: normalization folded in, the batch free, and equal to torch before it is done."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional as F

from training.ml import chars, checkpoint, graphs, validation
from training.ml.config import TrainConfig
from training.ml.data import Pixels
from training.ml.dual_encoder import DualEncoder, build
from training.ml.runtime import Bundle, ImageTower, TextTower, Vectors, vocabulary_of
from training.ml.text_tower import CharacterTower
from training.ml.token_tower import TokenTower, text_of
from training.ml.tokens import SHORTEST

OPSET = 18
# The largest cosine distance between torch's and onnxruntime's vector of one input.
PARITY = 1e-4
# How much larger a picture of a version of two scales is read the second time: sqrt 2, twice the
# pixels.
SECOND_SCALE = 1.4147


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


class _AtTwoScales(nn.Module):
    """Both sizes of each picture side by side, each of length 1: uint8 (B, H, W, 3) in."""

    def __init__(self, image: nn.Module) -> None:
        super().__init__()
        self.image = image

    def forward(self, pixels: Tensor) -> Tensor:
        read = pixels.permute(0, 3, 1, 2).float()
        larger = [round(SECOND_SCALE * side) for side in read.shape[2:]]
        grown = F.interpolate(read, size=larger, mode="bilinear", align_corners=False)
        both = [F.normalize(self.image(one), dim=1) for one in (read, grown)]
        return torch.cat(both, dim=1)


def restore(path: Path) -> tuple[TrainConfig, DualEncoder]:
    """The model of a checkpoint, in eval mode, with its config.

    Raises: CheckpointError, the file is damaged.
    """
    state = checkpoint.load(path)
    config = TrainConfig.from_dict(state["config"])
    fields = state["model"].get("image.facts.space.sizes", torch.empty(0)).tolist()
    vocabulary = state["model"].get("text.vocabulary")
    model = build(config, fields, text_of(vocabulary) if vocabulary is not None else "")
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
    """Write a bundle: the towers there are, the text's vocabulary, golden inputs, `model.json`.

    Args:
        crops: (N, H, W, 3) golden crops; captions: golden captions. Their vectors are stored
            beside them and checked whenever the towers are loaded.
        about: what `model.json` says besides: name, space, licence, metrics.

    Raises: ParityError, a tower differs from torch by more than PARITY; nothing is then left.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = model.cpu().eval()
    described = {**about, "dim": model.dim, "golden": "golden.npz"}
    image = None
    if model.image is not None:
        image = _AtTwoScales(model.image) if config.multi_scale else _FromPixels(model.image)
        described["dim"] = model.dim * (2 if config.multi_scale else 1)
        described["image"] = _export_image(config, image.eval(), folder, crops)
    if isinstance(model.text, CharacterTower):
        described["text"] = _export_characters(config, model.text, folder)
    elif isinstance(model.text, TokenTower):
        described["text"] = _export_tokens(model.text, folder)
    if "text" in described:
        _halve_text(model, described["text"], folder, captions)
    (folder / "model.json").write_text(json.dumps(described, indent=2, ensure_ascii=False), "utf-8")
    bundle = Bundle.read(folder)
    try:
        golden = _golden_crops(image, bundle, crops) | _golden_texts(model, bundle, captions)
    except ParityError:
        (folder / "model.json").unlink()
        raise
    np.savez_compressed(folder / "golden.npz", **golden)
    return bundle


def _export_image(
    config: TrainConfig, image: nn.Module, folder: Path, crops: Pixels
) -> dict[str, Any]:
    """The graph, and what `model.json` says of it; the others alike."""
    path = folder / "model_image.onnx"
    example = torch.zeros(2, config.height, config.width, 3, dtype=torch.uint8)
    _to_onnx(image, (example,), path, {"pixels": {0: Dim("batch")}})
    rules = {"input": "uint8", "layout": "nhwc", "height": config.height, "width": config.width}
    expected = _torch_vectors(image, crops)
    halve(path, lambda: _worst(_encode_one_by_one(ImageTower(path, rules), crops), expected))
    return {"file": path.name, "sha256": sha256(path), "preprocessing": rules}


def _export_characters(config: TrainConfig, text: CharacterTower, folder: Path) -> dict[str, Any]:
    path, table = folder / "model_text.onnx", folder / "characters.npy"
    example = torch.zeros(2, 24, chars.BYTES * config.byte_width), torch.ones(2, 24)
    axes = {0: Dim("batch"), 1: Dim("length", min=2, max=chars.MAX_CHARACTERS)}
    _to_onnx(text.encoder, example, path, {"data": axes, "mask": axes})
    np.save(table, text.tables.weight.detach().numpy())
    return {
        "file": path.name,
        "sha256": sha256(path),
        "characters": table.name,
        "characters_sha256": sha256(table),
        "preprocessing": {"lower": config.lower},
    }


def _export_tokens(text: TokenTower, folder: Path) -> dict[str, Any]:
    path, tokenizer = folder / "model_text.onnx", folder / "tokenizer.json"
    rules = text.preprocessing
    longest = int(rules["max_length"])
    full = rules["pad"] == "max_length"
    ids = torch.ones(2, longest if full else min(longest, 12), dtype=torch.long)
    axes = {0: Dim("batch")}
    if not full:
        axes |= {1: Dim("length", min=SHORTEST, max=longest)}
    shapes = {"input_ids": axes} | ({"attention_mask": axes} if text.masked else {})
    example = (ids, torch.ones_like(ids))[: len(shapes)]
    _to_onnx(text.encoder, example, path, shapes)
    tokenizer.write_text(text_of(text.vocabulary), "utf-8")
    return {
        "file": path.name,
        "sha256": sha256(path),
        "tokenizer": tokenizer.name,
        "tokenizer_sha256": sha256(tokenizer),
        "preprocessing": rules,
    }


def _to_onnx(
    module: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    shapes: dict[str, dict[int, Dim]],
) -> None:
    with graphs.without_advice():
        torch.onnx.export(
            module,
            example,
            str(path),
            input_names=list(shapes),
            output_names=["output"],
            dynamic_shapes=tuple(shapes.values()),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    graph = onnx.load(path)
    graphs.forget_origin(graph)
    onnx.save(graph, path)


def halve(path: Path, moved: Callable[[], float]) -> None:
    """Store large weights as fp16, unless `moved` says that this moves a vector beyond PARITY.

    Rounding a weight to 11 bits commonly moves it far less; the depthwise convolutions of a
    MobileNet that was trained elsewhere are the exception.
    """
    whole = path.read_bytes()
    graph = onnx.load(path)
    graphs.halve_weights(graph)
    onnx.save(graph, path)
    if not moved() <= PARITY:
        path.write_bytes(whole)


def _halve_text(
    model: DualEncoder, entry: dict[str, Any], folder: Path, captions: Sequence[str]
) -> None:
    """The same of a text tower that lies in the folder; its hash in the entry follows."""
    path, vocabulary = folder / entry["file"], folder / vocabulary_of(entry)[0]
    expected = validation.encode_texts(model, captions)

    def moved() -> float:
        tower = TextTower(path, vocabulary, entry["preprocessing"])
        return _worst(tower.encode(captions), expected)

    halve(path, moved)
    entry["sha256"] = sha256(path)


def _torch_vectors(image: nn.Module, crops: Pixels) -> Vectors:
    with torch.no_grad():
        parts = [image(torch.from_numpy(crops[at : at + 16])) for at in range(0, len(crops), 16)]
    vectors: Vectors = F.normalize(torch.cat(parts)).numpy()
    return vectors


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _golden_crops(image: nn.Module | None, bundle: Bundle, crops: Pixels) -> dict[str, Any]:
    """What the self-test of the image tower holds. Raises: ParityError."""
    tower = bundle.image_tower() if image is not None else None
    if image is None or tower is None:
        return {}
    vectors = _encode_one_by_one(tower, crops)
    _compare("image tower", vectors, _torch_vectors(image, crops))
    return {"crops": crops, "crop_vectors": vectors}


def _golden_texts(model: DualEncoder, bundle: Bundle, captions: Sequence[str]) -> dict[str, Any]:
    """What the self-test of the text tower holds. Raises: ParityError."""
    tower = bundle.text_tower()
    if tower is None:
        return {}
    vectors = np.concatenate([tower.encode([caption]) for caption in captions])
    _compare("text tower", vectors, validation.encode_texts(model, captions))
    return {"captions": np.array(list(captions)), "caption_vectors": vectors}


def _encode_one_by_one(image: ImageTower, crops: Pixels) -> Vectors:
    return np.concatenate([image.encode(crop[None]) for crop in crops])


def _worst(got: Vectors, expected: Vectors) -> float:
    return float((1 - (got * expected).sum(axis=1)).max())


def _compare(what: str, got: Vectors, expected: Vectors) -> None:
    worst = _worst(got, expected)
    if not worst <= PARITY:
        raise ParityError(f"the exported {what} differs from torch by {worst:.6f} (cosine)")
