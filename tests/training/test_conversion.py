"""Versions in fewer bits and with fixed shapes, on real ONNX files."""

import json

import numpy as np
import onnx
import pytest
from django.core.management import CommandError, call_command
from onnx import helper, numpy_helper

from search import retrieval, serving
from tests import towers as tiny
from tests import world
from training import versions
from training.ml import gates, graphs
from training.ml.runtime import Bundle

pytestmark = pytest.mark.django_db

FILES = {"model_image.onnx", "model_text.onnx", "characters.npy", "golden.npz", "model.json"}


@pytest.fixture
def version():
    return world.make_version("mine")


@pytest.fixture
def people():
    """Dataset "people": ten noisy pictures in each of six colours, with the colour's word.

    A fifth of them calibrates: enough that every colour is among them.
    """
    dataset = world.make_dataset("people")
    rng = np.random.default_rng(0)
    for colour in ("red", "green", "blue", "yellow", "black", "white"):
        for number in range(10):
            noise = rng.integers(-15, 16, (32, 16, 3))
            pixels = np.clip(tiny.plain_crop(colour).astype(int) + noise, 0, 255)
            image = world.make_image(dataset, pixels.astype(np.uint8))
            identity = world.make_identity(dataset, f"{colour} {number}")
            world.make_caption(world.make_box(image, identity=identity), colour)
    return dataset


def export(outdir, *options: str) -> Bundle:
    call_command("export_model", "mine", str(outdir), "--dataset", "people", *options)
    return Bundle.read(outdir)


def operators(path) -> dict[str, int]:
    return graphs.operators(onnx.load(path))


def vectors(bundle: Bundle) -> tuple[np.ndarray, np.ndarray]:
    crops = np.stack([tiny.plain_crop(colour) for colour in tiny.COLOURS])
    return bundle.image_tower().encode(crops), bundle.text_tower().encode(list(tiny.COLOURS))


def test_int8_towers_are_quantized_and_close(version, people, tmp_path, capsys):
    bundle = export(tmp_path / "out", "--precision", "int8")
    assert {path.name for path in bundle.folder.iterdir()} == FILES
    image = operators(bundle.folder / "model_image.onnx")
    assert image["QuantizeLinear"]
    assert image["DequantizeLinear"]
    assert operators(bundle.folder / "model_text.onnx")["MatMulInteger"] == 1
    export_fp32 = versions.export(version, tmp_path / "fp32")
    assert export_fp32["image"]["sha256"] != bundle.about["image"]["sha256"]
    for before, after in zip(vectors(Bundle.read(tmp_path / "fp32")), vectors(bundle), strict=True):
        assert (before * after).sum(axis=1).min() > 0.98
    said = capsys.readouterr().out
    assert "MatMulInteger" in said
    assert "worst golden cosine" in said
    assert "R@1" in said


def test_int8_weights_of_a_picture_are_signed_and_per_channel(version, people, tmp_path):
    bundle = export(tmp_path / "out", "--precision", "int8")
    model = onnx.load(bundle.folder / "model_image.onnx")
    stored = {entry.name: entry for entry in model.graph.initializer}
    scales = [
        stored[node.input[1]].dims
        for node in model.graph.node
        if node.op_type == "DequantizeLinear"
        and node.input[0] in stored
        and stored[node.input[0]].data_type == onnx.TensorProto.INT8
    ]
    assert [list(dims) for dims in scales] == [[16]]
    points = [stored[n.input[2]] for n in model.graph.node if n.op_type == "QuantizeLinear"]
    assert {point.data_type for point in points} == {onnx.TensorProto.UINT8}


def test_an_int8_version_is_registered_in_the_same_space_and_searched(version, people, tmp_path):
    export(tmp_path / "out", "--precision", "int8")
    small = versions.register_bundle(tmp_path / "out")
    assert (small.name, small.space) == ("mine-int8", version.space)
    assert small.image_encoder != version.image_encoder
    assert small.metrics["conversion"]["r1"] == pytest.approx(
        small.metrics["conversion"]["r1_before"], abs=gates.RECALL_LOSS
    )
    call_command("enroll", dataset="people", model="mine-int8")
    serving.switch_to(small, "text")
    page = retrieval.by_text("blue", user=None, limit=2)
    assert page.version == "mine-int8"
    assert len(page.hits) == 2
    assert all(hit.box.identity.key.startswith("blue ") for hit in page.hits)


def test_an_fp16_version_computes_in_half_and_is_fed_as_before(version, people, tmp_path):
    bundle = export(tmp_path / "out", "--precision", "fp16")
    model = onnx.load(bundle.folder / "model_image.onnx")
    kinds = {entry.data_type for entry in model.graph.initializer if len(entry.dims) > 1}
    assert kinds == {onnx.TensorProto.FLOAT16}
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert versions.register_bundle(bundle.folder).name == "mine-fp16"


