"""What people refused: a text and a picture that do not belong together, however close they are."""

import torch
from torch import Tensor
from torch.nn import functional as F


def rejection_loss(
    text: Tensor, image: Tensor, positive: Tensor, rejected: Tensor, scale: Tensor | float
) -> Tensor:
    """Every refused pair below the pairs that fit: of its text, and of its picture.

    A refused pair (t, i) costs softplus(scale * (cos(t, i) - cos(p))), averaged over the pairs p
    of the same text that fit, and likewise over those of the same picture; of the two ways those
    count that have such a p. It is a comparison, not a bound on the cosine: what cosines are worth
    differs from model to model. In a contrastive loss the pair is one negative among all of the
    batch; here it counts for itself.

    Args:
        text: (T, D), normalized here. image: (I, D), likewise.
        positive: (T, I) bool, text t fits picture i.
        rejected: (T, I) bool, somebody said that it does not; never both.
        scale: 1 / temperature.

    Returns: scalar, the mean over the ways that count; 0 where none does.
    Raises: ValueError, the shapes differ.
    Source: Burges et al. 2005 (RankNet), over judged pairs.
    """
    shape = (len(text), len(image))
    if positive.shape != shape or rejected.shape != shape:
        raise ValueError(
            f"{shape} pairs, positive {tuple(positive.shape)}, rejected {tuple(rejected.shape)}"
        )
    logits = scale * F.normalize(text, dim=1) @ F.normalize(image, dim=1).T
    of_text = _below(logits, positive, rejected)
    of_picture = _below(logits.T, positive.T, rejected.T)
    each = torch.cat([of_text, of_picture])
    return each.sum() / max(1, len(each))


def _below(logits: Tensor, positive: Tensor, rejected: Tensor) -> Tensor:
    """(n,) of each refused pair whose row has a pair that fits: its mean cost against those."""
    rows, columns = (rejected & positive.any(dim=1, keepdim=True)).nonzero(as_tuple=True)
    fits = positive[rows]  # (n, K)
    costs = F.softplus(logits[rows, columns][:, None] - logits[rows]) * fits
    return costs.sum(dim=1) / fits.sum(dim=1)
