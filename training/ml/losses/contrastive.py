"""Contrastive losses over a batch of texts and images."""

import torch
from torch import Tensor
from torch.nn import functional as F


def info_nce(logits: Tensor, positive: Tensor, unknown: Tensor | None = None) -> Tensor:
    """InfoNCE with any number of positives a row: each competes with the row's negatives alone.

    With exactly one positive a row this is the cross-entropy of the softmax. Positives of one
    row do not push each other down, so a short text may fit half of the batch.

    Args:
        logits: (Q, K) similarity of query i and key j, already divided by the temperature.
        positive: (Q, K) bool; rows without a positive or without a negative do not count.
        unknown: (Q, K) bool, pairs that are neither: nobody said whether they fit.

    Returns: scalar, the mean over the rows that count of the mean over their positives.
    Raises: ValueError, the shapes differ.
    Source: van den Oord et al. 2018 (InfoNCE); Khosla et al. 2020, L_out, less the positives
        in the denominator.
    """
    if logits.shape != positive.shape:
        raise ValueError(f"logits are {tuple(logits.shape)}, positive {tuple(positive.shape)}")
    lowest = torch.finfo(logits.dtype).min
    left_out = positive if unknown is None else positive | unknown
    negatives = logits.masked_fill(left_out, lowest).logsumexp(dim=1, keepdim=True)  # (Q, 1)
    each = F.softplus(negatives - logits) * positive
    count = positive.sum(dim=1)
    counts = (count > 0) & ~left_out.all(dim=1)
    rows = each.sum(dim=1) / count.clamp(min=1)
    return (rows * counts).sum() / counts.sum().clamp(min=1)


def symmetric_info_nce(
    text: Tensor,
    image: Tensor,
    positive: Tensor,
    scale: Tensor | float,
    unknown: Tensor | None = None,
) -> Tensor:
    """InfoNCE of texts against images and of images against texts, averaged.

    Args:
        text: (T, D), normalized here.
        image: (I, D), normalized here; T and I may differ.
        positive: (T, I) bool, text i describes image j.
        scale: 1 / temperature.
        unknown: (T, I) bool, see `info_nce`.

    Source: Radford et al. 2021 (CLIP).
    """
    logits = scale * F.normalize(text, dim=1) @ F.normalize(image, dim=1).T
    turned = None if unknown is None else unknown.T
    return (info_nce(logits, positive, unknown) + info_nce(logits.T, positive.T, turned)) / 2
