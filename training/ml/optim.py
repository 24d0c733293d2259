"""The optimizers, their schedule, and the average of the weights."""

import math
from collections.abc import Callable
from typing import Any

import torch
from lion_pytorch import Lion
from schedulefree import AdamWScheduleFree
from torch import nn

Groups = list[dict[str, Any]]


def learning_rate(
    step: int,
    *,
    peak: float,
    warmup: int,
    steps: int,
    end: float = 0.01,
    constant: bool = False,
) -> float:
    """Linear from 0 to the peak over `warmup` steps, then half a cosine down to `end` of it.

    Args:
        end: the share of the peak that is left after `steps`.
        constant: stay at the peak instead.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    if constant:
        return peak
    share = (step - warmup) / max(1, steps - warmup)
    return peak * (end + (1 - end) * (1 + math.cos(math.pi * min(1.0, share))) / 2)


def optimizer(
    name: str, model: nn.Module, *, lr: float, weight_decay: float
) -> torch.optim.Optimizer:
    """One of OPTIMIZERS. Matrices and kernels decay; norms, biases and scalars are left alone."""
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    kept = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    groups = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    return OPTIMIZERS[name]([group for group in groups if group["params"]], lr)


def _adamw(groups: Groups, lr: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.98))


def _schedule_free(groups: Groups, lr: float) -> torch.optim.Optimizer:
    made: torch.optim.Optimizer = AdamWScheduleFree(groups, lr=lr, betas=(0.9, 0.98))
    made.train()  # type: ignore[attr-defined]
    return made


def _lion(groups: Groups, lr: float) -> torch.optim.Optimizer:
    made: torch.optim.Optimizer = Lion(groups, lr=lr)
    return made


# By the value of `optimizer`. Lion wants a rate 3 to 10 times lower than AdamW, and as much more
# decay (Chen et al. 2023, Symbolic Discovery of Optimization Algorithms).
OPTIMIZERS: dict[str, Callable[[Groups, float], torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "schedule_free": _schedule_free,
    "lion": _lion,
}
# Those that average the weights themselves and so want a rate that does not fall
# (Defazio et al. 2024, The Road Less Scheduled).
CONSTANT = ("schedule_free",)


class Ema:
    """An exponential moving average of a model's weights and running statistics.

    Young averages forget faster, by (1 + n) / (10 + n) after n steps, or they would be made of the
    weights at the start for long.

    Args:
        decay: what a step leaves of the average, 0 to 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def follow(self, model: nn.Module) -> None:
        """One step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in model.state_dict().items():
            if value.dtype.is_floating_point:
                self.weights[name].lerp_(value, 1 - decay)
            else:
                self.weights[name].copy_(value)

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps, "weights": self.weights}

    def load(self, state: dict[str, Any]) -> None:
        self.steps = int(state["steps"])
        for name, value in state["weights"].items():
            self.weights[name].copy_(value)
