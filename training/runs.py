"""What may happen to a training run before it trains: asked for, named, given a folder."""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings as deployment
from django.db import transaction
from django.utils.translation import gettext_noop

from gallery import datasets, snapshots
from gallery.models import Snapshot
from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.jobs.models import Job
from training import continuing, lessons, revision, versions
from training.drawn import Drawn
from training.errors import (
    AlreadyTraining,
    BadSetting,
    BadTrainingData,
    NameTaken,
    NothingToResume,
    RunIsOver,
    UnknownRecipe,
    UnknownRun,
)
from training.ml.config import ConfigError, TrainConfig
from training.ml.recipes import RECIPES
from training.models import ModelVersion, TrainingRun

KIND = gettext_noop("train")
DRAWN = "drawn:"


@transaction.atomic
def request(
    recipe: str,
    dataset: str,
    settings: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    licence: str = "",
    user: User | None = None,
    queue: bool = True,
    snapshot: int | None = None,
) -> TrainingRun:
    """Freeze what to learn from and how, store the run and, with `queue`, hand it to a worker.

    Args:
        dataset: the name of one, of which a snapshot is frozen now, or `drawn:SEED:COUNT`.
        snapshot: the number of one that was frozen before, to learn from that.
        settings: values of TrainConfig that differ from its defaults.
        name: what the version will be called; default `RECIPE-JOB`.
        licence: of the version; default that of the pretrained network, if one is named.

    Raises:
        UnknownRecipe, BadSetting, UnknownDataset, UnknownSnapshot, BadTrainingData,
            BadVersionName, UnknownTeacher: what was asked for cannot be.
        NameTaken: a version has this name, or a run that is not over will give it.
        AlreadyTraining: the same training waits or runs.
    """
    config = freeze(recipe, continuing.adopt(settings or {}))
    lessons.check(config)
    drawn, frozen = _source(dataset, snapshot, user)
    if frozen is None:
        lessons.check_drawn(config)
    else:
        lessons.check_snapshot(config, frozen)
    numbered = {} if snapshot is None else {"snapshot": snapshot}
    job = work.request(
        KIND,
        task="training.train",
        params={"recipe": recipe, "dataset": dataset, "licence": licence} | numbered,
        user=user,
        queue=queue,
    )
    run = TrainingRun(
        job=job,
        recipe=recipe,
        config=config.to_dict(),
        snapshot=frozen,
        drawn=drawn,
        version_name=versions.check_name(name or f"{recipe}-{job.pk}"),
        revision=revision.current(),
    )
    _refuse_double(run)
    run.save()
    return run


@transaction.atomic
def resume(run: TrainingRun, user: User | None = None) -> TrainingRun:
    """Queue a run again that failed or was cancelled: it goes on from its last checkpoint.

    It stays the same run, with a new job, so that its curves go on too.

    Raises:
        NothingToResume: it waits, trains, or has given its version.
        NameTaken, AlreadyTraining: another run or version came between.
    """
    rows = TrainingRun.objects.select_related("job", "snapshot")
    found = rows.select_for_update(of=("self",)).get(pk=run.pk)
    if found.version_id or found.job.state not in (Job.State.FAILED, Job.State.CANCELLED):
        raise NothingToResume(found.job.get_state_display())
    _refuse_double(found)
    found.job = work.request(
        KIND, task=found.job.task, params=found.job.params, user=user, retry_of=found.job
    )
    found.finish_requested = False
    found.revision = revision.current()
    found.save(update_fields=["job", "finish_requested", "revision"])
    return found


def freeze(recipe: str, settings: Mapping[str, Any]) -> TrainConfig:
    """The complete configuration. Raises: UnknownRecipe, BadSetting."""
    if recipe not in RECIPES:
        near = difflib.get_close_matches(recipe, RECIPES, n=1)
        hint = f" Did you mean “{near[0]}”?" if near else f" There is: {', '.join(RECIPES)}."
        raise UnknownRecipe(f"There is no recipe “{recipe}”.{hint}")
    try:
        return TrainConfig.of_recipe(recipe, settings)
    except ConfigError as exc:
        raise BadSetting(f"{exc}.") from exc


