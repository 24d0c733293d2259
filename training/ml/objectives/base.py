"""The seam between the engine and what it minimizes."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from training.ml.data import Batch
from training.ml.fact_head import FactSpace


@dataclass(frozen=True, kw_only=True)
class Targets:
    """A Batch without its pixels and texts, as tensors on one device; see Batch for each."""

    positive: Tensor
    attributes: Tensor | None = None
    stated: Tensor | None = None
    identities: Tensor | None = None
    text_identities: Tensor | None = None
    described: Tensor | None = None
    kinds: Tensor | None = None
    languages: Tensor | None = None
    teacher_image: Tensor | None = None
    teacher_image_known: Tensor | None = None
    teacher_text: Tensor | None = None
    teacher_text_known: Tensor | None = None
    tuples: Tensor | None = None
    rejected: Tensor | None = None
    unknown: Tensor | None = None

    @classmethod
    def of(cls, batch: Batch, place: torch.device) -> Self:
        """The batch's arrays there."""
        known = {entry.name: getattr(batch, entry.name) for entry in fields(cls)}
        return cls(
            **{
                name: torch.from_numpy(np.ascontiguousarray(value)).to(place)
                for name, value in known.items()
                if value is not None
            }
        )


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What the towers made of one batch; None for a tower that the stage does not use.

    image: (I, D), not normalized. text: (T, D), not normalized.
    facts: (I, P) log probabilities of the facts; None where the image tower reads none.
    space: where facts are written; None likewise.
    image_is_fixed: `image` is a gallery that does not learn; only texts are to come closer.
    """

    image: Tensor | None = None
    text: Tensor | None = None
    facts: Tensor | None = None
    space: FactSpace | None = None
    image_is_fixed: bool = False


class Objective(nn.Module):
    """Named, weighted loss terms of a batch.

    It is given the whole batch of the step, whatever part of it this process or this chunk
    encoded: losses that compare within the batch, memory queues and class weights need not know
    how the towers were run. It is called once a step, so a queue may be renewed in `forward`.

    Parameters are trained beside the towers; buffers are kept in the checkpoint. What `forward`
    does must depend on its arguments, parameters and buffers alone, or a resumed run would not
    continue its curve, and several processes would drift apart.
    """

    def forward(self, outputs: Outputs, targets: Targets) -> dict[str, Tensor]:
        """Scalars, already weighted, whose sum is minimized; their names are those of the curves.

        Raises: ValueError, the batch lacks what the objective needs; the message names it.
        """
        # Abstract: every recipe's objective says it for itself.
        raise NotImplementedError

    def watched(self) -> dict[str, float]:
        """Numbers to draw beside the losses, such as a learned temperature."""
        return {}
