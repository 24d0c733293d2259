"""The training loop: steps, validation, checkpoints, and going on just where a run was cut.

What is minimized is the objective's affair, which towers learn when is the stages', and how a
batch becomes gradients the learner's.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.ml import checkpoint, objectives, pace, processes, vocabulary, warm_start
from training.ml.config import ConfigError, TrainConfig
from training.ml.data import PairData, Probe
from training.ml.dual_encoder import DualEncoder, build
from training.ml.learner import Diverged, Learner
from training.ml.loader import Loaded, Reader, batches, epoch_steps, gallery_batches
from training.ml.optim import Ema, optimizer
from training.ml.pace import Pace
from training.ml.stages import Stage, stages
from training.ml.validation import encode_pictures, judged_order, validate

__all__ = ["BEST", "LAST", "PACE", "START", "Diverged", "Stopped", "Watch", "train"]

LAST = "last.pt"
BEST = "best.pt"
# The weights to begin with, where there are some: {"model": state}.
START = "start.pt"
PACE = "pace.json"


class Stopped(Exception):
    """The run was asked to stop; its last checkpoint is kept."""


def _never() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who follows a run and may end it. Only the main process reports and tells.

    report: called with a step and its values: losses, `lr` and `grad_norm` each `log_every`
        steps, `valid_r1`, `valid_r5`, `valid_r10` each `validate_every`; where the probe has
        judgements, also `valid_judged` and the `valid_score` that is selected by.
    tell: called with a sentence about the run.
    should_stop: asked after every step; the run is cut there, to go on another time.
    should_finish: asked after every epoch; the run then ends as if it had come to its last step.
    """

    report: Callable[[int, dict[str, float]], None]
    tell: Callable[[str], None] = lambda sentence: None
    should_stop: Callable[[], bool] = _never
    should_finish: Callable[[], bool] = _never


def train(config: TrainConfig, data: PairData, probe: Probe, folder: Path, *, watch: Watch) -> Path:
    """Train, or go on from the folder's last checkpoint.

    Selection looks at the probe alone: the checkpoint whose first hits fit most often is kept; with
    judgements in the probe, the mean of that and of judged pairs in order counts.
    Several processes under `torchrun` share each batch; the folder must be one that all see.

    Returns: the path of the best checkpoint.
    Raises: Stopped, should_stop said so; Diverged; CheckpointError, the last one is damaged;
        ConfigError, data or machine do not have what the config needs.
    """
    run = _Run(config, data, probe, folder, watch)
    for stage in stages(config):
        if run.step < stage.end:
            run.enter(stage)
            run.go_through(stage)
    run.accelerator.wait_for_everyone()
    return folder / BEST


