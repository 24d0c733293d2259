"""Pooling against loops: the published mean and the one that a system has in its code."""

import pytest
import torch

from training.ml.image_encoder import GAP, CodedGeM, GeM, pool_of


def maps():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 4, 2, generator=generator)


def test_gem_is_the_root_of_the_mean_power():
    found, x = GeM(3.0)(maps()), maps()
    for b in range(2):
        for c in range(3):
            expected = (sum(float(v) ** 3 for v in x[b, c].flatten()) / 8) ** (1 / 3)
            assert found[b, c].item() == pytest.approx(expected, rel=1e-5)


def test_coded_gem_divides_the_sum_by_the_length_and_adds_a_tenth():
    found, x = CodedGeM(3.0)(maps()), maps()
    for b in range(2):
        for c in range(3):
            values = [float(v) for v in x[b, c].flatten()]
            length = sum(v**2 for v in values) ** 0.5
            expected = (sum(v**3 for v in values) / (length + 1e-7) + 0.1) ** (1 / 3)
            assert found[b, c].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", ["gem", "gem_coded"])
@pytest.mark.parametrize("value", [0.0, -0.5])
def test_the_power_is_learned_also_where_maps_are_not_above_zero(name, value):
    pool = pool_of(name, 3.0)
    x = torch.full((1, 2, 2, 2), value, requires_grad=True)
    pool(x).sum().backward()
    assert torch.isfinite(x.grad).all()
    assert torch.isfinite(pool.p.grad)


def test_each_name_has_its_pool():
    kinds = [type(pool_of(name, 2.0)) for name in ("gap", "gem", "gem_coded")]
    assert kinds == [GAP, GeM, CodedGeM]
