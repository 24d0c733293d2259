"""Circle loss: pulls what shows one person together, the harder the further apart it is."""

import torch
from torch import Tensor
from torch.nn import functional as F


def circle_loss(
    queries: Tensor,
    identity: Tensor,
    keys: Tensor,
    key_identity: Tensor,
    *,
    own: Tensor | None = None,
    margin: float = 0.2,
    gamma: float = 30.0,
) -> Tensor:
    """Pairwise circle loss of queries against keys.

    With cosines s and weights that have no gradient, a_p = max(0, 1 + m - s_p) and
    a_n = max(0, s_n + m), a query loses
    softplus(logsumexp_p(-g a_p (s_p - (1 - m))) + logsumexp_n(g a_n (s_n - m))).

    Args:
        queries: (Q, D), normalized here; identity (Q,).
        keys: (K, D), normalized here; key_identity (K,).
        own: (Q,) the column of each query itself, which is neither positive nor negative; None
            where the keys do not hold the queries.
        margin: m, gamma: g.

    Returns: scalar, the mean over all queries; one without a positive or a negative key adds 0.
    Raises: ValueError, the lengths differ.
    Source: Sun et al., Circle Loss, CVPR 2020; the pairwise form as in FastReID.
    """
    if len(queries) != len(identity) or len(keys) != len(key_identity):
        raise ValueError("every query and every key needs an identity")
    score = F.normalize(queries, dim=1) @ F.normalize(keys, dim=1).T  # (Q, K)
    positive = identity[:, None] == key_identity[None, :]
    negative = ~positive
    if own is not None:
        positive = positive.scatter(1, own[:, None], False)
    fixed = score.detach()
    pull = -gamma * (1 + margin - fixed).clamp(min=0) * (score - (1 - margin))
    push = gamma * (fixed + margin).clamp(min=0) * (score - margin)
    joint = _logsumexp(pull, positive) + _logsumexp(push, negative)
    return F.softplus(joint).mean()


def _logsumexp(logits: Tensor, among: Tensor) -> Tensor:
    # Of nothing it is -inf, whose softplus is 0 and has no slope.
    return logits.masked_fill(~among, -torch.inf).logsumexp(dim=1)
