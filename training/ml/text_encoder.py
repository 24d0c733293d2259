"""The text tower: characters as bytes, a strided convolution, a small transformer, pooled."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.ml import chars
from training.ml.fact_head import StatedHead


class CharacterTables(nn.Module):
    """The byte tables: four places, 256 rows each. Exported as `.npy`, not as part of the graph."""

    positions: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(chars.BYTES, 256, width) * 0.5)
        table = torch.from_numpy(chars.positions(chars.MAX_CHARACTERS, chars.BYTES * width))
        self.register_buffer("positions", table, persistent=False)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, L, 4) bytes and (B, L) mask -> (B, L, 4 * width), as `chars.embed` gives."""
        places = [F.embedding(ids[..., place].int(), self.weight[place]) for place in range(4)]
        return (torch.cat(places, dim=-1) + self.positions[: ids.shape[1]]) * mask[..., None]


class Neighbours(nn.Module):
    """A convolution over three places, as one matrix product: on CPUs far faster than Conv1d."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.mix = nn.Linear(3 * inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, inputs) -> (B, ceil(L / stride), outputs); past both ends are zeros."""
        wide = F.pad(x, (0, 0, 1, 1))
        length = x.shape[1]
        places = [wide[:, shift : shift + length : self.stride] for shift in range(3)]
        mixed: Tensor = self.mix(torch.cat(places, dim=2))
        return mixed


class Block(nn.Module):
    """A pre-norm transformer block that does not look at padding."""

    def __init__(self, width: int, heads: int, ratio: int = 3) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.before_mix = nn.LayerNorm(width)
        self.mix = nn.Sequential(
            nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width)
        )

    def forward(self, x: Tensor, blocked: Tensor) -> Tensor:
        """x (B, L, width), blocked (B, 1, 1, L) added to the attention logits."""
        batch, length, width = x.shape
        qkv = self.qkv(self.before_attention(x))
        q, k, v = (
            part.reshape(batch, length, self.heads, -1).transpose(1, 2) for part in qkv.chunk(3, -1)
        )
        attention = q @ k.transpose(2, 3) * (width // self.heads) ** -0.5 + blocked
        mixed = (attention.softmax(dim=-1) @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.out(mixed)
        mixed_again: Tensor = x + self.mix(self.before_mix(x))
        return mixed_again


class TextEncoder(nn.Module):
    """Embedded characters to sentence embeddings, not normalized.

    The result does not depend on how far a text is padded: convolutions see zeros past the end
    either way, attention and pooling leave padding out.

    Args:
        facts: reads the embedding as facts and writes it anew; None where no facts are known.
    """

    def __init__(
        self,
        *,
        byte_width: int,
        width: int,
        layers: int,
        heads: int,
        stride: int,
        dim: int,
        facts: StatedHead | None = None,
    ) -> None:
        super().__init__()
        self.facts = facts
        self.stride = stride
        self.read = Neighbours(chars.BYTES * byte_width, width)
        self.squeeze = Neighbours(width, width, stride)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(2 * width, dim)

    def forward(self, data: Tensor, mask: Tensor) -> Tensor:
        """(B, L, 4 * byte_width) and (B, L) -> (B, dim)."""
        x = self.squeeze(F.gelu(self.read(data)) * mask[..., None])
        mask = mask[:, :: self.stride]
        blocked = (mask[:, None, None] - 1) * 1e4
        for block in self.blocks:
            x = block(x, blocked)
        x = self.norm(x)
        kept = mask[..., None]
        mean = (x * kept).sum(dim=1) / kept.sum(dim=1)
        highest = (x + (kept - 1) * 1e4).amax(dim=1)
        embedded: Tensor = self.project(torch.cat([mean, highest], dim=1))
        return embedded if self.facts is None else self.facts(embedded)
