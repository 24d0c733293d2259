"""Row 12: the training loop with its loader against one batch that is there already."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch

from tests.bench.rounds import ROUNDS, Line, in_turn, spread
from training.drawn import DrawnCrops, load_or_draw
from training.ml import objectives, pace, processes
from training.ml.config import TrainConfig
from training.ml.dual_encoder import DualEncoder, build
from training.ml.learner import Learner
from training.ml.loader import Loaded, Reader, batches
from training.ml.optim import optimizer
from training.ml.stages import Stage, stages

SEED, CROPS, STEPS = 90_004, 512, 2


def measure(work: Path) -> Iterator[Line]:
    """The loader's part of a step, and what choosing precision and memory format gains."""
    config = replace(TrainConfig(), steps=100_000, precision="auto", memory_format="auto")
    data = load_or_draw(SEED, CROPS, work, config.height, config.width)
    model = build(config, [field.stop - field.start for field in data.fields])
    stage = next(stage for stage in stages(config) if stage.towers == "both")
    place = processes.place()

    def batch(reader: Reader | None = None) -> Loaded:
        chosen = reader or Reader(tower=model.text)
        return next(batches(config, data, stage, chosen, stage.start))

    tried = [pace.choose(config, model, place, batch) for _ in range(ROUNDS)]
    gains = [each.seconds["fp32 contiguous"] / min(each.seconds.values()) for each in tried]
    value, ends = spread(gains)
    yield Line(
        row=12,
        what="chosen precision and format / NCHW in fp32, steps a second",
        value=value,
        sense=">=",
        target=1.2,
        spread=ends,
        note=str(tried[-1]),
    )
    yield _loop(config, data, model, stage, tried[-1])


def _loop(
    config: TrainConfig, data: DrawnCrops, model: DualEncoder, stage: Stage, chosen: pace.Pace
) -> Line:
    accelerator = processes.start(chosen.precision)
    reader = Reader(tower=model.text, memory_format=pace.FORMATS[chosen.memory_format])
    model.to(accelerator.device, memory_format=reader.memory_format)
    objective = objectives.build(config, data, model.dim).to(accelerator.device)
    trained = torch.nn.ModuleList([objective, model])
    moved = optimizer(config.optimizer, trained, lr=1e-6, weight_decay=config.weight_decay)
    learner = Learner(
        accelerator,
        accelerator.prepare_model(model),
        objective,
        trained,
        moved,
        clip_norm=config.clip_norm,
    )
    loaded = batches(config, data, stage, reader, stage.start)
    cached = next(loaded)
    rounds = in_turn(
        lambda: [learner.step(cached, 1e-6) for _ in range(STEPS)],
        lambda: [learner.step(next(loaded), 1e-6) for _ in range(STEPS)],
    )
    value, ends = spread(bare / whole for bare, whole in rounds)
    step = spread(whole for _bare, whole in rounds)[0] / STEPS
    return Line(
        row=12,
        what="training loop with its loader / one cached batch, steps a second",
        value=value,
        sense=">=",
        target=0.9,
        spread=ends,
        note=f"{step:.2f} s a step of {config.batch} pictures",
    )
