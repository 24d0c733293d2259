"""Tiny towers, real ONNX files, for tests that need a model and not a good one."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.ml import chars
from training.ml.runtime import Bundle, ImageTower, TextTower

# The text vector of each word equals the image vector of a picture of that colour alone, so
# that a test can say what a search must find.
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (200, 30, 30),
    "green": (30, 160, 60),
    "blue": (30, 60, 190),
    "yellow": (230, 210, 40),
    "black": (20, 20, 20),
    "white": (240, 240, 240),
    "红": (200, 30, 30),
    "蓝": (30, 60, 190),
}
GRID = (4, 2)  # the picture is averaged over so many rows and columns
TABLE_WIDTH = 8  # floats for each byte


def plain_crop(colour: str, height: int = 32, width: int = 16) -> np.ndarray:
    """uint8 (height, width, 3), all of one colour of COLOURS."""
    return np.full((height, width, 3), COLOURS[colour], dtype=np.uint8)


def _save(nodes: Sequence[onnx.NodeProto], inputs, output, weights, path: Path) -> Path:
    graph = helper.make_graph(
        list(nodes),
        "tower",
        list(inputs),
        [output],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def image_tower(
    path: Path, dim: int = 16, height: int = 32, width: int = 16, seed: int = 0, scale: float = 1
) -> Path:
    """A tower of uint8 NHWC pictures: colours averaged over GRID, then one fixed matrix.

    With `scale` 0 all pictures get one vector; with `scale` nan none gets a usable one.
    """
    rng = np.random.default_rng(seed)
    rows, columns = GRID
    weights = {
        "white": np.float32(255),
        "grey": np.float32(0.5),
        "matrix": (rng.normal(size=(3 * rows * columns, dim)) * scale).astype(np.float32),
        "bias": rng.normal(scale=0.05, size=dim).astype(np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["input"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["float", "white"], ["unit"]),
        helper.make_node("Sub", ["unit", "grey"], ["centred"]),
        helper.make_node("Transpose", ["centred"], ["planes"], perm=[0, 3, 1, 2]),
        _pool("planes", "pooled", height, width),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["output"]),
    ]
    picture = helper.make_tensor_value_info("input", TensorProto.UINT8, ["batch", height, width, 3])
    vector = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", dim])
    return _save(nodes, [picture], vector, weights, path)


def foreign_image_tower(
    path: Path,
    dim: int = 16,
    height: int | str = 32,
    width: int | str = 16,
    seed: int = 0,
    batch: int | str = "batch",
) -> Path:
    """A tower as others export it: float NCHW pictures, already normalized, named `input`."""
    rng = np.random.default_rng(seed)
    pool = (
        [_pool("input", "pooled", height, width)]
        if isinstance(height, int) and isinstance(width, int)
        else [helper.make_node("GlobalAveragePool", ["input"], ["pooled"])]
    )
    cells = GRID[0] * GRID[1] if isinstance(height, int) and isinstance(width, int) else 1
    weights = {"matrix": rng.normal(size=(3 * cells, dim)).astype(np.float32)}
    nodes = [
        *pool,
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["output"]),
    ]
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, 3, height, width])
    vector = helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, dim])
    return _save(nodes, [picture], vector, weights, path)


def _pool(source: str, target: str, height: int, width: int) -> onnx.NodeProto:
    cell = [height // GRID[0], width // GRID[1]]
    return helper.make_node("AveragePool", [source], [target], kernel_shape=cell, strides=cell)


def character_table(path: Path, seed: int = 0) -> Path:
    """Byte tables (4, 256, TABLE_WIDTH), float32."""
    rng = np.random.default_rng(seed)
    np.save(path, rng.normal(size=(chars.BYTES, 256, TABLE_WIDTH)).astype(np.float32))
    return path


def text_tower(path: Path, characters: Path, image: ImageTower, *, scale: float = 1) -> Path:
    """The mean over the characters, then a matrix fitted so that COLOURS meet `image`'s."""
    tables = np.load(characters)
    words = list(COLOURS)
    means = []
    for word in words:
        ids, mask = chars.pad([word])
        means.append(chars.embed(ids, mask, tables).mean(axis=1)[0])
    wanted = image.encode(np.stack([plain_crop(word, image.height, image.width) for word in words]))
    matrix = np.linalg.lstsq(np.stack(means), wanted, rcond=None)[0]
    nodes = [
        helper.make_node("ReduceSum", ["data", "along"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "along"], ["length"], keepdims=1),
        helper.make_node("Div", ["sum", "length"], ["mean"]),
        helper.make_node("Gemm", ["mean", "matrix", "bias"], ["output"]),
    ]
    weights = {
        "along": np.array([1], dtype=np.int64),
        "matrix": (matrix * scale).astype(np.float32),
        "bias": np.full(image.dim, 0 if scale else 1, dtype=np.float32),
    }
    width = chars.BYTES * TABLE_WIDTH
    inputs = [
        helper.make_tensor_value_info("data", TensorProto.FLOAT, ["batch", "length", width]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", "length"]),
    ]
    vector = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", image.dim])
    return _save(nodes, inputs, vector, weights, path)


def tiny_bundle(
    folder: Path,
    dim: int = 16,
    height: int = 32,
    width: int = 16,
    *,
    seed: int = 0,
    name: str = "tiny",
    space: str = "tiny",
) -> Bundle:
    """A whole version on disk, as `export_model` writes one; its words are COLOURS."""
    folder.mkdir(parents=True, exist_ok=True)
    preprocessing = {"height": height, "width": width, "input": "uint8", "layout": "nhwc"}
    image_path = image_tower(folder / "model_image.onnx", dim, height, width, seed)
    image = ImageTower(image_path, preprocessing)
    table = character_table(folder / "characters.npy", seed)
    text_path = text_tower(folder / "model_text.onnx", table, image)
    text = TextTower(text_path, table)
    crops = np.stack([plain_crop(word, height, width) for word in COLOURS])
    np.savez(
        folder / "golden.npz",
        crops=crops,
        crop_vectors=image.encode(crops),
        captions=np.array(list(COLOURS)),
        caption_vectors=text.encode(list(COLOURS)),
    )
    about = {
        "name": name,
        "space": space,
        "dim": dim,
        "licence": "CC0-1.0",
        "image": {
            "file": image_path.name,
            "sha256": _sha256(image_path),
            "preprocessing": preprocessing,
        },
        "text": {
            "file": text_path.name,
            "sha256": _sha256(text_path),
            "characters": table.name,
            "characters_sha256": _sha256(table),
            "preprocessing": {"lower": False},
        },
        "golden": "golden.npz",
        "metrics": {"en": {"recall_at_1": 0.5}},
    }
    (folder / "model.json").write_text(json.dumps(about), "utf-8")
    return Bundle.read(folder)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
