"""What people refused, against the naive loop and against what can be worked out by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from training.ml.losses.rejection import rejection_loss


def naive(text, image, positive, rejected, scale):
    text, image = F.normalize(text, dim=1), F.normalize(image, dim=1)
    costs = []
    for t in range(len(text)):
        for i in range(len(image)):
            if not rejected[t, i]:
                continue
            refused = float(scale * text[t] @ image[i])
            ways = (
                [float(scale * text[t] @ image[j]) for j in range(len(image)) if positive[t, j]],
                [float(scale * text[u] @ image[i]) for u in range(len(text)) if positive[u, i]],
            )
            for fits in filter(None, ways):
                each = [math.log1p(math.exp(refused - fit)) for fit in fits]
                costs.append(sum(each) / len(each))
    return sum(costs) / len(costs) if costs else 0.0


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_naive_loop(seed):
    torch.manual_seed(seed)
    text, image = torch.randn(7, 5), torch.randn(9, 5)
    positive = torch.rand(7, 9) < 0.2
    rejected = (torch.rand(7, 9) < 0.3) & ~positive
    found = rejection_loss(text, image, positive, rejected, 8.0)
    assert found.item() == pytest.approx(naive(text, image, positive, rejected, 8.0), rel=1e-5)


def test_a_refused_pair_as_close_as_the_one_that_fits_costs_log_2():
    text, image = torch.ones(1, 3), torch.ones(2, 3)
    fits, refused = torch.tensor([[True, False]]), torch.tensor([[False, True]])
    assert rejection_loss(text, image, fits, refused, 30.0).item() == pytest.approx(math.log(2))


def test_only_refused_pairs_and_those_they_are_compared_with_are_moved():
    torch.manual_seed(0)
    text = torch.randn(2, 4, requires_grad=True)
    image = torch.randn(3, 4, requires_grad=True)
    positive = torch.tensor([[True, False, False], [False, False, True]])
    rejected = torch.tensor([[False, True, False], [False, False, False]])
    rejection_loss(text, image, positive, rejected, 5.0).backward()
    assert (image.grad.abs().sum(dim=1) > 0).tolist() == [True, True, False]
    assert (text.grad.abs().sum(dim=1) > 0).tolist() == [True, False]


def test_what_can_be_compared_with_nothing_costs_nothing_and_is_no_nan():
    none = torch.zeros(2, 2, dtype=torch.bool)
    rejected = torch.eye(2, dtype=torch.bool)
    assert rejection_loss(torch.ones(2, 3), torch.ones(2, 3), none, rejected, 5.0).item() == 0


def test_gradients_match_finite_differences():
    torch.manual_seed(1)
    text = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    image = torch.randn(4, 4, dtype=torch.float64, requires_grad=True)
    positive = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=torch.bool)
    rejected = torch.tensor([[0, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0]], dtype=torch.bool)
    assert torch.autograd.gradcheck(
        lambda t, i: rejection_loss(t, i, positive, rejected, 4.0), (text, image)
    )


def test_matrices_of_another_shape_are_refused():
    fits = torch.zeros(2, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        rejection_loss(torch.ones(2, 3), torch.ones(2, 3), fits, fits.new_zeros(2, 3), 1.0)
