"""The training loop: steps, validation, checkpoints, and going on just where a run was cut.

What is minimized is the objective's affair, which towers learn when is the stages'.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.ml import checkpoint, objectives
from training.ml.config import TrainConfig
from training.ml.data import PairData, Probe
from training.ml.dual_encoder import build
from training.ml.learner import Diverged, Learner
from training.ml.loader import Loaded, batches, gallery_batches
from training.ml.optim import adamw
from training.ml.stages import Stage, stages
from training.ml.validation import encode_pictures, validate

__all__ = ["BEST", "LAST", "Diverged", "Stopped", "train"]

LAST = "last.pt"
BEST = "best.pt"

Report = Callable[[int, dict[str, float]], None]


class Stopped(Exception):
    """The run was asked to stop; its last checkpoint is kept."""


def train(
    config: TrainConfig,
    data: PairData,
    probe: Probe,
    folder: Path,
    *,
    report: Report,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Train, or go on from the folder's last checkpoint.

    Selection looks at the probe alone: the checkpoint whose first hits fit most often is kept.

    Args:
        report: called with a step and its values: losses and `lr` each `log_every` steps,
            `valid_r1`, `valid_r5`, `valid_r10` each `validate_every`.
        should_stop: asked after every step.

    Returns: the path of the best checkpoint.
    Raises: Stopped, should_stop said so; Diverged; CheckpointError, the last one is damaged;
        ConfigError, the data do not know what the recipe needs.
    """
    run = _Run(config, data, probe, folder, report)
    for stage in stages(config):
        if run.step >= stage.end:
            continue
        run.enter(stage)
        for loaded in run.batches(stage):
            run.train_on(loaded, stage)
            if run.step < config.all_steps and should_stop():
                run.keep()
                raise Stopped(f"stopped after step {run.step} of {config.all_steps}")
    return folder / BEST


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class _Run:
    """A training as far as it has come: `step` steps are done, `best` is the best first hit."""

    def __init__(
        self, config: TrainConfig, data: PairData, probe: Probe, folder: Path, report: Report
    ) -> None:
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config, self.data, self.probe = config, data, probe
        self.folder, self.report = folder, report
        self.model = build(config, [field.stop - field.start for field in data.fields])
        self.objective = objectives.build(config, data, self.model.dim)
        place = device()
        self.model.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.objective.to(place)
        self.rng = np.random.default_rng((config.seed, 2))
        self.learner: Learner | None = None
        self.step, self.best = 0, -math.inf
        folder.mkdir(parents=True, exist_ok=True)
        self.stored = checkpoint.load(folder / LAST) if (folder / LAST).exists() else None
        if self.stored is not None:
            self.step, self.best = int(self.stored["step"]), float(self.stored["best"])

    def enter(self, stage: Stage) -> None:
        """Make ready for the stage's steps, from a checkpoint if one was cut there."""
        if stage.against_gallery:
            self._enter_gallery(stage)
        elif self.learner is None:
            self.learner = self._learner(torch.nn.ModuleList([self.objective, self.model]))
            if self.stored is not None:
                self.learner.load(self.stored)
        self.stored = None

    def batches(self, stage: Stage) -> Iterator[Loaded]:
        """What the stage has left to train on."""
        if stage.against_gallery:
            assert self.model.text is not None
            return gallery_batches(
                self.config,
                self.data,
                stage,
                self.model.text,
                self.gallery_rows,
                self.rng,
                self.step,
            )
        return batches(self.config, self.data, stage, self.model.text, self.step)

    def train_on(self, loaded: Loaded, stage: Stage) -> None:
        """One step, and all that is due after it."""
        assert self.learner is not None
        config = self.config
        rate = stage.rate(loaded.step)
        terms = self.learner.step(loaded, rate)
        self.step = loaded.step + 1
        ended = self.step == stage.end
        counted = self.step - stage.counts_from
        if (counted - 1) % config.log_every == 0 or (ended and stage.selects):
            self.report(self.step, terms | {"lr": rate} | self.objective.watched())
        if stage.selects and (counted % config.validate_every == 0 or ended):
            self._select()
            self.keep()
        elif counted % config.checkpoint_every == 0:
            self.keep()

    def keep(self) -> None:
        """Write the last checkpoint."""
        assert self.learner is not None
        about = {"step": self.step, "best": self.best, "config": self.config.to_dict()}
        checkpoint.save(self.learner.state() | about, self.folder / LAST)

    def _select(self) -> None:
        """Validate, and keep the model if none before was better."""
        found = validate(self.model, self.probe)
        self.report(self.step, {f"valid_r{k}": value for k, value in found.items()})
        if found[1] >= self.best:
            self.best = found[1]
            kept = {
                "model": self.model.state_dict(),
                "objective": self.objective.state_dict(),
                "step": self.step,
                "config": self.config.to_dict(),
            }
            checkpoint.save(kept, self.folder / BEST)

    def _enter_gallery(self, stage: Stage) -> None:
        """From the best model so far; where the stage was cut off, from where it was.

        Source: Zhai et al. 2022, LiT: Zero-Shot Transfer with Locked-image text Tuning.
        """
        resumed = self.stored if self.step > stage.start else None
        state = resumed or checkpoint.load(self.folder / BEST)
        self.model.load_state_dict(state["model"])
        self.objective.load_state_dict(state["objective"])
        if resumed is None:
            self.best = validate(self.model, self.probe)[1]
        self.gallery_rows = np.sort(self.rng.permutation(len(self.data))[: self.config.gallery])
        vectors = encode_pictures(self.model, self.data.pictures(self.gallery_rows))
        assert self.model.text is not None
        gallery = torch.from_numpy(vectors).to(device())
        self.learner = self._learner(self.model.text, gallery)
        if resumed is not None:
            self.learner.load(resumed)

    def _learner(self, trained: nn.Module, gallery: Tensor | None = None) -> Learner:
        config = self.config
        return Learner(
            self.model,
            self.objective,
            trained,
            adamw(trained, lr=config.lr, weight_decay=config.weight_decay),
            clip_norm=config.clip_norm,
            precision=config.precision,
            place=device(),
            gallery=gallery,
        )
