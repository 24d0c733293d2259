"""How a training ends, other than by its last step; and which weights it leaves."""

import errno
import json
from contextlib import suppress

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.ml.crops import coloured, tiny_config
from training.ml import checkpoint, engine, export, pace
from training.ml.config import ConfigError
from training.ml.dual_encoder import build
from training.ml.engine import Watch


@pytest.fixture(scope="module")
def crops():
    return coloured()


def run(config, crops, folder, **watching):
    """The path of the best checkpoint, the steps reported, and what was told."""
    steps, told = [], []
    watch = Watch(report=lambda step, _: steps.append(step), tell=told.append, **watching)
    probe = crops.probe(np.arange(32), np.random.default_rng(1))
    return engine.train(config, crops, probe, folder, watch=watch), steps, told


def test_a_training_that_gets_no_better_ends_early(crops, tmp_path):
    """Nothing moves at such a rate: the first validation is the best, two more are no better."""
    config = tiny_config(steps=100, validate_every=3, patience=2, lr=1e-30)
    _, steps, told = run(config, crops, tmp_path)
    assert max(steps) == 9
    assert told == ["Ended after step 9: none of 2 validations was better."]
    assert run(config, crops, tmp_path)[1] == [], "it is over: there is nothing to resume"


def test_patience_is_counted_on_after_a_cut(crops, tmp_path):
    config = tiny_config(steps=100, validate_every=3, patience=2, lr=1e-30)
    asked = iter([False] * 6 + [True])
    with pytest.raises(engine.Stopped, match="step 7"):
        run(config, crops, tmp_path, should_stop=lambda: next(asked))
    assert max(run(config, crops, tmp_path)[1]) == 9


def test_a_training_that_is_asked_to_finish_ends_with_its_epoch_and_a_model(crops, tmp_path):
    config = tiny_config(steps=100, validate_every=50, text_last=5, gallery=20)
    best, steps, told = run(config, crops, tmp_path, should_finish=lambda: True)
    assert max(steps) == 4, "96 crops are 4 batches of 24"
    assert told == ["Ended after step 4, where an epoch was over, as asked."]
    assert checkpoint.load(best)["step"] == 4
    assert run(config, crops, tmp_path)[1] == [], "it is over: there is nothing to resume"


def test_the_average_of_the_weights_is_what_serves(crops, tmp_path):
    config = tiny_config(steps=6, validate_every=6, ema_decay=0.9)
    best, _, _ = run(config, crops, tmp_path)
    last = checkpoint.load(tmp_path / engine.LAST)
    served = export.restore(best)[1].state_dict()
    weights = [name for name in served if name.endswith("weight")]
    assert all(torch.equal(served[name], last["ema"]["weights"][name]) for name in weights)
    assert any(not torch.equal(served[name], last["model"][name]) for name in weights)


@pytest.mark.parametrize("changes", [{"optimizer": "schedule_free"}, {"ema_decay": 0.9}])
def test_averaged_weights_are_resumed_and_training_goes_on_from_its_own(crops, tmp_path, changes):
    config = tiny_config(steps=9, validate_every=3, **changes)
    straight, _, _ = run(config, crops, tmp_path / "straight")
    asked = iter([False] * 3 + [True])
    with pytest.raises(engine.Stopped, match="step 4"):
        run(config, crops, tmp_path / "cut", should_stop=lambda: next(asked))
    run(config, crops, tmp_path / "cut")
    for file in (engine.LAST, engine.BEST):
        one, other = (checkpoint.load(tmp_path / name / file) for name in ("straight", "cut"))
        for name, value in one["model"].items():
            assert torch.allclose(value, other["model"][name], atol=1e-5), name
    last = checkpoint.load(tmp_path / "straight" / engine.LAST)["model"]
    served = checkpoint.load(straight)["model"]
    assert any(not torch.equal(served[name], last[name]) for name in last)


def dropping(config, *about):
    """The model with dropout after its text tower."""
    model = build(config, *about)
    model.text.encoder.project = nn.Sequential(model.text.encoder.project, nn.Dropout(0.5))
    return model


def losses(config, crops, folder, **watching):
    curve = {}
    watch = Watch(report=lambda step, values: curve.setdefault(step, values), **watching)
    probe = crops.probe(np.arange(32), np.random.default_rng(1))
    with suppress(engine.Stopped):
        engine.train(config, crops, probe, folder, watch=watch)
    return {step: values["loss"] for step, values in curve.items()}


