"""A training from its frozen run to a version. The one Django module that loads torch."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from training import drawn, runs, samples, towers, versions
from training.drawn import Drawn
from training.errors import TrainingFailed
from training.ml import engine, export
from training.ml.checkpoint import CheckpointError
from training.ml.config import ConfigError, TrainConfig
from training.ml.data import PairData, Probe
from training.ml.runtime import Bundle, TowerError
from training.models import MetricPoint, ModelVersion, TrainingRun

# Golden inputs of a new version from its own data, beside the probe pictures and texts.
GOLDEN = 8

Progress = Callable[[int, int, str], None]


def run(
    run_id: int,
    *,
    progress: Progress = lambda done, total, note: None,
    refuse: Callable[[list[tuple[str, str]]], None] = lambda refused: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> ModelVersion:
    """Train, or go on from the last checkpoint; export, check against torch, register.

    Curves are stored as they grow. When the version is registered, the run's folder is removed.

    Args:
        progress: called with steps done, steps in all, and what is done now; may raise
            engine.Stopped as well.
        refuse: called with the boxes that cannot be read, as (item, reason).
        should_stop: asked after each step.

    Raises:
        engine.Stopped: should_stop said so; a checkpoint is kept.
        TrainingFailed: the loss diverged, the export differs from torch, a checkpoint is damaged.
        UnknownRun, BadTrainingData, BadTower: the run, its data or its towers are refused.
    """
    run = runs.get(run_id)
    config = TrainConfig.from_dict(run.config)
    total = config.all_steps
    folder = runs.folder(run)
    seen = 0

    def report(step: int, values: dict[str, float]) -> None:
        nonlocal seen
        seen = step
        record(run, step, values)
        loss = f"loss {values['loss']:.3f}" if "loss" in values else ""
        progress(step, total, loss)

    try:
        data, probe = _data(run, config, folder, lambda note: progress(seen, total, note), refuse)
        best = engine.train(config, data, probe, folder, report=report, should_stop=should_stop)
        progress(total, total, "exporting")
        with tempfile.TemporaryDirectory() as outdir:
            bundle = _export(run, best, probe, Path(outdir))
            version = versions.register_bundle(bundle.folder)
    except (engine.Diverged, export.ParityError) as exc:
        raise TrainingFailed(str(exc)) from exc
    except (CheckpointError, ConfigError, TowerError) as exc:
        raise TrainingFailed(str(exc)) from exc
    TrainingRun.objects.filter(pk=run.pk).update(version=version)
    shutil.rmtree(folder, ignore_errors=True)
    return version


def record(run: TrainingRun, step: int, values: dict[str, float]) -> None:
    """Store points of the curves; a step that is passed again replaces its values."""
    MetricPoint.objects.bulk_create(
        [
            MetricPoint(run=run, step=step, name=name, value=value)
            for name, value in values.items()
            if np.isfinite(value)
        ],
        update_conflicts=True,
        unique_fields=["run", "name", "step"],
        update_fields=["value"],
    )


def _data(
    run: TrainingRun,
    config: TrainConfig,
    folder: Path,
    tell: Callable[[str], None],
    refuse: Callable[[list[tuple[str, str]]], None],
) -> tuple[PairData, Probe]:
    if run.snapshot is None:
        return drawn.prepare(
            Drawn.parse(run.drawn),
            folder,
            height=config.height,
            width=config.width,
            report=lambda done, count: tell(f"drawing {done} of {count} people"),
        )
    prepared = samples.prepare(
        run.snapshot, folder, height=config.height, width=config.width, tell=tell
    )
    refuse(prepared.refused)
    return prepared.data, prepared.probe


def _export(run: TrainingRun, best: Path, probe: Probe, outdir: Path) -> Bundle:
    """The best checkpoint as a bundle, its golden inputs from the probe and from all towers'."""
    config, model = export.restore(best)
    pictures = towers.probe_pictures(config.height, config.width)
    texts = list(dict.fromkeys([*probe.texts[:GOLDEN], *towers.PROBE_TEXTS]))
    licence = run.job.params.get("licence") or config.pretrained_licence
    return export.export(
        config,
        model,
        outdir,
        crops=np.concatenate([probe.pixels[:GOLDEN], pictures]),
        captions=texts,
        about={
            "name": run.version_name,
            "space": run.version_name,
            "licence": licence,
            "notes": f"Trained with the recipe {run.recipe} on {run.source}.",
            "metrics": {"validation": _validation(run)},
        },
    )


def _validation(run: TrainingRun) -> dict[str, float]:
    """Recall on the probe at the step whose checkpoint was kept: the last of the best."""
    chosen = run.points.filter(name="valid_r1").order_by("-value", "-step").first()
    if chosen is None:
        return {}
    points = run.points.filter(step=chosen.step, name__startswith="valid_r")
    recall = sorted((int(point.name[7:]), point.value) for point in points)
    return {"step": chosen.step} | {f"recall_at_{k}": round(value, 4) for k, value in recall}
