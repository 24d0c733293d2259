"""Circle loss against a loop, with and without a queue of earlier vectors."""

import math

import pytest
import torch
from torch.nn import functional as F

from training.ml.losses.circle import circle_loss
from training.ml.losses.memory import FeatureQueue


def vectors(count, dim=4, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, generator=generator, dtype=dtype)


def naive(queries, people, keys, key_people, own=None, m=0.2, g=30.0):
    total = 0.0
    for i, query in enumerate(queries):
        pull, push = 0.0, 0.0
        for j, key in enumerate(keys):
            if own is not None and own[i] == j:
                continue
            s = F.cosine_similarity(query, key, dim=0).item()
            if people[i] == key_people[j]:
                pull += math.exp(-g * max(0, 1 + m - s) * (s - (1 - m)))
            else:
                push += math.exp(g * max(0, s + m) * (s - m))
        total += math.log1p(pull * push)
    return total / len(queries)


def test_it_is_the_published_loss_over_all_pairs_but_oneself():
    found, people = vectors(6), torch.tensor([0, 0, 1, 1, 1, 2])
    own = torch.arange(6)
    expected = naive(found, people, found, people, own)
    assert circle_loss(found, people, found, people, own=own).item() == pytest.approx(expected)


def test_keys_may_be_other_vectors_of_other_people():
    queries, keys = vectors(3), vectors(8, seed=1)
    people, key_people = torch.tensor([5, 6, 7]), torch.tensor([5, 5, 6, 9, 9, 7, 6, 1])
    loss = circle_loss(queries, people, keys, key_people, margin=0.1, gamma=8.0)
    assert loss.item() == pytest.approx(naive(queries, people, keys, key_people, m=0.1, g=8.0))


def test_a_query_without_a_positive_adds_nothing_and_has_no_nan_gradient():
    found = vectors(4, dtype=torch.float32).requires_grad_()
    loss = circle_loss(
        found, torch.arange(4), found, torch.arange(4), own=torch.arange(4), gamma=80.0
    )
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(found.grad, torch.zeros(4, 4))


def test_the_weights_of_pairs_have_no_gradient():
    """d/ds of -g a_p (s - (1 - m)) is -g a_p alone: a_p counts as a constant."""
    people = torch.tensor([0, 0, 1])
    found = vectors(3).requires_grad_()
    loss = circle_loss(found, people, found, people, own=torch.arange(3), gamma=4.0)
    (gradient,) = torch.autograd.grad(loss, found)
    held = F.normalize(found.detach(), dim=1) @ F.normalize(found.detach(), dim=1).T

    def with_fixed_weights(moved):
        s = F.normalize(moved, dim=1) @ F.normalize(moved, dim=1).T
        rows = []
        for i in range(3):
            pull = [
                -4.0 * (1.2 - held[i, j]).clamp(min=0) * (s[i, j] - 0.8)
                for j in range(3)
                if j != i and people[i] == people[j]
            ]
            push = [
                4.0 * (held[i, j] + 0.2).clamp(min=0) * (s[i, j] - 0.2)
                for j in range(3)
                if people[i] != people[j]
            ]
            if pull and push:
                both = torch.stack(pull).logsumexp(0) + torch.stack(push).logsumexp(0)
                rows.append(F.softplus(both))
        return torch.stack(rows).sum() / 3

    again = found.detach().clone().requires_grad_()
    (expected,) = torch.autograd.grad(with_fixed_weights(again), again)
    assert torch.allclose(gradient, expected)


def test_half_precision_does_not_overflow():
    found = vectors(4, dtype=torch.bfloat16)
    people = torch.tensor([0, 0, 1, 2])
    loss = circle_loss(found, people, found, people, own=torch.arange(4))
    assert torch.isfinite(loss)


def test_the_newest_vectors_are_in_front_and_the_oldest_go():
    queue = FeatureQueue(2, size=5, growth=2)
    first, second, third = vectors(3, 2), vectors(3, 2, seed=1), vectors(3, 2, seed=2)
    kept, people = queue(first.float(), torch.tensor([1, 2, 3]))
    assert len(kept) == 3, "a step's own vectors are kept even before the queue has grown so far"
    kept, people = queue(second.float(), torch.tensor([4, 5, 6]))
    assert people.tolist() == [4, 5, 6, 1]
    kept, people = queue(third.float(), torch.tensor([7, 8, 9]))
    assert people.tolist() == [7, 8, 9, 4, 5]
    assert torch.equal(kept, torch.cat([third, second[:2]]).float())


def test_the_queue_keeps_no_graph():
    queue = FeatureQueue(2, size=5, growth=2)
    kept, _ = queue(vectors(3, 2).float().requires_grad_(), torch.tensor([1, 2, 3]))
    assert not kept.requires_grad


def test_a_queue_is_taken_up_from_a_checkpoint_as_it_was(tmp_path):
    queue = FeatureQueue(2, size=9, growth=2)
    for step in range(3):
        queue(vectors(3, 2, seed=step).float(), torch.arange(3))
    torch.save({"queue": queue.state_dict()}, tmp_path / "queue.pt")
    again = FeatureQueue(2, size=9, growth=2)
    again.load_state_dict(torch.load(tmp_path / "queue.pt", weights_only=True)["queue"])
    one = queue(vectors(3, 2, seed=9).float(), torch.arange(3))
    other = again(vectors(3, 2, seed=9).float(), torch.arange(3))
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_a_batch_against_the_queue_is_the_loop_over_both():
    queue = FeatureQueue(4, size=100, growth=100)
    before, now = vectors(6, dtype=torch.float32), vectors(3, seed=1, dtype=torch.float32)
    queue(before, torch.tensor([0, 1, 2, 0, 1, 2]))
    people = torch.tensor([0, 1, 7])
    keys, key_people = queue(now, people)
    own = torch.arange(3)
    loss = circle_loss(now, people, keys, key_people, own=own)
    both, both_people = torch.cat([now, before]), torch.tensor([0, 1, 7, 0, 1, 2, 0, 1, 2])
    assert loss.item() == pytest.approx(naive(now, people, both, both_people, own), rel=1e-4)
