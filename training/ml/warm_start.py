"""Begin a training from towers that serve: their ONNX graphs back into weights.

An export keeps the names of weights, with three exceptions that are undone here: large ones are
stored as fp16 behind a Cast, a norm is folded into the layer before it, and the matrix of a linear
layer may stand transposed, named by the layer's bias alone. Whoever calls this compares the
model with the version's golden vectors: what was read wrongly is refused.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from training.ml.config import ConfigError, TrainConfig
from training.ml.data import Pixels
from training.ml.dual_encoder import DualEncoder, build
from training.ml.loader import to_pictures
from training.ml.text_tower import CharacterTower
from training.ml.validation import encode_pictures, encode_texts

State = dict[str, Tensor]

# The largest cosine distance between a golden vector and that of the model begun from.
TOLERANCE = 1e-3
# Pictures by which norms are set anew.
LOOKED_AT = 256
SIZES = "image.facts.space.sizes"


def restore(config: TrainConfig, image: Path, text: Path, table: Path, golden: list[Path]) -> State:
    """The state of the model that the towers were exported from.

    Args:
        image, text: the graphs; table: the characters' `.npy`.
        golden: `.npz` with the towers' inputs and vectors; what is in none is not compared.

    Raises: ConfigError, the towers are not what the config describes, or hold weights that cannot
        be read back.
    """
    seen, said = _Graph(image), _Graph(text)
    model = build(config, seen.field_sizes())
    if not isinstance(model.text, CharacterTower):
        raise ConfigError("start takes versions whose text tower reads characters")
    found = dict(_folded_norms(seen, model))
    found |= {name: value for name, value in seen.weights.items() if name.startswith("image.")}
    words = {**said.weights, **dict(_linear(said))}
    found |= {f"text.encoder.{name}": value for name, value in words.items()}
    found["text.tables.weight"] = np.load(table, allow_pickle=False)
    _fill(model, found)
    _compare(model, golden)
    return model.state_dict()


def begin(model: DualEncoder, state: State, pictures: Pixels) -> None:
    """Give a model these weights, its norms set by pictures (N, H, W, 3), which keeps what it does.

    A folded norm says nothing of what it normalized: with the mean and the deviation of these
    pictures it gives the same vectors when it serves, and nearly the same while it learns.

    Raises: ConfigError, the weights are another model's.
    """
    try:
        model.load_state_dict(state)
    except RuntimeError as exc:
        raise ConfigError(f"the model to start from is another one: {exc}") from exc
    assert model.image is not None
    _set_norms(model.image, pictures[:LOOKED_AT])


def sizes_of(state: State) -> list[int]:
    """How many values each field has of which the model reads facts; empty if it reads none."""
    return [int(size) for size in state[SIZES]] if SIZES in state else []


class _Graph:
    """weights: every initializer under the name that it had in torch, as float32."""

    def __init__(self, path: Path) -> None:
        self.graph = onnx.load(path).graph
        stored = {one.name: onnx.numpy_helper.to_array(one) for one in self.graph.initializer}
        for node in self.graph.node:
            if node.op_type == "Cast" and node.input[0] in stored:
                stored[node.output[0]] = stored[node.input[0]].astype(np.float32)
        self.weights: dict[str, np.ndarray[Any, Any]] = stored

    def of(self, kind: str) -> Iterator[onnx.NodeProto]:
        return (node for node in self.graph.node if node.op_type == kind)

    def field_sizes(self) -> list[int]:
        """Where the image tower parts the probabilities of facts by their fields."""
        facts = self.weights.get("image.facts.read.bias")
        for node in self.of("Split"):
            if facts is not None and len(node.input) > 1 and node.input[1] in self.weights:
                sizes = self.weights[node.input[1]].tolist()
                if sum(sizes) == len(facts):
                    return [int(size) for size in sizes]
        return []


def _folded_norms(graph: _Graph, model: DualEncoder) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Norms that the graph has not: they scale nothing, and shift by what a convolution adds."""
    modules = dict(model.named_modules())
    shifts = {}
    for node in graph.of("Conv"):
        name = node.input[1].removesuffix(".weight")
        layer = modules.get(name)
        if isinstance(layer, nn.Conv2d) and layer.bias is None and len(node.input) > 2:
            # Where a convolution and its norm are parts of one layer, as `transformers` has them.
            shifts[name.rpartition(".")[0]] = graph.weights[node.input[2]]
    for name, module in modules.items():
        if not isinstance(module, _BatchNorm) or f"{name}.weight" in graph.weights:
            continue
        none = np.zeros(module.num_features, np.float32)
        yield f"{name}.weight", np.full_like(none, (1 + module.eps) ** 0.5)
        yield f"{name}.bias", shifts.get(name.rpartition(".")[0], none)
        yield f"{name}.running_mean", none
        yield f"{name}.running_var", np.ones_like(none)


