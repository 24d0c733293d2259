"""The losses against what can be worked out by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from training.ml.fact_head import FactSpace
from training.ml.losses.attributes import image_attribute_loss, text_attribute_loss
from training.ml.losses.contrastive import info_nce, symmetric_info_nce


def test_with_one_positive_a_row_it_is_the_cross_entropy_of_the_softmax():
    torch.manual_seed(0)
    logits = torch.randn(6, 6)
    expected = F.cross_entropy(logits, torch.arange(6))
    assert info_nce(logits, torch.eye(6, dtype=torch.bool)).item() == pytest.approx(expected.item())


def test_positives_of_one_row_do_not_push_each_other_down():
    """Softmax cross-entropy averaged over the positives would be at least log 2 here."""
    logits = torch.tensor([[30.0, 30.0, -30.0]])
    positive = torch.tensor([[True, True, False]])
    assert info_nce(logits, positive).item() == pytest.approx(0, abs=1e-6)


def test_rows_without_a_positive_or_a_negative_do_not_count():
    logits = torch.tensor([[1.0, 2.0], [3.0, 1.0], [0.0, 5.0]])
    positive = torch.tensor([[True, False], [True, True], [False, False]])
    alone = info_nce(logits[:1], positive[:1])
    assert info_nce(logits, positive).item() == pytest.approx(alone.item())


def test_nothing_that_counts_gives_zero_and_not_nan():
    assert info_nce(torch.ones(2, 2), torch.zeros(2, 2, dtype=torch.bool)).item() == 0


def test_a_positive_matrix_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        info_nce(torch.ones(2, 3), torch.ones(3, 2, dtype=torch.bool))


def test_contrastive_gradients_match_finite_differences():
    torch.manual_seed(1)
    text = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    image = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    positive = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]], dtype=torch.bool)
    assert torch.autograd.gradcheck(
        lambda t, i: symmetric_info_nce(t, i, positive, 5.0), (text, image)
    )


def test_the_contrastive_loss_does_not_depend_on_the_length_of_vectors():
    torch.manual_seed(2)
    text, image = torch.randn(4, 8), torch.randn(4, 8)
    positive = torch.eye(4, dtype=torch.bool)
    one = symmetric_info_nce(text, image, positive, 10.0)
    assert symmetric_info_nce(7 * text, image / 3, positive, 10.0).item() == pytest.approx(
        one.item(), rel=1e-5
    )


def test_unknown_attributes_do_not_count():
    torch.manual_seed(3)
    fields = [slice(0, 2), slice(2, 5)]
    known = torch.cat([F.log_softmax(torch.randn(4, k), dim=1) for k in (2, 3)], dim=1)
    attributes = torch.tensor([[0, -1], [1, -1], [0, -1], [1, -1]])
    alone = image_attribute_loss(known[:, :2], attributes[:, :1], fields[:1])
    both = image_attribute_loss(known, attributes, fields)
    assert both.item() == pytest.approx(alone.item())
    assert image_attribute_loss(known, torch.full((4, 2), -1), fields).item() == 0


def test_the_image_loss_is_the_surprise_at_the_true_values():
    probabilities = torch.tensor([[0.5, 0.5, 0.1, 0.2, 0.7]])
    fields = [slice(0, 2), slice(2, 5)]
    loss = image_attribute_loss(probabilities.log(), torch.tensor([[1, 2]]), fields)
    assert loss.item() == pytest.approx(-(math.log(0.5) + math.log(0.7)) / 2)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_text_of_its_facts_alone_loses_little_however_many_they_are(count):
    space = FactSpace(16, [2, 2, 2, 2])
    prototypes = space.prototypes
    stated = torch.zeros(1, 8, dtype=torch.bool)
    stated[0, :count] = True
    text = space.write_stated(stated.float())
    assert text_attribute_loss(text, prototypes, stated, 40.0).item() < 1e-6
    assert text_attribute_loss(prototypes[7:], prototypes, stated, 40.0).item() > 5


def test_pairs_that_nobody_knows_are_neither_pulled_nor_pushed():
    torch.manual_seed(3)
    logits = torch.randn(3, 4)
    positive = torch.eye(3, 4, dtype=torch.bool)
    unknown = torch.zeros(3, 4, dtype=torch.bool)
    unknown[:, 3] = True
    assert info_nce(logits, positive, unknown).item() == pytest.approx(
        info_nce(logits[:, :3], positive[:, :3]).item()
    )
    # A row of which all the rest is unknown has nothing to be compared with.
    rest = ~positive & (torch.arange(3)[:, None] == 0)
    assert info_nce(logits, positive, rest).item() == pytest.approx(
        info_nce(logits[1:], positive[1:]).item()
    )
