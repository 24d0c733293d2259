"""A queue of earlier vectors, so that a loss sees far more people than a batch has."""

from typing import Any

import torch
from torch import Tensor, nn


class FeatureQueue(nn.Module):
    """The newest vectors and whose they are, newest first; part of a checkpoint.

    How many are kept grows with every step: early vectors are of a model that soon is another.

    Args:
        dim: of a vector. size: most that are ever kept.
        growth: how many more are kept with each step; at least the step's own always are.

    Source: Wang et al., Cross-Batch Memory, CVPR 2020.
    """

    features: Tensor
    identity: Tensor
    steps: Tensor

    def __init__(self, dim: int, *, size: int = 100_000, growth: int = 10) -> None:
        super().__init__()
        if size < 1 or growth < 0:
            raise ValueError(f"a queue of {size} that grows by {growth} holds nothing")
        self.size = size
        self.growth = growth
        self.register_buffer("features", torch.zeros(0, dim))
        self.register_buffer("identity", torch.zeros(0, dtype=torch.long))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, features: Tensor, identity: Tensor) -> tuple[Tensor, Tensor]:
        """Put a step's vectors (B, D) and people (B,) in front, let the oldest go.

        Returns: the vectors (K, D) and people (K,) that are now kept; the first rows are those
            just given, in their order (all of them, even if B is above the size), without
            gradients.
        """
        self.steps += 1
        allowed = min(self.size, self.growth * int(self.steps))
        kept = max(allowed, len(features))
        self.features = torch.cat([features.detach().to(self.features), self.features])[:kept]
        self.identity = torch.cat([identity.detach().to(self.identity), self.identity])[:kept]
        return self.features, self.identity

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **options: Any
    ) -> None:
        # A buffer takes only its own shape from a checkpoint; this one has the length it reached.
        for name in ("features", "identity"):
            stored = state_dict.get(prefix + name)
            if stored is not None:
                here: Tensor = getattr(self, name)
                setattr(self, name, here.new_empty(len(stored), *here.shape[1:]))
        super()._load_from_state_dict(state_dict, prefix, *args, **options)