def test_a_resumed_run_drops_out_what_it_would_have_dropped(crops, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "build", dropping)
    config = tiny_config(steps=6, validate_every=6)
    straight = losses(config, crops, tmp_path / "straight")
    asked = iter([False] * 2 + [True])
    cut = losses(config, crops, tmp_path / "cut", should_stop=lambda: next(asked))
    cut |= losses(config, crops, tmp_path / "cut")
    assert sorted(cut) == [1, 2, 3, 4, 5, 6]
    assert cut == pytest.approx(straight, rel=1e-4)


def test_chunks_drop_out_the_same_when_they_are_encoded_again(crops, tmp_path, monkeypatch):
    read = []

    def watched(config, *about):
        model = dropping(config, *about)
        model.text.register_forward_hook(lambda *said: read.append(said[-1].detach()))
        return model

    monkeypatch.setattr(engine, "build", watched)
    config = tiny_config(steps=1, batch=96, accumulate=3)
    asked = iter([True])
    losses(config, crops, tmp_path, should_stop=lambda: next(asked))
    first, second = read[:6], read[6:12]
    assert all(torch.equal(*pair) for pair in zip(first, second, strict=True))
    assert any((one == 0).any() for one in first), "something was dropped"


def test_frozen_weights_and_their_running_statistics_stay(crops, tmp_path):
    config = tiny_config(steps=3, freeze="image.backbone.*, text.tables.weight")
    asked = iter([True])
    with pytest.raises(engine.Stopped):
        run(config, crops, tmp_path, should_stop=lambda: next(asked))
    before = checkpoint.load(tmp_path / engine.LAST)["model"]
    run(config, crops, tmp_path)
    after = checkpoint.load(tmp_path / engine.LAST)["model"]
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not {name for name in moved if name.startswith(("image.backbone", "text.tables"))}
    assert {"image.project.weight", "text.encoder.read.mix.weight"} <= moved
    fresh = checkpoint.load(tmp_path / engine.LAST)["model"]
    assert int(fresh["image.backbone.embedder.embedder.normalization.num_batches_tracked"]) == 0


def test_a_glob_that_freezes_nothing_is_refused(crops, tmp_path):
    with pytest.raises(ConfigError, match=r"images\.\*.*image\.backbone"):
        run(tiny_config(freeze="images.*"), crops, tmp_path)


def test_running_statistics_see_each_picture_once_though_chunks_come_twice(crops, tmp_path):
    run(tiny_config(steps=2, accumulate=3), crops, tmp_path)
    state = checkpoint.load(tmp_path / engine.LAST)["model"]
    name = "image.backbone.embedder.embedder.normalization.num_batches_tracked"
    assert int(state[name]) == 2 * 3


def test_a_precision_that_this_machine_lacks_is_refused(crops, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("a GPU knows fp16")
    with pytest.raises(ConfigError, match="precision=fp16"):
        run(tiny_config(precision="fp16"), crops, tmp_path)


def test_what_was_chosen_at_the_start_is_kept_when_a_run_resumes(crops, tmp_path, monkeypatch):
    config = tiny_config(steps=3, precision="auto", memory_format="auto")
    asked = iter([True])
    with pytest.raises(engine.Stopped):
        run(config, crops, tmp_path, should_stop=lambda: next(asked))
    chosen = json.loads((tmp_path / engine.PACE).read_text())
    assert len(chosen["seconds"]) == 4
    monkeypatch.setattr(pace, "choose", lambda *_: pytest.fail("measured again"))
    _, steps, told = run(config, crops, tmp_path)
    assert max(steps) == 3
    assert told == []


def test_a_full_disk_keeps_the_checkpoint_that_was_there(crops, tmp_path):
    """/dev/full is a disk without room."""
    config = tiny_config(steps=8, checkpoint_every=2)

    def fill_the_disk() -> bool:
        partial = tmp_path / "last.partial"
        if (tmp_path / engine.LAST).exists() and not partial.is_symlink():
            partial.symlink_to("/dev/full")
        return False

    with pytest.raises(OSError, match="No space left") as raised:
        run(config, crops, tmp_path, should_stop=fill_the_disk)
    assert raised.value.errno == errno.ENOSPC
    assert checkpoint.load(tmp_path / engine.LAST)["step"] == 2
    assert not (tmp_path / "last.partial").is_symlink()
    assert min(run(config, crops, tmp_path)[1]) == 3
