"""The engine on pictures small enough to learn in seconds."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.ml.crops import coloured, tiny_config
from training.ml import checkpoint, engine, export, validation
from training.ml.config import ConfigError, TrainConfig
from training.ml.data import CaptionedCrops, Probe, rows_of_step
from training.ml.engine import Watch
from training.ml.runtime import Bundle, SelfTestFailed, check_golden


@pytest.fixture(scope="module")
def crops() -> CaptionedCrops:
    return coloured()


def run(config, crops, folder, should_stop=lambda: False):
    curve: dict[int, float] = {}

    def report(step, values):
        if "loss" in values:
            curve[step] = values["loss"]

    probe = crops.probe(np.arange(48), np.random.default_rng(1))
    watch = Watch(report=report, should_stop=should_stop)
    best = engine.train(config, crops, probe, folder, watch=watch)
    return best, curve


def test_the_towers_learn_to_find_what_a_text_says(crops, tmp_path):
    """Chance is 1 in 16: the probe's texts, half of them Chinese, find who they describe."""
    config = tiny_config(steps=120, text_width=64, byte_width=16)
    best, curve = run(config, crops, tmp_path)
    assert curve[120] < curve[1] / 3
    _, model = export.restore(best)
    probe = crops.probe(np.arange(48), np.random.default_rng(2))
    for texts in (list(range(48)), [r for r in range(48) if "上衣" in probe.texts[r]]):
        chosen = Probe(
            pixels=probe.pixels,
            texts=[probe.texts[row] for row in texts],
            positive=probe.positive[texts],
        )
        assert validation.validate(model, chosen)[1] > 0.5


def test_a_run_cut_off_and_resumed_gives_the_same_curve_and_weights(crops, tmp_path):
    config = tiny_config()
    straight, curve = run(config, crops, tmp_path / "straight")
    asked = iter([False] * 12 + [True] * 100)
    with pytest.raises(engine.Stopped, match="step 13 of 40"):
        run(config, crops, tmp_path / "cut", should_stop=lambda: next(asked))
    resumed, rest = run(config, crops, tmp_path / "cut")
    assert min(rest) == 14
    assert all(rest[step] == pytest.approx(curve[step], rel=1e-4) for step in rest)
    one, other = checkpoint.load(straight)["model"], checkpoint.load(resumed)["model"]
    assert all(torch.allclose(one[name], other[name], atol=1e-4) for name in one)


def test_the_text_tower_ends_against_pictures_that_stay_fixed(crops, tmp_path):
    run(tiny_config(), crops, tmp_path / "before")
    best, curve = run(tiny_config(text_last=20, gallery=48), crops, tmp_path / "after")
    assert sorted(curve) == list(range(1, 61))
    one = checkpoint.load(tmp_path / "before" / engine.BEST)["model"]
    other = checkpoint.load(best)["model"]
    moved = {name.split(".")[0] for name in one if not torch.equal(one[name], other[name])}
    assert moved == {"text"}


def test_a_damaged_checkpoint_is_refused_by_name(crops, tmp_path):
    (tmp_path / engine.LAST).write_bytes(b"not a checkpoint")
    with pytest.raises(checkpoint.CheckpointError, match=r"last\.pt"):
        run(tiny_config(), crops, tmp_path)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path):
    path = tmp_path / "evil.pt"
    torch.save({"step": Path("/")}, path)
    with pytest.raises(checkpoint.CheckpointError, match=r"evil\.pt"):
        checkpoint.load(path)


def test_facts_first_needs_data_that_knows_facts(crops, tmp_path):
    with pytest.raises(ConfigError, match="text_first"):
        run(tiny_config(text_first=5), crops, tmp_path)


def test_every_row_comes_once_an_epoch_and_order_depends_on_the_step_alone():
    steps = [rows_of_step(step, count=50, batch=10, seed=3) for step in range(5)]
    assert sorted(np.concatenate(steps)) == list(range(50))
    assert (rows_of_step(7, count=50, batch=10, seed=3) != steps[2]).any()
    assert (rows_of_step(2, count=50, batch=10, seed=3) == steps[2]).all()


@pytest.fixture(scope="module")
def bundle(crops, tmp_path_factory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    best, _ = run(tiny_config(steps=20, pooling="gem"), crops, folder / "run")
    config, model = export.restore(best)
    about = {"name": "tiny", "space": "tiny", "licence": "test", "metrics": {}}
    captions = ["red top, blue trousers", "红上衣", "x" * 300]
    return export.export(
        config, model, folder / "out", crops=crops._pixels[:4], captions=captions, about=about
    )


def test_an_exported_bundle_passes_its_own_golden_check(bundle):
    image, text = bundle.image_tower(), bundle.text_tower()
    check_golden(image, text, bundle.folder / "golden.npz")
    assert (image.height, image.width, image.dim, text.dim) == (32, 16, 16, 16)


def test_an_exported_graph_does_not_tell_where_it_was_made(bundle):
    for name in ("model_image.onnx", "model_text.onnx"):
        assert b".py" not in (bundle.folder / name).read_bytes()


def test_large_weights_of_an_exported_tower_are_halved(bundle):
    import onnx

    for name in ("model_image.onnx", "model_text.onnx"):
        weights = onnx.load(bundle.folder / name).graph.initializer
        kinds = {weight.data_type for weight in weights if np.prod(weight.dims) >= 1024}
        assert kinds == {onnx.TensorProto.FLOAT16}, name


def test_the_exported_towers_take_any_batch_and_any_length(bundle, crops):
    image, text = bundle.image_tower(), bundle.text_tower()
    whole = image.encode(crops._pixels[:5])
    np.testing.assert_allclose(image.encode(crops._pixels[2:3]), whole[2:3], atol=1e-4)
    texts = ["a", "红", "a red top", "y" * 500]
    together = text.encode(texts)
    for row, words in enumerate(texts):
        np.testing.assert_allclose(text.encode([words]), together[row : row + 1], atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_the_text_graph_holds_no_table_lookup(bundle):
    import onnx

    graph = onnx.load(bundle.folder / "model_text.onnx").graph
    tables = [weight for weight in graph.initializer if 256 in weight.dims]
    assert not tables


def test_other_vectors_than_the_golden_ones_are_refused(bundle, tmp_path):
    with np.load(bundle.folder / "golden.npz") as stored:
        values = dict(stored)
    values["crop_vectors"] = -values["crop_vectors"]
    np.savez(tmp_path / "golden.npz", **values)
    with pytest.raises(SelfTestFailed, match="golden crops differ"):
        check_golden(bundle.image_tower(), bundle.text_tower(), tmp_path / "golden.npz")


def test_a_setting_that_does_not_exist_is_refused_with_the_nearest_name():
    with pytest.raises(ConfigError, match="did you mean batch"):
        TrainConfig.from_dict({"bach": 3})
    with pytest.raises(ConfigError, match="batch must be int"):
        TrainConfig.from_dict({"batch": "many"})
    with pytest.raises(ConfigError, match="pretrained_licence"):
        TrainConfig.from_dict({"pretrained": "some/model"})
    assert TrainConfig.from_dict(TrainConfig(lr=0.5).to_dict()) == TrainConfig(lr=0.5)
