"""Facts as what both towers write: pictures the logs of probabilities, texts which they state.

Their cosine is then, up to a factor and a constant that are the same for every text and picture,
the logarithm of the probability that the picture has all that the text states:

    cosine = (CERTAIN + STATED / FLOOR * sum of log p) / length

so that it orders pictures, and a threshold on it means the same for a short text and a long one.
Both write in one space of P facts and three directions beside them: one takes what a picture
lacks to the length that all have, one is the level that all pictures share and that texts weigh
against what they state, one takes a text to length 1.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# A probability below exp(-FLOOR) counts as that: no single misread fact decides alone.
FLOOR = 4.0
# The squared length that evidence reaches in a field where several values seem likely.
FIELD_LENGTH = 1.5
# A text's share along each fact that it states: the twenty of the longest still fit into length 1.
STATED = 0.22
# The dot product with a picture that is certain to have all that is stated.
CERTAIN = 2.5
# How far every picture lies along the level.
LEVEL = 10**0.5
BESIDE_FACTS = 3


def write_stated(stated: Tensor, directions: Tensor) -> Tensor:
    """Texts that state these facts.

    The more a text states, the less it lies along the level: what a picture gains by having all
    of it is the same for every text.

    Args:
        stated: (T, P) the probability that each text states each fact.
        directions: (P + 3, D), as `FactHead` has them.

    Returns: (T, D) of length 1, unless more facts are stated than a person has.
    """
    level = (CERTAIN - STATED * stated.sum(dim=1, keepdim=True)) / LEVEL
    facts = STATED * stated
    lacks = 1 - facts.square().sum(dim=1, keepdim=True) - level.square()
    # Above 0, where a square root has no slope.
    rest = lacks.clamp(min=1e-4).sqrt()
    return torch.cat([facts, torch.zeros_like(level), level, rest], dim=1) @ directions


class FactHead(nn.Module):
    """Embedding to embedding, by way of what is known of the picture.

    A person is asked for by several facts at once, so that the best hit is the one where the
    product of their probabilities is the largest. Each fact has a direction of its own in the
    space; a picture lies along it by the logarithm of the fact's probability, raised by FLOOR, and
    a query by the same for each fact that it states: their dot product is the sum of the
    logarithms. One more direction, which no query uses, takes what a picture lacks to the common
    length, so that the cosine orders pictures as that sum does.

    Args:
        directions: (P + 3, D) rows orthogonal and of length 1: one a fact, and what a picture
            lacks, the level, and what a text lacks.
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
        beside = [lacks.sqrt(), torch.full_like(lacks, LEVEL), torch.zeros_like(lacks)]
        written: Tensor = torch.cat([evidence, *beside], dim=1) @ self.directions
        return written


class StatedHead(nn.Module):
    """Embedding to embedding, by way of which facts a text states.

    What a text states with a probability close to 1 or to 0 leaves no trace of what it does not
    say, which would move the order of the hits.

    Args:
        directions: (P + 3, D), those of the pictures' head.
    """

    directions: Tensor

    def __init__(self, directions: Tensor) -> None:
        super().__init__()
        self.register_buffer("directions", directions)
        self.read = nn.Linear(directions.shape[1], directions.shape[0] - BESIDE_FACTS)

    def forward(self, embedded: Tensor) -> Tensor:
        """(B, D) -> (B, D); along a fact's direction, STATED times the probability of that fact."""
        return write_stated(self.read(embedded).sigmoid(), self.directions)
