"""An ONNX detector of red things, in every output layout that is known.

It looks at the real input, so a wrong channel order, range, scale or offset shows in what it finds.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STRIDES = (8, 16, 32)


def write(path: Path, layout: str = "raw", side: int = 64) -> Path:
    """A detector whose cells fire where the picture is red; boxes are 8 x 16, 16 x 32, 32 x 64.

    Args:
        layout: "raw" and "decoded" for YOLOX, "rows6" and "rows7" for final rows, "odd".
    """
    yolox = layout in ("raw", "decoded")
    cells, strides = _cells(side)
    size = np.concatenate([strides, 2 * strides], axis=1)
    centre = (cells + 0.5) * strides
    constants = {
        "raw": np.concatenate([np.full_like(cells, 0.5), np.log(size / strides)], axis=1),
        "decoded": np.concatenate([centre, size], axis=1),
    }.get(layout, np.concatenate([centre - size / 2, centre + size / 2], axis=1))
    graph = _Graph()
    graph.constant("boxes", constants[None])
    # Red minus the others: BGR from 0 to 255, or RGB from 0 to 1.
    red = np.array([-1, -1, 1] if yolox else [1, -1, -1], dtype=np.float32)
    graph.constant("red", (red / (255 if yolox else 1)).reshape(3, 1))
    pooled = [_pooled(graph, stride) for stride in STRIDES]
    graph.add("Concat", pooled, "cells", axis=1)
    graph.add("MatMul", ["cells", "red"], "redness")
    graph.constant("zero", np.zeros(()))
    graph.constant("one", np.ones(()))
    graph.add("Clip", ["redness", "zero", "one"], "score")
    _finish(graph, layout, len(cells))
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, None)
    made = helper.make_graph(graph.nodes, "red", [picture], [output], graph.constants)
    onnx.save(
        helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    return path


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: list[str], output: str, **attributes: object) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))

    def constant(self, name: str, value: np.ndarray, dtype: type = np.float32) -> None:
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))


def _cells(side: int) -> tuple[np.ndarray, np.ndarray]:
    cells = [
        (column, row, stride)
        for stride in STRIDES
        for row in range(side // stride)
        for column in range(side // stride)
    ]
    table = np.array(cells, dtype=np.float32)
    return table[:, :2], table[:, 2:]


def _pooled(graph: _Graph, stride: int) -> str:
    name = f"cells{stride}"
    square = [stride, stride]
    graph.add("AveragePool", ["images"], f"{name}_p", kernel_shape=square, strides=square)
    graph.add("Transpose", [f"{name}_p"], f"{name}_t", perm=[0, 2, 3, 1])
    graph.constant(f"{name}_shape", np.array([1, -1, 3]), np.int64)
    graph.add("Reshape", [f"{name}_t", f"{name}_shape"], name)
    return name


def _finish(graph: _Graph, layout: str, count: int) -> None:
    ones = np.ones((1, count, 1))
    if layout in ("raw", "decoded"):
        graph.constant("classes", np.concatenate([ones, 0 * ones], axis=2))
        graph.add("Concat", ["boxes", "score", "classes"], "output", axis=2)
        return
    graph.constant("person", 0 * ones)
    parts = {
        "rows6": ["boxes", "score", "person"],
        "rows7": ["person", "boxes", "person", "score"],
        "odd": ["boxes"],
    }[layout]
    graph.add("Concat", parts, "all", axis=2)
    graph.constant("start", np.array([0]), np.int64)
    graph.constant("end", np.array([count - 1]), np.int64)
    graph.constant("axis", np.array([1]), np.int64)
    if layout == "rows6":  # one row less than there are cells: no YOLOX
        graph.add("Slice", ["all", "start", "end", "axis"], "output")
    elif layout == "rows7":
        graph.constant("flat", np.array([-1, 7]), np.int64)
        graph.add("Reshape", ["all", "flat"], "output")
    else:
        graph.add("Identity", ["all"], "output")
