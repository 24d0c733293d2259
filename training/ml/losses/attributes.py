"""Losses against known attributes: one direction a fact, the prototype, shared by both towers."""

import torch
from torch import Tensor
from torch.nn import functional as F

from training.ml.fact_head import STATED


def image_attribute_loss(
    log_probabilities: Tensor, attributes: Tensor, fields: list[slice]
) -> Tensor:
    """Cross-entropy of each field's value.

    Args:
        log_probabilities: (B, P) of each fact.
        attributes: (B, len(fields)) index of the value within its field, -1 where unknown.
        fields: the columns that are the values of each field.

    Returns: scalar, the mean over the fields that have a known value.
    """
    losses = [
        F.nll_loss(log_probabilities[:, columns], attributes[:, index], ignore_index=-1)
        for index, columns in enumerate(fields)
        if bool((attributes[:, index] >= 0).any())
    ]
    return torch.stack(losses).mean() if losses else log_probabilities.sum() * 0


def text_attribute_loss(text: Tensor, prototypes: Tensor, stated: Tensor, scale: float) -> Tensor:
    """Binary cross-entropy of which facts a text states.

    A text has cosine STATED to what it states, as `write_stated` has it, and 0 to all else; the
    threshold is in the middle.

    Args:
        text: (B, D), normalized here.
        prototypes: (P, D), normalized here.
        stated: (B, P), above 0 where it does; what a text denies is none of it.
        scale: 1 / temperature of the sigmoid.
    """
    cosine = F.normalize(text, dim=1) @ F.normalize(prototypes, dim=1).T
    target = (stated > 0).to(cosine.dtype)
    logits = scale * (cosine / STATED - 0.5)
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return _balanced(loss, target)


def stated_loss(probabilities: Tensor, stated: Tensor) -> Tensor:
    """Binary cross-entropy of which facts a text states and denies, where the tower tells how
    probable that is.

    Args:
        probabilities: (B, P) that the text states each fact, below 0 that it denies it.
        stated: (B, P), 1 what it states and -1 what it denies.
    """
    return _told(probabilities, stated > 0) + _told(-probabilities, stated < 0)


def _told(probabilities: Tensor, said: Tensor) -> Tensor:
    target = said.to(probabilities.dtype)
    loss = F.binary_cross_entropy(probabilities.clamp(0, 1), target, reduction="none")
    return _balanced(loss, target)


def _balanced(loss: Tensor, target: Tensor) -> Tensor:
    """Few of many facts are stated: neither side drowns the other."""
    on = (loss * target).sum(dim=1) / target.sum(dim=1).clamp(min=1)
    off = (loss * (1 - target)).sum(dim=1) / (1 - target).sum(dim=1).clamp(min=1)
    return (on + 4 * off).mean()
