"""Optimizers that move weights, and averages of weights that follow them."""

import pytest
import torch
from torch import nn

from training.ml.optim import OPTIMIZERS, Ema, learning_rate, optimizer


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_each_optimizer_fits_a_line(name):
    torch.manual_seed(0)
    line = nn.Linear(4, 1)
    points, wanted = torch.randn(64, 4), torch.tensor([[1.0], [-2.0], [0.5], [3.0]])
    moved = optimizer(name, line, lr=0.02 if name == "lion" else 0.05, weight_decay=0.0)
    before = float((line(points) - points @ wanted).square().mean())
    for _ in range(300):
        moved.zero_grad()
        (line(points) - points @ wanted).square().mean().backward()
        moved.step()
    if name == "schedule_free":
        moved.eval()
    assert float((line(points) - points @ wanted).square().mean()) < before / 100


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_matrices_decay_and_biases_do_not(name):
    groups = optimizer(name, nn.Linear(4, 3), lr=0.1, weight_decay=0.3).param_groups
    assert [(len(g["params"]), g["params"][0].ndim, g["weight_decay"]) for g in groups] == [
        (1, 2, 0.3),
        (1, 1, 0.0),
    ]


def test_frozen_weights_are_not_given_to_the_optimizer():
    layer = nn.Linear(4, 3)
    layer.weight.requires_grad_(False)
    (group,) = optimizer("adamw", layer, lr=0.1, weight_decay=0.3).param_groups
    assert group["params"] == [layer.bias]


def test_a_rate_rises_and_falls_or_stays_where_the_weights_are_averaged():
    falling = [learning_rate(step, peak=1.0, warmup=4, steps=20) for step in range(20)]
    assert falling[:4] == [0.25, 0.5, 0.75, 1.0]
    assert falling[4:] == sorted(falling[4:], reverse=True)
    assert learning_rate(20, peak=1.0, warmup=4, steps=20) == pytest.approx(0.01)
    assert learning_rate(20, peak=2.0, warmup=4, steps=20, end=0.25) == pytest.approx(0.5)
    constant = [learning_rate(s, peak=1.0, warmup=4, steps=20, constant=True) for s in range(20)]
    assert constant == [0.25, 0.5, 0.75, *[1.0] * 17]


def test_an_average_follows_weights_and_running_statistics():
    """After n steps it keeps (1 + n) / (10 + n) of itself, at most its decay."""
    norm = nn.BatchNorm1d(2)
    average = Ema(norm, decay=0.3)
    expected = 1.0
    for step, value in enumerate([5.0, -1.0, 2.0, 2.0], start=1):
        with torch.no_grad():
            norm.weight.fill_(value)
            norm.running_mean.fill_(10 * value)
            norm.num_batches_tracked.fill_(step)
        average.follow(norm)
        kept = min(0.3, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * value
        assert average.weights["weight"].tolist() == pytest.approx([expected] * 2)
        assert int(average.weights["num_batches_tracked"]) == step
    again = Ema(norm, decay=0.3)
    again.load(average.state())
    assert again.steps == 4
    assert (again.weights["running_mean"] == average.weights["running_mean"]).all()
    assert norm.weight.tolist() == [2.0, 2.0]
