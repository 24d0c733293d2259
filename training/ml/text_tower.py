"""Text towers as the engine sees them: texts to tokens on the CPU, tokens to embeddings."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.ml import chars
from training.ml.text_encoder import CharacterTables, TextEncoder

# Texts that are padded to the longest of them: padding all of a batch to one length would cost
# most of the time.
GROUP = 16


class TextTower(nn.Module):
    """Reads texts. What tokens are is the tower's own affair."""

    def tokenize(self, texts: Sequence[str]) -> tuple[Tensor, ...]:
        """What `forward` takes for these texts, padded to the longest, on the CPU.

        Called from another thread than the training's; must not touch parameters.
        """
        # Abstract: each kind of tower has tokens of its own.
        raise NotImplementedError

    def forward(self, *tokens: Tensor) -> Tensor:
        """Tokens of B texts -> (B, dim), not normalized; no row depends on how far it is padded."""
        # Abstract: each kind of tower has tokens of its own.
        raise NotImplementedError


class CharacterTower(TextTower):
    """The character tower: byte tables, then the encoder that is exported as a graph.

    Args:
        lower: whether texts are read in lower case.
    """

    def __init__(self, tables: CharacterTables, encoder: TextEncoder, *, lower: bool) -> None:
        super().__init__()
        self.tables = tables
        self.encoder = encoder
        self.lower = lower

    def tokenize(self, texts: Sequence[str]) -> tuple[Tensor, ...]:
        """(B, L, 4) bytes and (B, L) mask."""
        ids, mask = chars.pad([text.lower() if self.lower else text for text in texts])
        return torch.from_numpy(ids), torch.from_numpy(mask)

    def forward(self, *tokens: Tensor) -> Tensor:
        ids, mask = tokens
        embedded: Tensor = self.encoder(self.tables(ids, mask), mask)
        return embedded


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Tokens of a batch of texts in groups of like length.

    groups: the tokens of each group. order: (T,) the row of each text among all groups' rows.
    """

    groups: list[tuple[Tensor, ...]]
    order: Tensor

    def to(self, place: torch.device) -> "Texts":
        groups = [tuple(part.to(place) for part in group) for group in self.groups]
        return Texts(groups=groups, order=self.order.to(place))


def grouped(tower: TextTower, texts: Sequence[str], size: int = GROUP) -> Texts:
    """The texts' tokens; at least one text."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    groups = [
        tower.tokenize([texts[index] for index in order[start : start + size]])
        for start in range(0, len(order), size)
    ]
    return Texts(groups=groups, order=torch.tensor(order).argsort())