def parse_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """`key=value` words to typed values: JSON where it reads as JSON, else the text as it stands.

    Raises: BadSetting, a word has no `=`, or a key comes twice.
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = key.strip().replace("-", "_")
        if not equals or not key:
            raise BadSetting(f"“{pair}” is not key=value.")
        if key in settings:
            raise BadSetting(f"{key} is set twice.")
        try:
            settings[key] = json.loads(value)
        except ValueError:
            settings[key] = {"true": True, "false": False}.get(value.lower(), value)
    return settings


def get(pk: int) -> TrainingRun:
    """The run with its job. Raises: UnknownRun."""
    try:
        return TrainingRun.objects.with_job().get(pk=pk)
    except TrainingRun.DoesNotExist:
        raise UnknownRun(pk) from None


def folder(run: TrainingRun) -> Path:
    """Where a run keeps its crops and checkpoints on this machine.

    Made from what is trained, not from the run's number: who asks for the same again after a
    cancelled or failed run goes on from its last checkpoint.
    """
    what = [run.config, run.drawn, run.snapshot.fingerprint if run.snapshot else ""]
    key = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:20]
    return Path(deployment.PEDSITE_WORK_DIR) / "runs" / key


def finish(run: TrainingRun) -> None:
    """Have the run end when its epoch is over, with a version of what is best by then.

    Unlike a cancelled one, which leaves a checkpoint and no version.

    Raises: RunIsOver.
    """
    if not TrainingRun.objects.unfinished().filter(pk=run.pk).exists():
        raise RunIsOver(run.pk)
    TrainingRun.objects.filter(pk=run.pk).update(finish_requested=True)


def is_to_finish(run: TrainingRun) -> bool:
    """Whether somebody asked for it, as the database says now."""
    return TrainingRun.objects.filter(pk=run.pk, finish_requested=True).exists()


def kept(run: TrainingRun) -> str:
    """What somebody can do whose run was cut off, in a sentence; empty without a checkpoint."""
    if not (folder(run) / "last.pt").exists():
        return ""
    return "Its last checkpoint is kept: ask for the same training again to go on from there."


def log(run: TrainingRun) -> Path:
    """What the run's process wrote on its standard error; gone when the version is made."""
    return folder(run).with_suffix(".log")


def curves_folder(run: TrainingRun) -> Path:
    """Where the run's curves are kept for TensorBoard."""
    return Path(deployment.PEDSITE_WORK_DIR) / "tensorboard" / f"run-{run.pk}"


def _source(dataset: str, number: int | None, user: User | None) -> tuple[str, Snapshot | None]:
    if dataset.startswith(DRAWN):
        if number is not None:
            raise BadTrainingData("Drawn people have no snapshots: name a dataset.")
        try:
            Drawn.parse(dataset)
        except ValueError as exc:
            raise BadTrainingData(f"{exc}.") from exc
        return dataset, None
    found = datasets.get(dataset)
    if number is not None:
        return "", snapshots.numbered(found, number)
    return "", snapshots.freeze(found, user)


def _refuse_double(run: TrainingRun) -> None:
    if ModelVersion.objects.filter(name=run.version_name).exists():
        raise NameTaken(f"A version “{run.version_name}” exists already: choose another name.")
    unfinished = TrainingRun.objects.with_job().unfinished()
    named = unfinished.filter(version_name=run.version_name).first()
    if named:
        raise NameTaken(
            f"Training run {named.pk} will give “{run.version_name}”: choose another name."
        )
    same = unfinished.filter(config=run.config, drawn=run.drawn)
    for other in same:
        if folder(other) == folder(run):
            raise AlreadyTraining(
                f"Training run {other.pk} learns the same from the same already; its version "
                f"will be “{other.version_name}”."
            )
