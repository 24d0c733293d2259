"""A training from its frozen run to a version. The one Django module that loads torch."""

import errno
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from training import artifacts, continuing, lessons, runs, towers, versions
from training.errors import TrainingFailed, UnknownRun
from training.ml import checkpoint, engine, export, processes, warm_start
from training.ml.checkpoint import CheckpointError
from training.ml.config import ConfigError, TrainConfig
from training.ml.data import Probe
from training.ml.engine import Watch
from training.ml.event_files import EventFiles
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
) -> ModelVersion | None:
    """Train, or go on from the last checkpoint; export, check against torch, register.

    Curves are stored as they grow. When the version is registered, the run's folder is removed.
    Of several processes that `torchrun` started, all call this; the main one alone reports,
    exports and registers.

    Args:
        progress: called with steps done, steps in all, and what is done now.
        refuse: called with the boxes that cannot be read, as (item, reason).
        should_stop: asked while data are made, and after each step.

    Returns: the version; None in a process that is not the main one.
    Raises:
        engine.Stopped: should_stop said so; a checkpoint is kept.
        TrainingFailed: the loss diverged, memory or disk ran out, the export differs from torch,
            a checkpoint is damaged.
        UnknownRun, BadTrainingData, BadTower: the run, its data or its towers are refused.
    """
    run = runs.get(run_id)
    config = TrainConfig.from_dict(run.config)
    folder = runs.folder(run)
    with _failing_in_words(run), EventFiles(runs.curves_folder(run)) as files:
        follower = _Follower(
            run, config.all_steps, progress=progress, should_stop=should_stop, files=files
        )
        with processes.main_first():
            room = lessons.Room(folder=folder, tell=follower.making, refuse=refuse)
            data, probe = lessons.prepare(run, config, room)
            _begin(config, folder)
        watch = Watch(
            report=follower.report,
            tell=follower.tell,
            should_stop=should_stop,
            should_finish=lambda: runs.is_to_finish(run),
        )
        best = engine.train(config, data, probe, folder, watch=watch)
        if not processes.is_main():
            return None
        done = follower.seen if runs.is_to_finish(run) else config.all_steps
        progress(done, done, "exporting")
        with tempfile.TemporaryDirectory() as outdir:
            bundle = _export(run, best, probe, Path(outdir))
            version = _register(config, bundle)
    pace = json.loads((folder / engine.PACE).read_text("utf-8"))
    TrainingRun.objects.filter(pk=run.pk).update(version=version, pace=pace)
    shutil.rmtree(folder, ignore_errors=True)
    return version


def _begin(config: TrainConfig, folder: Path) -> None:
    """The weights of the version to go on from, into the run's folder.

    Raises: UnknownVersion, BadTrainingData, CorruptArtifact; ConfigError, they cannot be read back.
    """
    path = folder / engine.START
    if not config.start or path.exists():
        return
    image, text = continuing.towers(config)
    files = [artifacts.fetch(one.file.name, one.sha256) for one in (image, text)]
    table = artifacts.fetch(text.characters.name, text.characters_sha256)
    golden = [artifacts.fetch(one.golden.name, one.golden_sha256) for one in (image, text)]
    state = warm_start.restore(config, *files, table, golden)
    checkpoint.save({"model": state}, path)


def joined(run_id: int | None) -> int:
    """The run that the main process trains; the others of `torchrun` are not told which.

    Raises: UnknownRun, this is the main process and it was told of none.
    """
    found = processes.told_by_main(run_id)
    if found is None:
        raise UnknownRun("none")
    return found


class _Follower:
    """Passes on what the engine reports of a run: to the curves, the progress, and the log."""

    def __init__(
        self,
        run: TrainingRun,
        total: int,
        *,
        progress: Progress,
        should_stop: Callable[[], bool],
        files: EventFiles,
    ) -> None:
        self.run, self.total = run, total
        self.progress, self.should_stop, self.files = progress, should_stop, files
        self.seen = 0

    def report(self, step: int, values: dict[str, float]) -> None:
        self.seen = step
        record(self.run, step, values)
        self.files.add(step, values)
        self.progress(step, self.total, f"loss {values['loss']:.3f}" if "loss" in values else "")

    def tell(self, sentence: str) -> None:
        # The worker keeps what this process writes there as the run's log.
        print(sentence, file=sys.stderr, flush=True)
        self.progress(self.seen, self.total, sentence)

    def making(self, note: str) -> None:
        """How far the data are. Raises: Stopped; once it trains, the engine sees to that."""
        self.progress(self.seen, self.total, note)
        if self.should_stop():
            raise engine.Stopped("stopped before the first step")


@contextmanager
def _failing_in_words(run: TrainingRun) -> Iterator[None]:
    """What a training can end by, as a TrainingFailed that says what to do."""
    try:
        yield
    except (engine.Diverged, export.ParityError, CheckpointError, ConfigError, TowerError) as exc:
        raise TrainingFailed(f"{exc} {runs.kept(run)}".strip()) from exc
    except (MemoryError, OSError, RuntimeError) as exc:
        reason = shortage(exc)
        if not reason:
            raise
        raise TrainingFailed(f"{reason} {runs.kept(run)}".strip()) from exc


def shortage(exc: BaseException) -> str:
    """What ran out, and what helps; empty if the error is none of that kind."""
    if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full ({exc}): free some room."
    # torch tells want of the processor's own memory by a plain RuntimeError.
    said = "can't allocate memory" in str(exc) or "not enough memory" in str(exc)
    if isinstance(exc, MemoryError | torch.OutOfMemoryError) or said:
        words = str(exc).partition("\n")[0][:200] or type(exc).__name__
        return (
            f"The memory is too small for this training ({words}): a smaller batch needs less, "
            "and so does a higher accumulate, with the same loss."
        )
    return ""


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


def _export(run: TrainingRun, best: Path, probe: Probe, outdir: Path) -> Bundle:
    """The best checkpoint as a bundle, its golden inputs from the probe and from all towers'."""
    config, model = export.restore(best)
    crops = towers.probe_pictures(config.height, config.width)
    if len(probe.pixels):  # a text tower alone has none
        crops = np.concatenate([probe.pixels[:GOLDEN], crops])
    texts = list(dict.fromkeys([*probe.texts[:GOLDEN], *towers.PROBE_TEXTS]))
    licence = run.job.params.get("licence") or config.pretrained_licence
    licence = licence or continuing.licence(config)
    return export.export(
        config,
        model,
        outdir,
        crops=crops,
        captions=texts,
        about={
            "name": run.version_name,
            "space": run.version_name,
            "licence": licence,
            "notes": f"Trained with the recipe {run.recipe} on {run.source}.",
            "metrics": {"validation": _validation(run)},
        },
    )


def _register(config: TrainConfig, bundle: Bundle) -> ModelVersion:
    if config.towers == "text":
        return versions.register_text(bundle.folder, lessons.partner(config))
    return versions.register_bundle(bundle.folder)


def _validation(run: TrainingRun) -> dict[str, float]:
    """Recall on the probe at the step whose checkpoint was kept: the last of the best."""
    judged = run.points.filter(name="valid_score")
    by = judged if judged.exists() else run.points.filter(name="valid_r1")
    chosen = by.order_by("-value", "-step").first()
    if chosen is None:
        return {}
    points = run.points.filter(step=chosen.step, name__startswith="valid_r")
    recall = sorted((int(point.name[7:]), point.value) for point in points)
    return {"step": chosen.step} | {f"recall_at_{k}": round(value, 4) for k, value in recall}
