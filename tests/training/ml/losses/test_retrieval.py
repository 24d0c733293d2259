"""Losses of picture retrieval against loops."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from training.ml.losses.retrieval import (
    anchor_loss,
    batch_anchor_loss,
    class_loss,
    triplet_loss,
)

PEOPLE = torch.tensor([0, 0, 1, 1, 0, 2])


def vectors(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def test_the_positive_is_chosen_among_itself_and_the_negatives():
    anchor, positive, negatives = vectors(3, 4), vectors(3, 4, seed=1), vectors(3, 4, 4, seed=2)
    expected = 0.0
    for i in range(3):
        scores = [F.cosine_similarity(anchor[i], positive[i], dim=0).item()]
        scores += [F.cosine_similarity(anchor[i], n, dim=0).item() for n in negatives[i]]
        expected += math.log(sum(math.exp(s) for s in scores)) - scores[0]
    assert anchor_loss(anchor, positive, negatives).item() == pytest.approx(expected / 3)


def test_without_temperature_the_best_possible_loss_is_far_from_zero():
    anchor = torch.tensor([[1.0, 0.0]])
    loss = anchor_loss(anchor, anchor, -anchor[:, None].repeat(1, 4, 1))
    assert loss.item() == pytest.approx(math.log(1 + 4 / math.e**2))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="not"):
        anchor_loss(vectors(3, 4), vectors(3, 4), vectors(3, 4))


def test_each_pair_of_a_class_competes_with_the_other_classes_of_the_batch():
    found = vectors(6, 4)
    rows = []
    for i in range(6):
        others = [j for j in range(6) if PEOPLE[j] != PEOPLE[i]]
        negatives = found[others][None]
        own = [j for j in range(6) if PEOPLE[j] == PEOPLE[i] and j != i]
        if own:
            each = [anchor_loss(found[i][None], found[j][None], negatives, scale=5.0) for j in own]
            rows.append(np.mean([one.item() for one in each]))
    loss = batch_anchor_loss(found, PEOPLE, scale=5.0)
    assert loss.item() == pytest.approx(np.mean(rows))


def test_triplets_take_the_furthest_positive_and_the_closest_negative():
    found = vectors(6, 4)
    unit = F.normalize(found, dim=1)
    rows = []
    for i in range(6):
        far = [(unit[i] - unit[j]).norm().item() for j in range(6) if PEOPLE[j] == PEOPLE[i]]
        near = [(unit[i] - unit[j]).norm().item() for j in range(6) if PEOPLE[j] != PEOPLE[i]]
        if len(far) > 1:
            rows.append(max(0, max(far) - min(near) + 0.5))
    assert triplet_loss(found, PEOPLE, margin=0.5).item() == pytest.approx(np.mean(rows))


@pytest.mark.parametrize("people", [torch.zeros(4).long(), torch.arange(4)])
def test_a_batch_without_positives_or_without_negatives_gives_zero(people):
    found = vectors(4, 3).requires_grad_()
    for loss in (batch_anchor_loss(found, people, scale=9.0), triplet_loss(found, people)):
        assert loss.item() == 0
        (gradient,) = torch.autograd.grad(loss, found)
        assert torch.isfinite(gradient).all()


def test_the_class_loss_is_the_surprise_at_the_class_by_cosine():
    found, weight = vectors(6, 4), vectors(3, 4, seed=1)
    expected = []
    for i in range(6):
        logits = [4 * F.cosine_similarity(found[i], w, dim=0).item() for w in weight]
        expected.append(np.log(np.exp(logits).sum()) - logits[PEOPLE[i]])
    assert class_loss(found, PEOPLE, weight, scale=4.0).item() == pytest.approx(np.mean(expected))


def test_gradients_match_finite_differences():
    found = vectors(6, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: batch_anchor_loss(v, PEOPLE, scale=5.0), (found,))
    assert torch.autograd.gradcheck(lambda v: triplet_loss(v, PEOPLE), (found,))
