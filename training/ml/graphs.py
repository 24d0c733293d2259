"""ONNX graphs of towers as data: simplified, fixed in their shapes, counted."""

import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import onnx
import onnxslim
from onnx import ModelProto, ValueInfoProto

# Numbers in a weight from which on its precision matters to the size of the file.
_LARGE = 1024


def operators(model: ModelProto) -> Counter[str]:
    """How many nodes of each operator the graph has."""
    return Counter(node.op_type for node in model.graph.node)


@contextmanager
def without_advice() -> Iterator[None]:
    """Without what torch's exporter tells those who develop it, which would fill a run's log."""
    talker = logging.getLogger("torch.onnx")
    before = talker.level
    talker.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        talker.setLevel(before)


def forget_origin(model: ModelProto) -> None:
    """Take out which lines of which files on this machine each node came from."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    for weight in graph.initializer:
        del weight.metadata_props[:]
        weight.doc_string = ""
    for function in model.functions:
        for part in (function, *function.node, *function.value_info):
            del part.metadata_props[:]
            part.doc_string = ""


def simplify(model: ModelProto) -> ModelProto:
    """The same function with constants folded and needless nodes gone; the model is not changed.

    Source: onnxslim.
    """
    copy = ModelProto()
    copy.CopyFrom(model)
    slim: ModelProto = onnxslim.slim(copy)
    onnx.checker.check_model(slim)
    return slim


def fix_shapes(model: ModelProto, batch: int, length: int | None = None) -> ModelProto:
    """A copy that takes `batch` inputs at a time, texts of `length` characters.

    Args:
        length: replaces the second axis of every input; None for pictures, whose axes stay.

    Raises: ValueError, an axis of an input stays open, or batch or length is below 1.
    """
    if batch < 1 or (length is not None and length < 1):
        raise ValueError("a fixed batch and a fixed length are at least 1")
    fixed = ModelProto()
    fixed.CopyFrom(model)
    for entry in fixed.graph.input:
        axes = entry.type.tensor_type.shape.dim
        axes[0].dim_value = batch
        if length is not None:
            axes[1].dim_value = length
        if not all(axis.dim_value for axis in axes):
            raise ValueError(f"input {entry.name} of the graph has an axis that stays open")
    # What was inferred for open axes would contradict the fixed ones.
    del fixed.graph.value_info[:]
    for entry in fixed.graph.output:
        entry.type.tensor_type.shape.dim[0].dim_value = batch
    return fixed


def open_axes(model: ModelProto) -> list[str]:
    """Inputs and outputs with an axis that is not a number."""
    entries: Sequence[ValueInfoProto] = [*model.graph.input, *model.graph.output]
    return [
        entry.name
        for entry in entries
        if not all(axis.dim_value for axis in entry.type.tensor_type.shape.dim)
    ]


def lookups(model: ModelProto) -> list[str]:
    """Nodes that look rows up in a stored table, as an Embedding does; NPUs cannot run them."""
    tables = {entry.name for entry in model.graph.initializer if len(entry.dims) > 1}
    for node in model.graph.node:
        if node.op_type == "Constant" and len(node.attribute[0].t.dims) > 1:
            tables.add(node.output[0])
    found = ("Gather", "GatherND", "GatherElements")
    return [
        node.name or node.output[0]
        for node in model.graph.node
        if node.op_type == "EmbedLayerNormalization"
        or (node.op_type in found and node.input[0] in tables)
    ]


def weight_bytes(model: ModelProto) -> int:
    """Bytes of all stored weights."""
    return sum(len(weight.raw_data) for weight in model.graph.initializer)


def halve_weights(model: ModelProto) -> None:
    """Store large weights as fp16, each behind a Cast to fp32 that is folded when a session loads.

    Half the file, the same speed and fp32 arithmetic; rounding a weight to 11 bits moves a vector
    very little, and whoever calls this checks by how much.
    """
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
