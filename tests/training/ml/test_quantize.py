"""What stays in floats where the rest becomes int8."""

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from training.ml.quantize import around_log_softmax, image_to_int8


def graph(*nodes):
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node(op, inputs, outputs, name=name)
                for name, op, inputs, outputs in nodes
            ],
            "tower",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 8])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 8])],
        )
    )


def test_log_probabilities_and_what_is_made_of_them_stay_in_floats():
    model = graph(
        ("early", "Gemm", ["pixels", "w0"], ["x"]),
        ("read", "Gemm", ["x", "w1"], ["y"]),
        ("part", "Split", ["y"], ["a", "b"]),
        ("first", "LogSoftmax", ["a"], ["la"]),
        ("second", "LogSoftmax", ["b"], ["lb"]),
        ("join", "Concat", ["la", "lb"], ["l"]),
        ("write", "MatMul", ["l", "w2"], ["output"]),
    )
    assert around_log_softmax(model) == ["read", "first", "second", "join", "write"]


def test_a_tower_that_knows_no_facts_is_quantized_whole():
    model = graph(
        ("early", "Gemm", ["pixels", "w0"], ["x"]), ("last", "Gemm", ["x", "w1"], ["output"])
    )
    assert around_log_softmax(model) == []


def test_a_relu_goes_into_the_range_of_its_convolution(tmp_path):
    weights = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Conv", ["pixels", "w"], ["x"], name="conv", pads=[1, 1, 1, 1]),
                helper.make_node("Relu", ["x"], ["output"], name="relu"),
            ],
            "tower",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, 8, 8])],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 4, 8, 8])],
            [numpy_helper.from_array(weights, "w")],
        ),
        ir_version=10,
        opset_imports=[helper.make_opsetid("", 18)],
    )
    pixels = np.random.default_rng(1).random((2, 3, 8, 8), dtype=np.float32)
    target = tmp_path / "int8.onnx"
    image_to_int8(model, target, [{"pixels": pixels}])
    assert "Relu" not in {node.op_type for node in onnx.load(target).graph.node}
    expected, found = (
        ort.InferenceSession(source).run(None, {"pixels": pixels})[0]
        for source in (model.SerializeToString(), str(target))
    )
    assert (expected == 0).any()
    assert np.abs(found - expected).max() < 0.03 * expected.max()
