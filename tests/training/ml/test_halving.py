"""Weights are stored in half precision only where that moves no vector by more than the gate."""

import numpy as np
import onnx
import pytest

from training.ml import export


@pytest.fixture
def graph(tmp_path):
    weight = onnx.numpy_helper.from_array(
        np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32), "weight"
    )
    node = onnx.helper.make_node("MatMul", ["data", "weight"], ["output"])
    float32 = onnx.TensorProto.FLOAT
    made = onnx.helper.make_graph(
        [node],
        "tower",
        [onnx.helper.make_tensor_value_info("data", float32, ["batch", 64])],
        [onnx.helper.make_tensor_value_info("output", float32, ["batch", 64])],
        [weight],
    )
    path = tmp_path / "model.onnx"
    onnx.save(onnx.helper.make_model(made), path)
    return path


def test_weights_that_matter_stay_whole(graph):
    """As those of a MobileNet that was trained elsewhere, whose vectors moved by 0.003."""
    before = graph.read_bytes()
    export.halve(graph, lambda: 0.003)
    assert graph.read_bytes() == before
    export.halve(graph, lambda: float("nan"))
    assert graph.read_bytes() == before


def test_others_take_half_the_room(graph):
    before = len(graph.read_bytes())
    export.halve(graph, lambda: export.PARITY / 2)
    assert len(graph.read_bytes()) < 0.6 * before