def test_a_static_version_gives_the_same_vectors(version, people, tmp_path):
    options = "--static", "--batch", "3", "--length", "20"
    bundle = export(tmp_path / "out", *options)
    for name in ("model_image.onnx", "model_text.onnx"):
        assert graphs.open_axes(onnx.load(bundle.folder / name)) == []
    image, text = bundle.image_tower(), bundle.text_tower()
    assert text.length == 20
    versions.export(version, tmp_path / "fp32")
    for before, after in zip(vectors(Bundle.read(tmp_path / "fp32")), vectors(bundle), strict=True):
        np.testing.assert_allclose(after, before, atol=1e-5)
    assert image.encode(np.stack([tiny.plain_crop("red")])).shape == (1, 16)
    whole, cut = text.encode(["red blue red blue red blue", "red blue red blue re"])
    np.testing.assert_allclose(whole, cut, atol=1e-6)
    assert versions.register_bundle(bundle.folder).name == "mine-static"


def test_static_int8_goes_together(version, people, tmp_path):
    bundle = export(tmp_path / "out", "--precision", "int8", "--static", "--length", "16")
    assert graphs.open_axes(onnx.load(bundle.folder / "model_image.onnx")) == []
    assert bundle.about["name"] == "mine-int8-static"
    assert versions.register_bundle(bundle.folder).space == version.space


def test_an_fp32_export_keeps_its_graphs_byte_for_byte(version, tmp_path):
    call_command("export_model", "mine", str(tmp_path))
    assert Bundle.read(tmp_path).about["image"]["sha256"] == version.image_encoder.sha256


@pytest.mark.parametrize(
    ("gate", "value", "said"),
    [
        ("PARITY", {"int8": 1.1}, "golden input of the image tower"),
        ("MEAN_COSINE", 1.1, "mean cosine is"),
        ("RECALL_LOSS", -1, r"R@1 falls"),
    ],
)
def test_an_export_that_fails_a_gate_leaves_nothing(
    version, people, tmp_path, monkeypatch, gate, value, said
):
    monkeypatch.setattr(gates, gate, value)
    with pytest.raises(CommandError, match=said):
        export(tmp_path / "out", "--precision", "int8")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_keeps_what_was_there(version, people, tmp_path, monkeypatch):
    export(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(gates, "MEAN_COSINE", 1.1)
    with pytest.raises(CommandError, match="Nothing was written"):
        export(tmp_path, "--precision", "int8")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_version_of_pictures_alone_is_converted(people, tmp_path):
    world.make_version("mine", image_only=True)
    bundle = export(tmp_path / "out", "--precision", "int8")
    assert not (bundle.folder / "model_text.onnx").exists()
    assert versions.register_bundle(bundle.folder).is_image_only


def test_without_a_dataset_drawn_people_judge(version, tmp_path, settings):
    settings.PEDSITE_WORK_DIR = tmp_path / "work"
    words = "--precision", "fp16", "--dataset", "drawn:5:20"
    call_command("export_model", "mine", str(tmp_path / "out"), *words)
    about = json.loads((tmp_path / "out" / "model.json").read_text("utf-8"))
    assert "drawn:5:20" in about["notes"]


@pytest.mark.parametrize(
    "words",
    [
        ["--batch", "2"],
        ["--precision", "int8", "--length", "20"],
        ["--static", "--batch", "0"],
        ["--static", "--length", "513"],
        ["--precision", "int8", "--dataset", "drawn:5"],
    ],
)
def test_options_that_cannot_be_are_refused(version, people, tmp_path, words):
    with pytest.raises(CommandError):
        export(tmp_path / "out", *words)
    assert list(tmp_path.iterdir()) == []


def test_the_shipped_text_graph_holds_no_table():
    shipped = onnx.load(versions.SHIPPED / "model_text.onnx")
    assert graphs.lookups(shipped) == []
    assert {"Gather", "GatherND", "Embedding"}.isdisjoint(graphs.operators(shipped))
    assert np.load(versions.SHIPPED / "characters.npy").shape[:2] == (4, 256)


def test_a_table_in_a_text_graph_is_found_and_refused(version, people, tmp_path, monkeypatch):
    versions.export(version, tmp_path / "fp32")
    graph = onnx.load(tmp_path / "fp32" / "model_text.onnx")
    table = numpy_helper.from_array(np.zeros((5, 3), np.float32), "words")
    graph.graph.initializer.append(table)
    graph.graph.node.append(helper.make_node("Gather", ["words", "along"], ["row"], name="look"))
    assert graphs.lookups(graph) == ["look"]
    monkeypatch.setattr(graphs, "lookups", lambda model: ["look"])
    with pytest.raises(CommandError, match=r"table of its own \(look\)"):
        export(tmp_path / "out", "--precision", "int8")
    assert not (tmp_path / "out").exists()


def test_a_fixed_length_shorter_than_a_text_is_said(version, people, tmp_path, capsys):
    export(tmp_path / "out", "--static", "--length", "4")
    assert "4 of 6 texts are longer than 4 and are cut" in capsys.readouterr().out
