"""What stays in floats where the rest becomes int8."""

from onnx import TensorProto, helper

from training.ml.quantize import around_log_softmax


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
