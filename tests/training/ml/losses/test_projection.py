"""CMPM and CMPC against loops that follow the published formulae."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from training.ml.losses.projection import (
    cmpc_loss,
    cmpm_loss,
    identity_spread,
    pair_similarity,
    project,
)

PEOPLE = torch.tensor([0, 1, 0, 2, 1])


def vectors(count=5, dim=4, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, generator=generator, dtype=dtype)


def naive_cmpm(image, text, people, target):
    def one_way(queries, keys):
        total = 0.0
        for i, query in enumerate(queries):
            scores = [float(query @ (key / key.norm())) for key in keys]
            whole = sum(math.exp(score) for score in scores)
            mask = [float(people[i] == people[j]) for j in range(len(keys))]
            norm = sum(mask) if target == "sum" else math.sqrt(sum(mask))
            for score, same in zip(scores, mask, strict=True):
                p = math.exp(score) / whole
                total += p * (math.log(p) - math.log(same / norm + 1e-8))
        return total / len(queries)

    return one_way(image, text) + one_way(text, image)


@pytest.mark.parametrize("target", ["sum", "l2"])
def test_cmpm_is_the_published_sum_over_all_pairs(target):
    image, text = vectors(), vectors(seed=1)
    expected = naive_cmpm(image, text, PEOPLE, target)
    assert cmpm_loss(image, text, PEOPLE, target=target).item() == pytest.approx(expected)


def test_two_captions_of_one_person_share_the_target():
    """With ids [0, 0], p = [.5, .5] is optimal; an L2-normalized target would not say so."""
    same = torch.ones(2, 3)
    people = torch.tensor([0, 0])
    assert cmpm_loss(same, same, people).item() == pytest.approx(0, abs=1e-6)
    assert cmpm_loss(same, same, people, target="l2").item() == pytest.approx(-math.log(2))


def test_cmpm_gradients_match_finite_differences():
    image, text = vectors(3, 5).requires_grad_(), vectors(3, 5, seed=1).requires_grad_()
    people = torch.tensor([0, 0, 1])
    assert torch.autograd.gradcheck(lambda i, t: cmpm_loss(i, t, people), (image, text))


def test_cmpm_refuses_other_targets_and_unequal_batches():
    with pytest.raises(ValueError, match="sum, l2"):
        cmpm_loss(vectors(), vectors(), PEOPLE, target="mean")
    with pytest.raises(ValueError, match="5, 4, 5"):
        cmpm_loss(vectors(), vectors(4), PEOPLE)


def test_a_projection_lies_along_the_other_vector_and_keeps_its_share():
    onto, moved = vectors(), vectors(seed=1)
    for index, row in enumerate(project(onto, moved)):
        direction = onto[index] / onto[index].norm()
        assert torch.allclose(row, (moved[index] @ direction) * direction)


def test_cmpc_is_the_surprise_at_the_person_of_both_projections():
    image, text, weight = vectors(), vectors(seed=1), vectors(4, 3, seed=2)
    columns = [weight[:, c] / weight[:, c].norm() for c in range(3)]
    expected, named = 0.0, 0
    for one, other in ((image, text), (text, image)):
        for i in range(5):
            direction = other[i] / other[i].norm()
            logits = [float((one[i] @ direction) * (direction @ column)) for column in columns]
            expected -= (logits[PEOPLE[i]] - np.log(np.exp(logits).sum())) / 5
            named += int(np.argmax(logits)) == int(PEOPLE[i])
    loss, share = cmpc_loss(image, text, PEOPLE, weight)
    assert loss.item() == pytest.approx(expected)
    assert share.item() == pytest.approx(named / 10)


def test_cmpc_refuses_a_person_without_a_class():
    with pytest.raises(ValueError, match="0 to 1"):
        cmpc_loss(vectors(), vectors(), PEOPLE, vectors(4, 2))


def test_the_length_of_class_weights_does_not_matter_to_cmpc():
    image, text, weight = vectors(), vectors(seed=1), vectors(4, 3, seed=2)
    one = cmpc_loss(image, text, PEOPLE, weight)[0]
    assert cmpc_loss(image, text, PEOPLE, 7 * weight)[0].item() == pytest.approx(one.item())


def test_similarities_are_told_apart_by_person():
    image, text = vectors(), vectors(seed=1)
    same, other = [], []
    for i in range(5):
        for j in range(5):
            cosine = F.cosine_similarity(image[i], text[j], dim=0).item()
            (same if PEOPLE[i] == PEOPLE[j] else other).append(cosine)
    found = pair_similarity(image, text, PEOPLE)
    assert [one.item() for one in found] == pytest.approx([np.mean(same), np.mean(other)])


def test_the_spread_counts_each_pair_of_one_person_once():
    image = vectors()
    pairs = [(0, 2), (1, 4)]
    expected = np.mean([(image[i] - image[j]).square().sum().item() for i, j in pairs])
    assert identity_spread(image, PEOPLE).item() == pytest.approx(expected)
    assert identity_spread(image, torch.arange(5)).item() == 0
