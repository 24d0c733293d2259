"""Losses for finding pictures by pictures: an anchor among candidates, or classes."""

import torch
from torch import Tensor
from torch.nn import functional as F


def anchor_loss(
    anchor: Tensor, positive: Tensor, negatives: Tensor, *, scale: float = 1.0
) -> Tensor:
    """Cross-entropy of choosing the positive by cosine among itself and the negatives.

    Args:
        anchor, positive: (B, D). negatives: (B, N, D), normalized here.
        scale: 1 / temperature. 1 as in the system that this comes from, where the loss of one
            positive and four negatives cannot fall below log(1 + 4 / e^2) = 0.43.

    Raises: ValueError, the shapes do not fit.
    """
    if anchor.shape != positive.shape or negatives.shape[::2] != anchor.shape:
        raise ValueError(
            f"{tuple(anchor.shape)}, {tuple(positive.shape)} and {tuple(negatives.shape)} are not "
            "(B, D), (B, D) and (B, N, D)"
        )
    candidates = F.normalize(torch.cat([positive[:, None], negatives], dim=1), dim=2)
    logits = (F.normalize(anchor, dim=1)[:, None] * candidates).sum(dim=2) * scale
    return F.cross_entropy(logits, torch.zeros(len(anchor), dtype=torch.long, device=logits.device))


def batch_anchor_loss(vectors: Tensor, identity: Tensor, *, scale: float) -> Tensor:
    """As `anchor_loss` with every other identity of the batch as negatives.

    Each ordered pair of one identity is an anchor and its positive; the anchor's other positives
    are left out of its candidates.

    Args: vectors (B, D), identity (B,).

    Returns: scalar, the mean over anchors that have a positive and a negative; 0 without any.
    """
    unit = F.normalize(vectors, dim=1)
    logits = scale * unit @ unit.T
    same = identity[:, None] == identity[None, :]
    positive = same & ~torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    lowest = torch.finfo(logits.dtype).min
    against = logits.masked_fill(same, lowest).logsumexp(dim=1, keepdim=True)
    each = F.softplus(against - logits) * positive
    count = positive.sum(dim=1)
    counts = (count > 0) & ~same.all(dim=1)
    return (each.sum(dim=1) / count.clamp(min=1) * counts).sum() / counts.sum().clamp(min=1)


def triplet_loss(vectors: Tensor, identity: Tensor, *, margin: float = 0.3) -> Tensor:
    """Batch-hard triplets on unit vectors: the furthest of one's own, the closest of others.

    Args: vectors (B, D), identity (B,).

    Returns: scalar, the mean over rows that have a positive and a negative; 0 without any.
    Source: Hermans, Beyer and Leibe, In Defense of the Triplet Loss, 2017.
    """
    unit = F.normalize(vectors, dim=1)
    # On the sphere the squared distance is 2 - 2 cos; the root has no slope at 0.
    distance = (2 - 2 * unit @ unit.T).clamp(min=1e-12).sqrt()
    same = identity[:, None] == identity[None, :]
    positive = same & ~torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    furthest = distance.masked_fill(~positive, 0).amax(dim=1)
    closest = distance.masked_fill(same, 4).amin(dim=1)
    counts = positive.any(dim=1) & ~same.all(dim=1)
    return (F.relu(furthest - closest + margin) * counts).sum() / counts.sum().clamp(min=1)


def class_loss(vectors: Tensor, identity: Tensor, weight: Tensor, *, scale: float) -> Tensor:
    """Cross-entropy of a cosine classifier.

    Args: vectors (B, D), identity (B,) 0 to C - 1, weight (C, D), scale 1 / temperature.
    """
    logits = scale * F.normalize(vectors, dim=1) @ F.normalize(weight, dim=1).T
    return F.cross_entropy(logits, identity)
