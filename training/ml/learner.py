"""One optimization step: towers, objective, gradients, weights."""

from typing import Any

import torch
from torch import Tensor, nn

from training.ml.dual_encoder import DualEncoder
from training.ml.loader import Loaded
from training.ml.objectives.base import Objective, Outputs, Targets

_PRECISION = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Diverged(RuntimeError):
    """The loss is not a number any more."""


class Learner:
    """What is trained, and by what.

    Args:
        trained: holds the parameters that the optimizer moves; their gradients are clipped
            together to the length `clip_norm`.
        gallery: (G, D) vectors of fixed pictures, against which texts are trained; without it
            pictures and texts are trained against each other.
    """

    def __init__(
        self,
        model: DualEncoder,
        objective: Objective,
        trained: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        clip_norm: float,
        precision: str,
        place: torch.device,
        gallery: Tensor | None = None,
    ) -> None:
        self.model = model
        self.objective = objective
        self.trained = trained
        self.optimizer = optimizer
        self.clip_norm = clip_norm
        self.precision = precision
        self.place = place
        self.gallery = gallery
        self.scaler = torch.amp.GradScaler(place.type, enabled=precision == "fp16")

    def step(self, loaded: Loaded, rate: float) -> dict[str, float]:
        """Train on one batch.

        Returns: `loss`, its terms, and the length of the gradient before it was clipped.
        Raises: Diverged.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        losses = self.objective(self._outputs(loaded), Targets.of(loaded.batch, self.place))
        total = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total):
            raise Diverged(f"the loss is {float(total)}; a lower lr may help")
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(total).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.trained.parameters(), self.clip_norm)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        values = {name: float(value.detach()) for name, value in losses.items()}
        return {"loss": float(total.detach())} | values | {"grad_norm": float(norm)}

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs to go on as if it had not been cut."""
        return {
            "model": self.model.state_dict(),
            "objective": self.objective.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.objective.load_state_dict(state["objective"])
        self.optimizer.load_state_dict(state["optimizer"])

    def _outputs(self, loaded: Loaded) -> Outputs:
        pictures = None if loaded.pictures is None else loaded.pictures.to(self.place)
        texts = None if loaded.texts is None else loaded.texts.to(self.place)
        with torch.autocast(
            self.place.type,
            dtype=_PRECISION.get(self.precision),
            enabled=self.precision in _PRECISION,
        ):
            image, facts, text = self.model(pictures, [] if texts is None else texts.groups)
        if texts is not None:
            text = text[texts.order].float()
        return Outputs(
            image=image.float() if image is not None else self.gallery,
            text=text,
            facts=facts,
            prototypes=self.model.prototypes,
            image_is_fixed=self.gallery is not None,
        )
