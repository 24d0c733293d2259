"""The head that writes what is known of a picture: cosines order as probabilities do."""

import math

import pytest
import torch
from torch.nn import functional as F

from training.ml.fact_head import (
    CERTAIN,
    FLOOR,
    RARITY,
    STATED,
    FactHead,
    FactSpace,
    StatedHead,
)
from training.ml.losses.attributes import stated_loss

SIZES = (2, 3, 4)
FIELDS = (slice(0, 2), slice(2, 5), slice(5, 9))


@pytest.fixture
def head():
    torch.manual_seed(0)
    return FactHead(FactSpace(16, SIZES))


def test_the_probabilities_of_a_field_sum_to_one(head):
    known = head.log_probabilities(torch.randn(5, 16)).exp()
    for field in FIELDS:
        assert known[:, field].sum(dim=1).tolist() == pytest.approx([1.0] * 5)


def test_pictures_are_ordered_by_the_probability_of_all_that_a_query_states(head):
    embedded = 9 * torch.randn(200, 16)
    known = head.log_probabilities(embedded)
    stated = torch.zeros(1, sum(SIZES))
    stated[0, [0, 3, 7]] = 1
    query = head.space.write_stated(stated)
    cosine = F.cosine_similarity(query, head(known))
    probability = known[:, stated[0] > 0].clamp(min=-FLOOR).sum(dim=1)
    ordered = cosine[probability.argsort()]
    assert (ordered.diff() > -1e-5).all()
    assert ordered[-1] - ordered[0] > 0.07


def test_a_cosine_means_the_same_evidence_however_much_a_text_states(head):
    known = head.log_probabilities(9 * torch.randn(300, 16))
    pictures = head(known)
    length = pictures.norm(dim=1)
    for facts, values in (([0], 2), ([0, 3], 2 * 3), ([0, 3, 7], 2 * 3 * 4)):
        stated = torch.zeros(1, sum(SIZES))
        stated[0, facts] = 1
        query = head.space.write_stated(stated)
        assert query.norm().item() == pytest.approx(1)
        evidence = known[:, facts].clamp(min=-FLOOR).sum(dim=1) + RARITY * math.log(values)
        expected = (CERTAIN + STATED / FLOOR * evidence) / length
        assert (F.cosine_similarity(query, pictures) - expected).abs().max() < 1e-6


def test_what_a_query_denies_orders_pictures_the_other_way_and_weighs_as_much(head):
    known = head.log_probabilities(9 * torch.randn(300, 16))
    pictures = head(known)
    stated = torch.zeros(1, sum(SIZES))
    stated[0, 5] = -1
    query = head.space.write_stated(stated)
    assert query.norm().item() == pytest.approx(1)
    cosine = F.cosine_similarity(query, pictures)
    least = known[:, 5].clamp(min=-FLOOR)
    assert (cosine[least.argsort(descending=True)].diff() > -1e-5).all()
    length = pictures.norm(dim=1)
    expected = CERTAIN + STATED / FLOOR * (-FLOOR - least + RARITY * math.log(2))
    assert (cosine - expected / length).abs().max() < 1e-6


def test_what_a_text_denies_is_learned_apart_from_what_it_states():
    stated = torch.tensor([[1.0, 0, 0, -1]])
    right = torch.tensor([[0.99, 0.01, 0, -0.99]])
    assert stated_loss(right, stated) < 0.1
    for wrong in (
        [0.99, 0, 0, 0.99],
        [0.99, 0, 0, 0],
        [-0.99, 0, 0, -0.99],
        [0.99, 0, -0.9, -0.99],
    ):
        assert stated_loss(torch.tensor([wrong]), stated) > 1


def test_a_text_that_states_more_than_a_person_has_can_still_be_learned_from():
    stated = torch.ones(1, 40, requires_grad=True)
    written = FactSpace(64, [8] * 5).write_stated(stated)
    written.sum().backward()
    assert written.isfinite().all()
    assert stated.grad is not None
    assert stated.grad.isfinite().all()


def test_sure_and_unsure_pictures_are_equally_long(head):
    sure = torch.zeros(1, sum(SIZES))
    sure[0, [0, 2, 5]] = 1
    unsure = sure.clone()
    unsure[0, FIELDS[2]] = 1 / 4
    known = torch.cat([unsure, sure]).log()
    lengths = head(known).norm(dim=1)
    assert lengths[0].item() == pytest.approx(lengths[1].item(), rel=1e-5)


def test_a_text_says_by_its_direction_how_sure_it_states_each_fact():
    torch.manual_seed(0)
    space = FactSpace(16, SIZES)
    head = StatedHead(space)
    embedded = torch.randn(4, 16)
    stated = (head(embedded) @ space.prototypes.T / STATED).tolist()
    told = head.read(embedded).sigmoid() - head.deny(embedded).sigmoid()
    for row, expected in zip(stated, told.tolist(), strict=True):
        assert row == pytest.approx(expected, abs=1e-6)


def test_saying_what_is_stated_loses_nothing_and_leaving_it_out_much():
    stated = torch.tensor([[True, False, False, True]])
    assert stated_loss(stated.float(), stated).item() == 0
    left_out = stated_loss(torch.tensor([[1.0, 0, 0, 0.01]]), stated)
    made_up = stated_loss(torch.tensor([[1.0, 0.99, 0, 1]]), stated)
    assert left_out.item() == pytest.approx(-torch.tensor(0.01).log().item() / 2)
    assert made_up.item() == pytest.approx(-4 * torch.tensor(0.01).log().item() / 2, rel=1e-3)
