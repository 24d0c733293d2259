"""Towers in fewer bits: int8 for CPUs and NPUs, fp16 for GPUs."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.quant_utils import add_pre_process_metadata
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

from training.ml import stem

Precision = Literal["fp32", "fp16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "fp16", "int8")

# What carries a picture through a CNN. Pooling over stripes and their concatenation stay in
# floats: they cost nothing, and rounding them costs accuracy. A ReLU that is named here goes into
# the range of what it cuts; left out, it would run in floats, with a conversion before and after.
_STATIC_OPERATORS = [
    *("Conv", "Relu", "Clip", "Gemm", "MatMul", "Add"),
    *("MaxPool", "AveragePool", "GlobalAveragePool"),
]
# A power of a small number, as in GeM, is zero in fp16.
_FLOAT_OPERATORS = [*DEFAULT_OP_BLOCK_LIST, "Pow"]

Feed = dict[str, npt.NDArray[Any]]


class _Feeds(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def image_to_int8(model: ModelProto, target: Path, feeds: Iterable[Feed]) -> None:
    """Write a CNN as static QDQ: unsigned 8-bit activations, signed 8-bit weights per channel.

    Args:
        model: simplified, so that a convolution, its bias and its ReLU can run as one.
        feeds: input name -> a batch of real crops as the graph reads them; the range of every
            activation is what these reach.
    """
    prepared = _prepared(model)
    options: dict[str, Any] = {}
    reads_bytes = stem.on_bytes(prepared)
    if reads_bytes:
        one, middle = np.array(1, np.float32), np.array(stem.MIDDLE, np.uint8)
        whole = {"quant_type": QuantType.QUInt8, "scale": one, "zero_point": middle}
        options["TensorQuantOverrides"] = {stem.CENTRED: [whole]}
    quantize_static(
        prepared,
        str(target),
        _Feeds(feeds),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=_STATIC_OPERATORS,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=around_log_softmax(model),
        extra_options=options,
    )
    if reads_bytes:
        made = onnx.load(target)
        stem.without_numbers(made)
        onnx.checker.check_model(made)
        onnx.save(made, target)


def around_log_softmax(model: ModelProto) -> list[str]:
    """Nodes that stay in floats: what follows a LogSoftmax, and the product whose result it takes.

    One step of 255 between log probabilities is as much as two candidates differ by.
    """
    made = {output: node for node in model.graph.node for output in node.output}
    tainted: set[str] = set()
    names: list[str] = []
    for node in model.graph.node:  # in the order in which they run
        if node.op_type == "LogSoftmax":
            before = made.get(node.input[0])
            while before is not None and before.op_type in ("Split", "Slice", "Reshape"):
                before = made.get(before.input[0])
            names += [before.name] if before is not None else []
        if node.op_type == "LogSoftmax" or tainted & set(node.input):
            tainted |= set(node.output)
            names.append(node.name)
    return list(dict.fromkeys(names))


def text_to_int8(model: ModelProto, target: Path) -> None:
    """Write a transformer with 8-bit matrices; the range of activations is found as it runs.

    Static ranges do not hold for attention: texts differ too much.
    """
    quantize_dynamic(
        _prepared(model),
        str(target),
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )


def to_fp16(model: ModelProto, target: Path) -> None:
    """Write a graph that computes in fp16, with the inputs and the output of before."""
    copy = ModelProto()
    copy.CopyFrom(model)
    half = convert_float_to_float16(copy, keep_io_types=True, op_block_list=_FLOAT_OPERATORS)
    onnx.save(half, target)


def batches(rows: npt.NDArray[np.uint8], size: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Rows in batches of exactly `size`; the last is filled up with its last row."""
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        yield np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), axis=0)])


def _prepared(model: ModelProto) -> ModelProto:
    """A copy marked as simplified already, without which the quantizer warns."""
    copy = ModelProto()
    copy.CopyFrom(model)
    add_pre_process_metadata(copy)
    return copy
