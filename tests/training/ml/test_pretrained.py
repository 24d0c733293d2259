"""Towers of pretrained models: they compute what the model does, and say what does not fit."""

import numpy as np
import pytest
import torch

from tests.training import foreign_models
from training.ml import foreign
from training.ml.config import ConfigError, TrainConfig
from training.ml.dual_encoder import build
from training.ml.validation import encode_pictures, encode_texts

TEXTS = ["a man in a red coat", "穿红色外套的女人", "a", "the woman with blue shoes and a backpack"]


def config(folder, **settings):
    size = {"height": foreign_models.SIDE, "width": foreign_models.SIDE, "dim": 24}
    chosen = {**size, "model": str(folder), "pretrained_licence": "MIT", **settings}
    return TrainConfig.of_recipe("clip", chosen)


@pytest.mark.parametrize("family", ["clip", "chinese_clip", "siglip"])
def test_both_towers_give_the_models_own_vectors(family, tmp_path):
    folder = foreign_models.MODELS[family](tmp_path)
    whole = foreign.load(str(folder), device="cpu")
    crops = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)
    dim = 32 if family == "siglip" else 24
    model = build(config(folder, dim=dim)).eval()
    pictures = whole.encode_pictures([whole.prepare(crop) for crop in crops])
    assert np.abs(encode_pictures(model, crops) - pictures).max() < 1e-4
    found = encode_texts(model, TEXTS)
    assert np.abs(found - whole.encode_texts(TEXTS)).max() < 1e-4
    assert np.abs(found[0] - found[3]).max() > 0.01


def test_each_tower_has_its_own_weights_alone_so_that_one_can_be_frozen(tmp_path):
    model = build(config(foreign_models.clip(tmp_path)))
    model.freeze("image.*")
    trained = [name for name, weight in model.named_parameters() if weight.requires_grad]
    assert trained
    assert all(name.startswith("text.") and "vision" not in name for name in trained)
    model.text(*model.text.tokenize(["a red coat"])).sum().backward()
    untouched = [n for n, w in model.named_parameters() if w.requires_grad and w.grad is None]
    assert untouched == [], "all that is trained has a part in the vectors"
    assert not any("text" in name for name, _ in model.image.named_parameters())


def test_a_checkpoint_of_it_is_loaded_again(tmp_path):
    chosen = config(foreign_models.clip(tmp_path))
    model = build(chosen)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.01)
    again = build(chosen)
    again.load_state_dict(model.state_dict())
    assert np.allclose(encode_texts(again, TEXTS), encode_texts(model, TEXTS))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"height": 64}, "set height=32 width=32"),
        ({"dim": 256}, "set dim=24"),
        ({"model": "/nowhere/at/all"}, "is not a folder"),
    ],
)
def test_what_does_not_fit_is_said_with_what_would(settings, words, tmp_path):
    folder = foreign_models.clip(tmp_path)
    with pytest.raises(ConfigError, match=words):
        build(config(folder, **settings))


def test_a_model_needs_a_licence(tmp_path):
    with pytest.raises(ConfigError, match="model needs pretrained_licence"):
        config(tmp_path, pretrained_licence="")