def _linear(graph: _Graph) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """The matrices of products to which a bias is added that has a name."""
    biases = {}
    for node in graph.of("Add"):
        for product, bias in (node.input, reversed(node.input)):
            if bias in graph.weights:
                biases[product] = bias
    for node in graph.of("MatMul"):
        bias = biases.get(node.output[0], "")
        if bias.endswith(".bias") and node.input[1] in graph.weights:
            yield f"{bias.removesuffix('bias')}weight", graph.weights[node.input[1]].T


def _fill(model: DualEncoder, found: dict[str, np.ndarray[Any, Any]]) -> None:
    """Raises: ConfigError, a weight is missing or has another shape."""
    # Both heads write into one space of facts, whose rarities and sizes are its fields'.
    shared = "text.encoder.facts.space.directions"
    for name, value in model.state_dict(keep_vars=True).items():
        if name.endswith(("num_batches_tracked", ".rarity", ".sizes")):
            continue
        read = found.get(name if name != shared else "image.facts.space.directions")
        if read is None:
            raise ConfigError(f"start: the version's files do not tell {name}")
        if tuple(read.shape) != tuple(value.shape):
            raise ConfigError(
                f"start: {name} is {tuple(read.shape)} in the version and {tuple(value.shape)} here"
            )
        value.data.copy_(torch.tensor(read))


def _compare(model: DualEncoder, golden: list[Path]) -> None:
    for path in golden:
        with np.load(path, allow_pickle=False) as stored:
            pairs = []
            if "crops" in stored:
                pairs.append((encode_pictures(model, stored["crops"]), stored["crop_vectors"]))
            if "captions" in stored:
                texts = [str(text) for text in stored["captions"]]
                pairs.append((encode_texts(model, texts), stored["caption_vectors"]))
        for got, expected in pairs:
            worst = float((1 - (got * expected).sum(axis=1)).max())
            if not worst <= TOLERANCE:
                raise ConfigError(
                    f"start: read back, the version gives other vectors (cosine {worst:.4f} off)"
                )


@torch.no_grad()
def _set_norms(image: nn.Module, pictures: Pixels) -> None:
    seen: dict[_BatchNorm, tuple[Tensor, Tensor]] = {}

    def look(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, _BatchNorm)
        axes = [0, *range(2, inputs[0].ndim)]
        seen[norm] = inputs[0].mean(dim=axes), inputs[0].var(dim=axes, unbiased=False)

    norms = [one for one in image.modules() if isinstance(one, _BatchNorm)]
    hooks = [one.register_forward_pre_hook(look) for one in norms]
    was_training = image.training
    image.eval()
    image(to_pictures(pictures))
    image.train(was_training)
    for hook in hooks:
        hook.remove()
    for norm, (mean, variance) in seen.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        shift = norm.bias - norm.running_mean * scale
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(scale * (variance + norm.eps).sqrt())
        norm.bias.copy_(shift + mean * scale)
