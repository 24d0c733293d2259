"""The LSTM text tower: word vectors, one or two directions, the highest value over time."""

import torch
from torch import Tensor, nn


class LstmEncoder(nn.Module):
    """Word ids to sentence embeddings, not normalized.

    With two directions the second reads each text from its own last word to its first. (The
    system that this tower comes from reverses the batch there instead of the words.)

    Args:
        words: size of the vocabulary; 0 is padding. width: of a word's vector.
        hidden: of one direction. dim: of the embedding.
    """

    def __init__(
        self, *, words: int, width: int, hidden: int, bidirectional: bool, dim: int
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(words, width, padding_idx=0)
        self.forth = nn.LSTM(width, hidden, batch_first=True)
        self.back = nn.LSTM(width, hidden, batch_first=True) if bidirectional else None
        self.project = nn.Linear(hidden * (2 if bidirectional else 1), dim)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, L) ids and (B, L) mask, 1 where a word is, at the left -> (B, dim)."""
        read = self.words(ids)
        # What comes after a text's end cannot change what a direction said before it.
        states = self.forth(read)[0]
        if self.back is not None:
            turned = turn(read, mask)
            states = torch.cat([states, turn(self.back(turned)[0], mask)], dim=2)
        highest = (states + (mask[..., None].to(states.dtype) - 1) * 1e4).amax(dim=1)
        embedded: Tensor = self.project(highest)
        return embedded


def turn(rows: Tensor, mask: Tensor) -> Tensor:
    """(B, L, W) with the first rows of each text, as many as its (B, L) mask has, reversed."""
    place = torch.arange(rows.shape[1], device=rows.device)[None]
    last = mask.sum(dim=1, keepdim=True).to(place.dtype) - 1
    source = torch.where(place <= last, last - place, place)
    return rows.gather(1, source[..., None].expand(-1, -1, rows.shape[2]))
