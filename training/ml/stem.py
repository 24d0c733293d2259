"""The first convolution of a CNN that reads bytes, so that int8 takes them as they are.

As exported, a tower turns bytes into numbers from -1 to 1, which int8 would turn back into bytes:
passes over the whole picture at its largest, as costly as a stage of the network. And a convolution
of three channels fills a third of the instructions that multiply bytes; over blocks of 2 x 2 pixels
it has twelve, and says the same.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

# The byte that stands for nothing: what is around a picture, and the zero point of int8.
MIDDLE = 128
# The tensor of bytes less MIDDLE, whose scale is 1 in int8.
CENTRED = "stem_centred"
_BYTES = "stem_bytes"

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True)
class _Stem:
    """What leads from the input to the first convolution: number = slope * byte + offset."""

    before: list[NodeProto]
    conv: NodeProto
    slope: float
    offset: float


def on_bytes(model: ModelProto) -> bool:
    """Rewrite the stem to read bytes less MIDDLE by blocks, in place; False where it is another.

    That is: a convolution of stride 2 that keeps to its borders, over bytes (B, H, W, 3) of even
    sides, brought to numbers by one slope and offset. Around the picture, where it saw 0, it then
    sees the number of the byte MIDDLE: with -1 to 1, .004.
    """
    stem = _find(model)
    if stem is None:
        return False
    graph, conv = model.graph, stem.conv
    pixels = graph.input[0]
    height, width = (axis.dim_value for axis in pixels.type.tensor_type.shape.dim[1:3])
    weights = {entry.name: entry for entry in graph.initializer}
    kernel = numpy_helper.to_array(weights[conv.input[1]])
    bias = numpy_helper.to_array(weights[conv.input[2]]) if len(conv.input) > 2 else 0.0
    rest = stem.slope * MIDDLE + stem.offset
    new = {
        "stem_weight": _by_blocks(kernel * np.float32(stem.slope)),
        "stem_bias": (bias + rest * kernel.sum(axis=(1, 2, 3))).astype(np.float32),
        "stem_middle": np.array(MIDDLE, np.float32),
        "stem_apart": np.array([-1, height // 2, 2, width // 2, 2, 3]),
        "stem_blocks": np.array([-1, height // 2, width // 2, 12]),
    }
    graph.initializer.extend(numpy_helper.from_array(each, name) for name, each in new.items())
    lead, size = _lead(kernel), _blocks(kernel)
    nodes = [
        helper.make_node("Reshape", [pixels.name, "stem_apart"], ["stem_split"]),
        helper.make_node("Transpose", ["stem_split"], ["stem_turned"], perm=[0, 1, 3, 2, 4, 5]),
        helper.make_node("Reshape", ["stem_turned", "stem_blocks"], ["stem_rows"]),
        helper.make_node("Transpose", ["stem_rows"], [_BYTES], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", [_BYTES], ["stem_numbers"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["stem_numbers", "stem_middle"], [CENTRED], name="stem_centre"),
        helper.make_node(
            "Conv",
            [CENTRED, "stem_weight", "stem_bias"],
            list(conv.output),
            name="stem_conv",
            kernel_shape=[size, size],
            pads=[lead, lead, size - 1 - lead, size - 1 - lead],
            strides=[1, 1],
        ),
    ]
    for node in [*stem.before, conv]:
        graph.node.remove(node)
    for place, node in enumerate(nodes):
        graph.node.insert(place, node)
    del graph.value_info[:]  # what was inferred of the nodes that are gone
    return True


def without_numbers(model: ModelProto) -> None:
    """Of a quantized graph, let the first convolution read the bytes themselves, in place.

    The quantizer's bytes of CENTRED are those of the picture: with scale 1 and MIDDLE as its zero
    point it undoes what was done to them.
    """
    graph = model.graph
    (quantize,) = (
        node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == CENTRED
    )
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == quantize.output[0]:
                node.input[place] = _BYTES
    gone = {CENTRED, "stem_numbers", quantize.output[0]}
    for node in [node for node in graph.node if set(node.output) & gone]:
        graph.node.remove(node)


def _find(model: ModelProto) -> _Stem | None:
    graph = model.graph
    weights = {entry.name: entry for entry in graph.initializer}
    readers: dict[str, list[NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    if len(graph.input) != 1 or not _is_even(graph.input[0]):
        return None
    name = graph.input[0].name
    before: list[NodeProto] = []
    slope, offset, is_turned = 1.0, 0.0, False
    while len(readers.get(name, [])) == 1:
        (node,) = readers[name]
        if node.op_type == "Conv":
            fits = is_turned and _fits(node, weights)
            return _Stem(before, node, slope, offset) if fits else None
        if node.op_type == "Transpose":
            is_turned = list(_attribute(node, "perm", [])) == [0, 3, 1, 2] and not is_turned
        elif node.op_type != "Cast":
            number = _scalar(node, weights)
            if number is None:
                return None
            slope, offset = _applied(node.op_type, slope, offset, number)
        before.append(node)
        name = node.output[0]
    return None


def _is_even(entry: ValueInfoProto) -> bool:
    tensor = entry.type.tensor_type
    sides = [axis.dim_value for axis in tensor.shape.dim[1:]]
    even = len(sides) == 3 and all(side and side % 2 == 0 for side in sides[:2])
    return tensor.elem_type == TensorProto.UINT8 and even and sides[2] == 3


def _scalar(node: NodeProto, weights: dict[str, TensorProto]) -> float | None:
    """What a node adds, subtracts or divides by, if it is one number on its right side."""
    if node.op_type not in ("Add", "Sub", "Mul", "Div") or node.input[1] not in weights:
        return None
    value = numpy_helper.to_array(weights[node.input[1]])
    return float(value.ravel()[0]) if value.size == 1 else None


def _applied(operator: str, slope: float, offset: float, number: float) -> tuple[float, float]:
    if operator in ("Add", "Sub"):
        return slope, offset + (number if operator == "Add" else -number)
    factor = number if operator == "Mul" else 1 / number
    return slope * factor, offset * factor


def _fits(conv: NodeProto, weights: dict[str, TensorProto]) -> bool:
    if not all(name in weights for name in conv.input[1:]):
        return False
    sides = numpy_helper.to_array(weights[conv.input[1]]).shape[2:]
    around = [(sides[0] - 1) // 2] * 4
    return (
        sides[0] == sides[1]
        and sides[0] % 2 == 1
        and list(_attribute(conv, "strides", [1, 1])) == [2, 2]
        and list(_attribute(conv, "pads", [0] * 4)) == around
        and list(_attribute(conv, "dilations", [1, 1])) == [1, 1]
        and _attribute(conv, "group", 1) == 1
    )


def _attribute(node: NodeProto, name: str, default: Any) -> Any:
    found = [entry for entry in node.attribute if entry.name == name]
    return helper.get_attribute_value(found[0]) if found else default


def _lead(kernel: Weights) -> int:
    """Blocks before the one of the output."""
    return int(kernel.shape[2] // 2 + 1) // 2


def _blocks(kernel: Weights) -> int:
    """Blocks a side that a kernel (O, 3, k, k) reaches over."""
    return _lead(kernel) + int(kernel.shape[2]) // 4 + 1


def _by_blocks(kernel: Weights) -> Weights:
    """(O, 12, n, n) that does to blocks of 2 x 2 what (O, 3, k, k) with stride 2 does to pixels."""
    channels_out, channels, side, _ = kernel.shape
    size, first = _blocks(kernel), 2 * _lead(kernel) - side // 2
    wide = np.zeros((channels_out, channels, 2 * size, 2 * size), np.float32)
    wide[:, :, first : first + side, first : first + side] = kernel
    apart = wide.reshape(channels_out, channels, size, 2, size, 2)
    return np.ascontiguousarray(
        apart.transpose(0, 3, 5, 1, 2, 4).reshape(channels_out, 4 * channels, size, size)
    )