class _Run:
    """A training as far as it has come.

    step: steps done. best: the best share of first hits. stale: validations since then.
    """

    def __init__(
        self, config: TrainConfig, data: PairData, probe: Probe, folder: Path, watch: Watch
    ) -> None:
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed)
        self.config, self.data, self.probe = config, data, probe
        self.folder, self.watch = folder, watch
        self.model = self._model()
        self.model.freeze(config.freeze)
        self.objective = objectives.build(config, data, self.model.dim)
        folder.mkdir(parents=True, exist_ok=True)
        self._place()
        self.rng = np.random.default_rng((config.seed, 2))
        self.learner: Learner | None = None
        self.step, self.best, self.stale = 0, -math.inf, 0
        self.stored = checkpoint.load(folder / LAST) if (folder / LAST).exists() else None
        if self.stored is not None:
            self.step, self.best = int(self.stored["step"]), float(self.stored["best"])
            self.stale = int(self.stored["stale"])

    def _model(self) -> DualEncoder:
        """New, or with the weights that the run begins with."""
        fields = [field.stop - field.start for field in self.data.fields]
        path = self.folder / START
        self.begins_with_weights = path.exists()
        if not self.begins_with_weights:
            return build(self.config, fields, vocabulary.of_data(self.config, self.data))
        state = checkpoint.load(path)["model"]
        sizes = warm_start.sizes_of(state)
        if fields and fields != sizes:
            raise ConfigError(f"start knows facts of {sizes}, the data of {fields}")
        model = build(self.config, sizes)
        some = np.arange(min(warm_start.LOOKED_AT, len(self.data)))
        warm_start.begin(model, state, self.data.pictures(some))
        return model

    def enter(self, stage: Stage) -> None:
        """Make ready for the stage's steps, from a checkpoint if one was cut there."""
        if stage.against_gallery:
            self._enter_gallery(stage)
        elif self.learner is None:
            self.learner = self._learner(nn.ModuleList([self.objective, self.model]))
            if self.stored is not None:
                self.learner.load(self.stored)
            elif self.begins_with_weights:
                self._select()  # what it begins with is kept unless something better comes
        self.stored = None

    def go_through(self, stage: Stage) -> None:
        """The rest of the stage. Raises: Stopped."""
        epoch = epoch_steps(self.config, self.data)
        for loaded in self._batches(stage):
            self._train_on(loaded, stage)
            epoch_over = self.step % epoch == 0
            stop, finish, tired = processes.agreed(
                self.accelerator,
                self.step < self.config.all_steps and self.watch.should_stop(),
                self.step < self.config.all_steps and epoch_over and self.watch.should_finish(),
                bool(self.config.patience) and self.stale >= self.config.patience,
            )
            if stop:
                self._keep()
                raise Stopped(f"stopped after step {self.step} of {self.config.all_steps}")
            if finish:
                self._tell(f"Ended after step {self.step}, where an epoch was over, as asked.")
                self._select()
                self._leave(self.config.all_steps)
                return
            if tired and self.step < stage.end:
                self._tell(
                    f"Ended after step {self.step}: none of {self.stale} validations was better."
                )
                self._leave(stage.end)
                return

    def _place(self) -> None:
        """Find out how to compute, and put the model where it is computed."""
        place = processes.place()
        chosen = processes.told_by_main(self._pace(place) if processes.is_main() else None)
        assert chosen is not None
        self.accelerator = processes.start(chosen.precision)
        count = self.accelerator.num_processes
        if min(self.config.batch, self.config.texts or self.config.batch) < count:
            raise ConfigError(f"{count} processes cannot share a batch of fewer pictures or texts")
        self.reader = Reader(
            tower=self.model.text,
            index=self.accelerator.process_index,
            count=count,
            memory_format=pace.FORMATS[chosen.memory_format],
        )
        self.model.to(place, memory_format=self.reader.memory_format)  # type: ignore[call-overload]
        self.objective.to(place)
        if self.config.compile:
            self.model.compile_towers()
        self.runs = self.accelerator.prepare_model(self.model)

    def _pace(self, place: torch.device) -> Pace:
        """As it was chosen when the run began, or else chosen now."""
        path = self.folder / PACE
        if path.exists():
            return Pace(**json.loads(path.read_text("utf-8")))
        main = next(stage for stage in stages(self.config) if stage.selects)

        def batch() -> Loaded:
            reader = Reader(tower=self.model.text, count=processes.count())
            return next(batches(self.config, self.data, main, reader, main.start))

        chosen = pace.choose(self.config, self.model, place, batch)
        path.write_text(json.dumps(chosen.to_dict()), "utf-8")
        if chosen.seconds:
            self.watch.tell(f"{chosen}.")
        return chosen

    def _batches(self, stage: Stage) -> Iterator[Loaded]:
        if stage.against_gallery:
            gallery, rng = self.gallery_rows, self.rng
            return gallery_batches(
                self.config, self.data, stage, self.reader, gallery, rng, self.step
            )
        return batches(self.config, self.data, stage, self.reader, self.step)

    def _train_on(self, loaded: Loaded, stage: Stage) -> None:
        """One step, and all that is due after it."""
        assert self.learner is not None
        config = self.config
        rate = stage.rate(loaded.step)
        terms = self.learner.step(loaded, rate)
        self.step = loaded.step + 1
        ended = self.step == stage.end and stage.selects
        counted = self.step - stage.counts_from
        if self._is_main and ((counted - 1) % config.log_every == 0 or ended):
            self.watch.report(self.step, terms | {"lr": rate} | self.objective.watched())
        if stage.selects and (counted % config.validate_every == 0 or ended):
            self._select()
            self._keep()
        elif counted % config.checkpoint_every == 0:
            self._keep()

    def _select(self) -> None:
        """Validate, and keep the model if none before was better."""
        if not self._is_main:
            return
        assert self.learner is not None
        with self.learner.serving() as model:
            values, score = self._judge(model)
            self.watch.report(self.step, values)
            self.stale = 0 if score > self.best else self.stale + 1
            if score >= self.best:
                self.best = score
                kept = {
                    "model": model.state_dict(),
                    "objective": self.objective.state_dict(),
                    "step": self.step,
                    "config": self.config.to_dict(),
                }
                checkpoint.save(kept, self.folder / BEST)

    def _judge(self, model: DualEncoder) -> tuple[dict[str, float], float]:
        """What is reported of a model, and what it is selected by."""
        found = validate(model, self.probe)
        values = {f"valid_r{k}": value for k, value in found.items()}
        order = judged_order(model, self.probe)
        if order is None:
            return values, found[1]
        # Who learns from judgements wants both: captions found, and judged pairs in order.
        score = (found[1] + order) / 2
        return values | {"valid_judged": order, "valid_score": score}, score

    def _keep(self) -> None:
        """Write the last checkpoint."""
        assert self.learner is not None
        if self._is_main:
            about: dict[str, Any] = {"step": self.step, "best": self.best, "stale": self.stale}
            about["config"] = self.config.to_dict()
            checkpoint.save(self.learner.state() | about, self.folder / LAST)

    def _leave(self, step: int) -> None:
        """Go on as if `step` steps were done."""
        self.step = step
        self._keep()

    def _enter_gallery(self, stage: Stage) -> None:
        """From the best model so far; where the stage was cut off, from where it was.

        Source: Zhai et al. 2022, LiT: Zero-Shot Transfer with Locked-image text Tuning.
        """
        self.accelerator.wait_for_everyone()
        resumed = self.stored if self.step > stage.start else None
        state = resumed or checkpoint.load(self.folder / BEST)
        self.model.load_state_dict(state["model"])
        self.objective.load_state_dict(state["objective"])
        if resumed is None:
            self.best, self.stale = self._judge(self.model)[1], 0
        self.gallery_rows = np.sort(self.rng.permutation(len(self.data))[: self.config.gallery])
        vectors = encode_pictures(self.model, self.data.pictures(self.gallery_rows))
        assert self.model.text is not None
        gallery = torch.from_numpy(vectors).to(self.accelerator.device)
        self.learner = self._learner(self.model.text, gallery)
        if resumed is not None:
            self.learner.load(resumed)

    def _learner(self, trained: nn.Module, gallery: Tensor | None = None) -> Learner:
        config = self.config
        moved = optimizer(config.optimizer, trained, lr=config.lr, weight_decay=config.weight_decay)
        return Learner(
            self.accelerator,
            self.runs,
            self.objective,
            trained,
            moved,
            clip_norm=config.clip_norm,
            chunks=config.accumulate,
            ema=Ema(self.model, config.ema_decay) if config.ema_decay else None,
            gallery=gallery,
            seed=config.seed,
        )

    @property
    def _is_main(self) -> bool:
        return bool(self.accelerator.is_main_process)

    def _tell(self, sentence: str) -> None:
        if self._is_main:
            self.watch.tell(sentence)
