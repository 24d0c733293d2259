"""How a training finds out what it computes fastest in."""

import pytest
import torch

from tests.training.ml.crops import coloured, tiny_config
from training.ml import pace
from training.ml.dual_encoder import build
from training.ml.loader import Reader, batches
from training.ml.stages import stages

CPU = torch.device("cpu")
WAYS = [("fp32", "channels_last"), ("fp32", "contiguous"), ("bf16", "channels_last")]


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ([1.0, 2.0, 0.5], ("bf16", "channels_last")),
        ([1.0, 0.8, 0.85], ("fp32", "contiguous")),
        ([1.0, 0.95, 0.99], ("fp32", "channels_last")),
    ],
)
def test_another_way_must_be_clearly_faster_than_the_plain_one(seconds, chosen):
    found = pace.fastest(WAYS, seconds)
    assert (found.precision, found.memory_format) == chosen
    assert found.seconds["bf16 channels_last"] == seconds[2]
    assert "bf16 channels_last" in str(found)


def test_only_what_the_config_leaves_open_is_tried():
    assert len(pace.ways(tiny_config(precision="auto", memory_format="auto"), CPU)) == 4
    fixed = tiny_config(precision="bf16", memory_format="auto")
    assert {precision for precision, _ in pace.ways(fixed, CPU)} == {"bf16"}
    plain = tiny_config()
    assert pace.choose(plain, build(plain), CPU, batch=None).seconds == {}


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_real_batch_is_timed_and_the_model_stays_as_it_is(accumulate):
    config = tiny_config(precision="auto", memory_format="auto", accumulate=accumulate)
    model = build(config)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    reader = Reader(tower=model.text)
    stage = next(stages(config))
    found = pace.choose(
        config, model, CPU, lambda: next(batches(config, coloured(), stage, reader, 0))
    )
    assert set(found.seconds) == {
        f"{precision} {form}"
        for precision in ("fp32", "bf16")
        for form in ("channels_last", "contiguous")
    }
    assert all(taken > 0 for taken in found.seconds.values())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert pace.Pace(**found.to_dict()) == found
