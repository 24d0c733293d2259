"""The first convolution over bytes by blocks says what it said over numbers."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

from training.ml import stem
from training.ml.quantize import image_to_int8

SIDE = 16


def tower(kernel=3, stride=2, side=SIDE, around=None, steps=(("Div", 127.5), ("Sub", 1.0))):
    """Bytes (B, side, side, 3) to numbers, a convolution, a ReLU."""
    rng = np.random.default_rng(kernel)
    weight = rng.standard_normal((4, 3, kernel, kernel)).astype(np.float32)
    values = {"w": weight, "b": rng.standard_normal(4).astype(np.float32)}
    nodes = [
        helper.make_node("Transpose", ["pixels"], ["turned"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["turned"], ["x"], to=TensorProto.FLOAT),
    ]
    name = "x"
    for operator, number in steps:
        values[f"{name}_by"] = np.array(number, np.float32)
        nodes.append(helper.make_node(operator, [name, f"{name}_by"], [f"{name}_"]))
        name += "_"
    pads = [kernel // 2 if around is None else around] * 4
    nodes += [
        helper.make_node("Conv", [name, "w", "b"], ["y"], pads=pads, strides=[stride] * 2),
        helper.make_node("Relu", ["y"], ["output"]),
    ]
    return helper.make_model(
        helper.make_graph(
            nodes,
            "tower",
            [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", side, side, 3])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 4, "h", "w"])],
            [numpy_helper.from_array(value, key) for key, value in values.items()],
        ),
        ir_version=10,
        opset_imports=[helper.make_opsetid("", 18)],
    )


def run(model, pixels):
    source = model if isinstance(model, str) else model.SerializeToString()
    return ort.InferenceSession(source).run(None, {"pixels": pixels})[0]


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_blocks_of_bytes_give_the_same_numbers(kernel, pixels):
    model = tower(kernel)
    expected = run(model, pixels)
    assert stem.on_bytes(model)
    onnx.checker.check_model(model)
    found = run(model, pixels)
    inside = slice(2, -2)
    np.testing.assert_allclose(found[..., inside, inside], expected[..., inside, inside], atol=1e-4)
    # Around the picture stands the byte 128, which is .004 and not 0.
    np.testing.assert_allclose(found, expected, atol=0.004 * 3 * kernel**2)


def test_slope_and_offset_come_from_whatever_makes_numbers_of_bytes(pixels):
    model = tower(steps=(("Mul", 1 / 255), ("Add", -0.5), ("Div", 0.25)))
    expected = run(model, pixels)
    assert stem.on_bytes(model)
    np.testing.assert_allclose(run(model, pixels), expected, atol=0.01 * 27)


@pytest.mark.parametrize(
    "other", [{"stride": 1}, {"around": 0}, {"side": 15}, {"steps": (("Pow", 2.0),)}]
)
def test_any_other_beginning_stays_as_it_is(other):
    model = tower(**other)
    before = model.SerializeToString()
    assert not stem.on_bytes(model)
    assert model.SerializeToString() == before


def test_in_int8_bytes_go_into_the_first_convolution_as_they_are(tmp_path, pixels):
    model = tower(7)
    expected = run(model, pixels)
    image_to_int8(model, target := tmp_path / "int8.onnx", [{"pixels": pixels}])
    made = onnx.load(target)
    operators = [node.op_type for node in made.graph.node]
    assert "Cast" not in operators
    assert "Sub" not in operators
    # Of what is left, only the output is rounded.
    assert operators.count("QuantizeLinear") <= 1
    found = run(str(target), pixels)
    assert np.abs(found - expected).max() < 0.03 * expected.max()
