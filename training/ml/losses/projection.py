"""Losses that project one modality onto the other: CMPM matches, CMPC classifies."""

import torch
from torch import Tensor
from torch.nn import functional as F

TARGETS = ("sum", "l2")


def cmpm_loss(
    image: Tensor, text: Tensor, identity: Tensor, *, target: str = "sum", eps: float = 1e-8
) -> Tensor:
    """Cross-modal projection matching: KL(p || q) over the batch, both ways, summed.

    p_ij is the softmax over j of image_i . unit(text_j); q_ij spreads 1 evenly over the
    texts j of the person in image i, so that each row of q sums to 1.

    Args:
        image: (B, D), not normalized: the norm is part of the score.
        text: (B, D), row i describes image row i.
        identity: (B,) person numbers; equal numbers are positives.
        target: `sum` as published; `l2` divides the row by its L2 norm, as a widespread port
            does: with several texts of a person its q sums to more than 1 and the loss can be
            below 0. Only to repeat numbers that were measured with that port.
        eps: keeps log q finite; a score on a wrong person costs up to log(1 / eps).

    Returns: scalar; with `sum` at least 0 up to rounding of order B * eps.
    Raises: ValueError, the three batch sizes differ, or the target is unknown.
    Source: Zhang and Lu, ECCV 2018, CMPM.
    """
    if not len(image) == len(text) == len(identity):
        raise ValueError(f"batch sizes differ: {len(image)}, {len(text)}, {len(identity)}")
    if target not in TARGETS:
        raise ValueError(f"target is one of {', '.join(TARGETS)}, not {target!r}")
    same = (identity[:, None] == identity[None, :]).to(image.dtype)
    log_q = torch.log(F.normalize(same, p=1.0 if target == "sum" else 2.0, dim=1) + eps)  # (B, B)

    def one_way(queries: Tensor, keys: Tensor) -> Tensor:
        log_p = F.log_softmax(queries @ F.normalize(keys, dim=1).T, dim=1)  # (B, B)
        return (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()

    return one_way(image, text) + one_way(text, image)


def project(onto: Tensor, vectors: Tensor) -> Tensor:
    """(B, D) each row of `vectors` projected onto the direction of its row of `onto`."""
    direction = F.normalize(onto, dim=1)
    return (vectors * direction).sum(dim=1, keepdim=True) * direction


def cmpc_loss(
    image: Tensor, text: Tensor, identity: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor]:
    """Cross-modal projection classification: each modality, projected onto the other, names
    the person.

    Args:
        image, text: (B, D), rows are pairs.
        identity: (B,) class of each pair, 0 to C - 1.
        weight: (D, C), columns normalized here.

    Returns: the scalar loss, and the share of the 2 B projections that name their person.
    Raises: ValueError, a class is out of range.
    Source: Zhang and Lu, ECCV 2018, CMPC.
    """
    if int(identity.min()) < 0 or int(identity.max()) >= weight.shape[1]:
        raise ValueError(f"identities are 0 to {weight.shape[1] - 1}")
    classes = F.normalize(weight, dim=0)
    of_image = project(text, image) @ classes  # (B, C)
    of_text = project(image, text) @ classes
    loss = F.cross_entropy(of_image, identity) + F.cross_entropy(of_text, identity)
    named = torch.cat([of_image, of_text]).argmax(dim=1) == identity.repeat(2)
    return loss, named.to(loss.dtype).mean()


def pair_similarity(image: Tensor, text: Tensor, identity: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cosine of pairs of one person and of two, over the batch; NaN where there is none."""
    cosine = F.normalize(image, dim=1) @ F.normalize(text, dim=1).T
    same = identity[:, None] == identity[None, :]
    return cosine[same].mean(), cosine[~same].mean()


def identity_spread(vectors: Tensor, identity: Tensor) -> Tensor:
    """Mean squared distance of the pairs of rows that show one person; 0 where there is none.

    Source: the "constraints" of the CMPM/CMPC port, there at the end of an epoch.
    """
    same = torch.triu(identity[:, None] == identity[None, :], diagonal=1)
    square = (vectors[:, None] - vectors[None, :]).square().sum(dim=2)  # (B, B)
    return (square * same).sum() / same.sum().clamp(min=1)
