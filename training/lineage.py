"""Where a version comes from and what hangs on it: data, settings, code, numbers."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from pedsite.accounts.models import User
from training.ml import config
from training.ml.recipes import RECIPES
from training.models import Evaluation, MetricPoint, ModelVersion, TrainingRun


@dataclass(frozen=True, kw_only=True)
class Row:
    """A run as lists show it; `best` is the highest share of first hits on validation."""

    run: TrainingRun
    best: float | None


def rows(runs: Iterable[TrainingRun]) -> list[Row]:
    """Runs with their best validation, in one query."""
    listed = list(runs)
    measured = MetricPoint.objects.filter(run__in=listed, name="valid_r1")
    best = dict(measured.values_list("run").annotate(Max("value")).order_by())
    return [Row(run=run, best=best.get(run.pk)) for run in listed]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a run, and whether it is other than its recipe's default."""

    name: str
    value: str
    changed: bool


def settings(run: TrainingRun) -> list[Setting]:
    """The settings that the run's recipe reads, those first that somebody changed."""
    defaults = _defaults(run.recipe)
    # A run of an older version may have settings that are gone, and lack new ones.
    names = [name for name in in_order(run.config) if name != "recipe"]
    if defaults:
        names = [name for name in names if name in defaults or name not in _known()]
    found = [
        Setting(
            name=name,
            value=_said(run.config[name]),
            changed=name not in defaults or run.config[name] != defaults[name],
        )
        for name in names
    ]
    return sorted(found, key=lambda setting: not setting.changed)


def _defaults(recipe: str) -> dict[str, Any]:
    return config.defaults_of(recipe) if recipe in RECIPES else {}


def in_order(names: Iterable[str]) -> list[str]:
    """Names of settings as the config has them; the database keeps another order."""
    places = {name: place for place, name in enumerate(_known())}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))


def _known() -> Iterable[str]:
    return config.TrainConfig.__dataclass_fields__


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def pace(run: TrainingRun) -> list[tuple[str, str]]:
    """How the run computed, as (name, value); what was measured to choose it is left out."""
    return [
        (name.replace("_", " "), str(value))
        for name, value in sorted(run.pace.items())
        if isinstance(value, str | int | float)
    ]


@dataclass(frozen=True, kw_only=True)
class Trail:
    """What a run learned from. `fingerprint` is of the frozen data; empty for drawn people."""

    source: str
    dataset: str
    number: int | None
    fingerprint: str
    boxes: int | None
    captions: int | None


def of_run(run: TrainingRun) -> Trail:
    snapshot = run.snapshot
    if snapshot is None:
        return Trail(
            source=run.drawn, dataset="", number=None, fingerprint="", boxes=None, captions=None
        )
    return Trail(
        source=run.source,
        dataset=snapshot.dataset.name,
        number=snapshot.number,
        fingerprint=snapshot.fingerprint,
        boxes=snapshot.box_count,
        captions=snapshot.caption_count,
    )


@dataclass(frozen=True, kw_only=True)
class Lineage:
    """All that a version's page tells beside the version itself."""

    run: TrainingRun | None
    trail: Trail | None
    settings: list[Setting]
    evaluations: list[Evaluation]
    # Versions whose vectors live in the same space; with the same image tower, no new enrollment.
    fellows: list[ModelVersion]


def of_version(version: ModelVersion, user: User) -> Lineage:
    """Evaluations are those on datasets that the user may see."""
    run = TrainingRun.objects.with_job().filter(version=version).first()
    measured = Evaluation.objects.visible_to(user).with_context().filter(version=version)
    fellows = ModelVersion.objects.with_towers().filter(image_encoder__space=version.space)
    return Lineage(
        run=run,
        trail=of_run(run) if run else None,
        settings=settings(run) if run else [],
        evaluations=list(measured.defer("details", "predictions")[:50]),
        fellows=list(fellows.exclude(pk=version.pk)[:20]),
    )


def card(version: ModelVersion, user: User) -> dict[str, Any]:
    """The version's card: towers, licence, numbers, and what it was trained on, how, by which code.

    Evaluations are those that the user may see.
    """
    lineage = of_version(version, user)
    run, trail = lineage.run, lineage.trail
    found: dict[str, Any] = {
        "name": version.name,
        "licence": version.licence,
        "notes": version.notes,
        "space": version.space.name,
        "dim": version.dim,
        "registered": version.created_at.isoformat(),
        "towers": [
            {
                "modality": tower.modality,
                "sha256": tower.sha256,
                "bytes": tower.byte_size,
                "preprocessing": tower.preprocessing,
            }
            for tower in version.towers
        ],
        "metrics": version.metrics,
        "training": None,
        "evaluations": [one.metrics for one in lineage.evaluations if one.metrics],
    }
    if run and trail:
        found["training"] = {
            "run": run.pk,
            "recipe": run.recipe,
            "learned_from": trail.source,
            "fingerprint": trail.fingerprint,
            "revision": run.revision,
            "config": run.config,
        }
    return found
