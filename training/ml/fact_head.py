"""Facts as what both towers write: pictures the logs of probabilities, texts which they state.

Their cosine then orders pictures by the probability of all that a text states.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# A probability below exp(-FLOOR) counts as that: no single misread fact decides alone.
FLOOR = 4.0
# The squared length that evidence reaches in a field where several values seem likely.
FIELD_LENGTH = 1.5


class FactHead(nn.Module):
    """Embedding to embedding, by way of what is known of the picture.

    A person is asked for by several facts at once, so that the best hit is the one where the
    product of their probabilities is the largest. Each fact has a direction of its own in the
    space; a picture lies along it by the logarithm of the fact's probability, raised by FLOOR, and
    a query by 1 for each fact that it states: their dot product is the sum of the logarithms. One
    more direction, which no query uses, takes what a picture lacks to the common length, so that
    the cosine orders pictures as that sum does.

    Args:
        directions: (P + 1, D) rows orthogonal and of length 1: one a fact, and the spare one.
        sizes: how many values each field has; they sum to P.

    Source: Shrivastava and Li 2014, Asymmetric LSH, for a length brought to one by a spare
        direction.
    """

    directions: Tensor
    sizes: Tensor

    def __init__(self, directions: Tensor, sizes: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("directions", directions)
        self.register_buffer("sizes", torch.tensor(list(sizes)))
        self._sizes = list(sizes)
        self.read = nn.Linear(directions.shape[1], sum(sizes))

    def log_probabilities(self, embedded: Tensor) -> Tensor:
        """(B, D) -> (B, P); the probabilities of one field's values sum to 1."""
        fields = self.read(embedded).split(self._sizes, dim=1)
        return torch.cat([F.log_softmax(values, dim=1) for values in fields], dim=1)

    def forward(self, log_probabilities: Tensor) -> Tensor:
        """(B, P) -> (B, D) of one common length, unless many fields are unclear at once."""
        evidence = (log_probabilities / FLOOR + 1).clamp(min=0)
        whole = FIELD_LENGTH * len(self._sizes)
        lacks = (whole - evidence.square().sum(dim=1, keepdim=True)).clamp(min=0.01 * whole)
        written: Tensor = torch.cat([evidence, lacks.sqrt()], dim=1) @ self.directions
        return written


class StatedHead(nn.Module):
    """Embedding to embedding, by way of which facts a text states.

    A text lies along the direction of each fact by the probability that it states it: close to 1
    or to 0, so that no trace of what it does not say moves the order of the hits.

    Args:
        directions: (P, D) rows orthogonal and of length 1, one a fact.
    """

    directions: Tensor

    def __init__(self, directions: Tensor) -> None:
        super().__init__()
        self.register_buffer("directions", directions)
        self.read = nn.Linear(directions.shape[1], directions.shape[0])

    def forward(self, embedded: Tensor) -> Tensor:
        """(B, D) -> (B, D); its product with a direction is the probability of that fact."""
        written: Tensor = self.read(embedded).sigmoid() @ self.directions
        return written
