"""Three steps of a learner, alone or as one of several processes; the main one writes what it saw.

Run by test_processes: `python -m tests.training.ml.shared_steps FOLDER CHUNKS...`; for each number
of chunks it learns anew, and writes what it saw to FOLDER/CHUNKS.npz.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from tests.training.ml.crops import coloured, tiny_config
from training.ml import processes
from training.ml.dual_encoder import build
from training.ml.learner import Learner
from training.ml.loader import Reader, batches
from training.ml.objectives import clip
from training.ml.objectives.base import Objective
from training.ml.optim import optimizer
from training.ml.stages import stages

STEPS = 3


class Remembering(Objective):
    """InfoNCE, and texts pushed from the pictures of the steps before: a memory queue."""

    def __init__(self, contrastive: Objective, dim: int) -> None:
        super().__init__()
        self.contrastive = contrastive
        self.weight = torch.nn.Parameter(torch.randn(dim, dim) / dim**0.5)
        self.register_buffer("queue", torch.randn(40, dim))

    def forward(self, outputs, targets):
        losses = self.contrastive(outputs, targets)
        text = F.normalize(outputs.text @ self.weight, dim=1)
        losses["memory"] = (text @ F.normalize(self.queue, dim=1).T).exp().mean()
        self.queue = torch.cat([outputs.image.detach(), self.queue])[: len(self.queue)]
        return losses


def learn(chunks: int, out: Path) -> None:
    # 23 pictures and 13 texts: shares of different sizes.
    config = tiny_config(batch=23, texts=13, steps=STEPS, augment=True)
    torch.manual_seed(0)
    model = build(config)
    data = coloured()
    objective = Remembering(clip.build(config, data, config.dim), config.dim)
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
    accelerator = processes.start("fp32")
    trained = torch.nn.ModuleList([objective, model])
    learner = Learner(
        accelerator,
        accelerator.prepare_model(model),
        objective,
        trained,
        optimizer("adamw", trained, lr=1e-3, weight_decay=0.0),
        clip_norm=1e9,
        chunks=chunks,
    )
    reader = Reader(
        tower=model.text, index=accelerator.process_index, count=accelerator.num_processes
    )
    seen = {}
    for loaded in batches(config, data, next(stages(config)), reader, 0):
        terms = learner.step(loaded, 1e-3)
        seen |= {f"{loaded.step} {name}": value for name, value in terms.items()}
        for name, parameter in trained.named_parameters():
            if parameter.grad is not None:
                seen[f"{loaded.step} gradient {name}"] = parameter.grad.numpy().copy()
    seen["queue"] = objective.queue.numpy()
    if accelerator.is_main_process:
        np.savez(out, **seen)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for number in sys.argv[2:]:
        learn(int(number), Path(sys.argv[1]) / f"{number}.npz")
