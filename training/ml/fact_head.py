"""Facts as what both towers write: pictures the logs of probabilities, texts which they state.

Their cosine is then, up to a factor that is the same for every text and picture,

    CERTAIN + STATED / FLOOR * sum over the stated facts of (log p + RARITY * log n)

where p is the probability that the picture has the fact, and n how many values its field has. It
orders pictures by the probability that all that is stated holds, and a threshold on it means much
the same for a short text and a long one. Without the second term it would be the log of that
probability, and nothing would tell a text that fits many from one that fits few; with RARITY 1,
were all values equally common, it would be how much more the picture says of this text than of
any other, and texts that say little would hardly count. Half of it serves both: whether what a
text says holds, and whether it speaks of this person.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.ml.config import room_for

# A probability below exp(-FLOOR) counts as that: no single misread fact decides alone.
FLOOR = 4.0
# The squared length that evidence reaches in a field where several values seem likely.
FIELD_LENGTH = 1.5
# A text's share along each fact that it states: the twenty of the longest still fit into length 1.
STATED = 0.22
# The dot product of a text that states nothing with every picture.
CERTAIN = 2.0
# How far every picture lies along the level.
LEVEL = 10**0.5
RARITY = 0.5
# Of a field that may have any value but one, what is told is worth as much as one of two values.
DENIED_RARITY = RARITY * math.log(2) / FLOOR


class FactSpace(nn.Module):
    """Where facts are written: a direction for each, and three beside them.

    One takes what a picture lacks to the length that all have. One is the level that all pictures
    share and that texts weigh against what they state. One takes a text to length 1.

    Args:
        dim: D, at least `room_for` the facts.
        sizes: how many values each field has; they sum to P.

    Source: Shrivastava and Li 2014, Asymmetric LSH, for lengths brought to one by directions that
        the other side does not use.
    """

    directions: Tensor
    rarity: Tensor
    sizes: Tensor

    def __init__(self, dim: int, sizes: Sequence[int]) -> None:
        super().__init__()
        # Orthogonal and fixed: a language of facts that both towers can learn apart.
        directions = nn.init.orthogonal_(torch.empty(room_for(sum(sizes)), dim))
        rarity = [RARITY * math.log(size) / FLOOR for size in sizes for _ in range(size)]
        self.register_buffer("directions", directions)
        self.register_buffer("rarity", torch.tensor(rarity))
        # Kept with the weights, which say by it what they are of.
        self.register_buffer("sizes", torch.tensor(list(sizes)))
        self.fields = list(sizes)

    @property
    def prototypes(self) -> Tensor:
        """(P, D) the direction of each fact."""
        return self.directions[: len(self.rarity)]

    def write_seen(self, log_probabilities: Tensor) -> Tensor:
        """Pictures in which each fact is so probable.

        Args:
            log_probabilities: (B, P), those of one field's values sum to 1.

        Returns: (B, D) of one common length, unless many fields are unclear at once.
        """
        evidence = (log_probabilities / FLOOR + 1).clamp(min=0)
        whole = FIELD_LENGTH * len(self.fields)
        lacks = (whole - evidence.square().sum(dim=1, keepdim=True)).clamp(min=0.01 * whole)
        beside = [lacks.sqrt(), torch.full_like(lacks, LEVEL), torch.zeros_like(lacks)]
        written: Tensor = torch.cat([evidence, *beside], dim=1) @ self.directions
        return written

    def write_stated(self, stated: Tensor) -> Tensor:
        """Texts that state these facts.

        The more a text states, the less it lies along the level: the evidence that a certain
        picture has for it is taken back there, but for the rarity of the facts. A fact that is
        denied lies the other way: "a hat" denies that there is none, whichever it is.

        Args:
            stated: (T, P) the probability that each text states each fact, below 0 that it
                denies it.

        Returns: (T, D) of length 1, unless more facts are stated than a person has.
        """
        facts = STATED * stated
        taken_back = facts.clamp(min=0) * (1 - self.rarity) + facts.clamp(max=0) * DENIED_RARITY
        level = (CERTAIN - taken_back.sum(dim=1, keepdim=True)) / LEVEL
        lacks = 1 - facts.square().sum(dim=1, keepdim=True) - level.square()
        # Above 0, where a square root has no slope.
        rest = lacks.clamp(min=1e-4).sqrt()
        written: Tensor = (
            torch.cat([facts, torch.zeros_like(level), level, rest], dim=1) @ self.directions
        )
        return written


class FactHead(nn.Module):
    """Embedding to embedding, by way of what is known of the picture.

    A person is asked for by several facts at once, so that the best hit is the one where the
    product of their probabilities is the largest: a picture lies along each fact by the logarithm
    of its probability, raised by FLOOR, and a dot product with what a query states is a sum of
    logarithms.
    """

    def __init__(self, space: FactSpace) -> None:
        super().__init__()
        self.space = space
        facts, dim = space.prototypes.shape
        self.read = nn.Linear(dim, facts)

    def log_probabilities(self, embedded: Tensor) -> Tensor:
        """(B, D) -> (B, P); the probabilities of one field's values sum to 1."""
        fields = self.read(embedded).split(self.space.fields, dim=1)
        return torch.cat([F.log_softmax(values, dim=1) for values in fields], dim=1)

    def forward(self, log_probabilities: Tensor) -> Tensor:
        """(B, P) -> (B, D), as `FactSpace.write_seen`."""
        written: Tensor = self.space.write_seen(log_probabilities)
        return written


class StatedHead(nn.Module):
    """Embedding to embedding, by way of which facts a text states, and which it denies.

    What a text states with a probability close to 1 or to 0 leaves no trace of what it does not
    say, which would move the order of the hits.
    """

    def __init__(self, space: FactSpace) -> None:
        super().__init__()
        self.space = space
        facts, dim = space.prototypes.shape
        self.read = nn.Linear(dim, facts)
        self.deny = nn.Linear(dim, facts)

    def forward(self, embedded: Tensor) -> Tensor:
        """(B, D) -> (B, D); along a fact's direction, STATED times the probability of that fact."""
        stated = self.read(embedded).sigmoid() - self.deny(embedded).sigmoid()
        written: Tensor = self.space.write_stated(stated)
        return written
