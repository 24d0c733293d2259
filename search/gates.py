"""The gate before a switch: what has to hold, and what somebody may confirm nevertheless."""

from dataclasses import dataclass

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from pedsite.api import DomainError
from search import comparisons, engines, index
from search.models import ServingVersion
from training import versions
from training.models import Evaluation, ModelVersion

# Shares (R@1, mAP, EER) may be worse by so much: less is the luck of the draw.
TOLERANCE = 0.005


class Result(models.TextChoices):
    PASSED = "passed", gettext_lazy("passed")
    UNKNOWN = "unknown", gettext_lazy("unknown")
    FAILED = "failed", gettext_lazy("failed")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition of the gate. What did not pass has to be confirmed, if it may be at all."""

    title: str
    result: str
    detail: str
    may_be_confirmed: bool = True

    @property
    def passed(self) -> bool:
        return self.result == Result.PASSED


def checks(version: ModelVersion, kind: str, *, enrolled: int, missing: int) -> list[Check]:
    """Every condition for a version to answer about a kind of dataset.

    Args:
        enrolled, missing: boxes that have a vector of it, and that have none.
    """
    return [
        _self_test(version),
        _not_worse(version, kind),
        _coverage(enrolled, missing),
        _index(version),
    ]


def _self_test(version: ModelVersion) -> Check:
    title = _("Self-test")
    try:
        found = versions.self_test(version)
    except DomainError as exc:
        return Check(title=title, result=Result.FAILED, detail=str(exc), may_be_confirmed=False)
    detail = _("%(inputs)d golden inputs give the vectors of the export.") % {
        "inputs": sum(one.inputs for one in found)
    }
    return Check(title=title, result=Result.PASSED, detail=detail)


def _coverage(enrolled: int, missing: int) -> Check:
    title = _("Coverage")
    told = {"done": f"{enrolled:,}", "boxes": f"{enrolled + missing:,}"}
    detail = _("%(done)s of %(boxes)s boxes have a vector.") % told
    result = Result.PASSED if enrolled and not missing else Result.FAILED
    return Check(
        title=title,
        result=result,
        detail=detail,
        may_be_confirmed=enrolled > 0,
    )


def _index(version: ModelVersion) -> Check:
    title, encoder = _("Vector index"), version.image_encoder
    if not index.is_worth_it(encoder):
        detail = _("None is needed: every search compares all.")
        return Check(title=title, result=Result.PASSED, detail=detail)
    if engines.current().look(encoder):
        return Check(title=title, result=Result.PASSED, detail=_("It is built."))
    detail = _("It is not built: every search would compare all.")
    return Check(title=title, result=Result.FAILED, detail=detail)


def _not_worse(version: ModelVersion, kind: str) -> Check:
    """Against each version that answers now: by evaluations of the same pictures, else compared."""
    title = _("Not worse")
    rows = ServingVersion.objects.in_force().filter(dataset_kind=kind).exclude(version=version)
    others = {row.version_id: row.version for row in rows.select_related("version")}
    if not others:
        detail = _("Nothing else answers.")
        return Check(title=title, result=Result.PASSED, detail=detail)
    for other in others.values():
        found = _measured(version, other) or comparisons.verdict(other, version)
        if found is None:
            detail = _("Nothing tells it from %(other)s: measure both, or compare them.") % {
                "other": other.name
            }
            return Check(title=title, result=Result.UNKNOWN, detail=detail)
        is_worse, detail = found
        if is_worse:
            return Check(title=title, result=Result.FAILED, detail=detail)
    return Check(title=title, result=Result.PASSED, detail=detail)


def _measured(version: ModelVersion, other: ModelVersion) -> tuple[bool, str] | None:
    """Whether a version is worse by the newest measurement that both have, and in which words."""
    how = ("snapshot_id", "split", "protocol", "language", "smallest_class")
    done = Evaluation.objects.exclude(metrics={}).order_by("-pk")
    theirs = {tuple(getattr(one, name) for name in how): one for one in done.filter(version=other)}
    for mine in done.filter(version=version):
        twin = theirs.get(tuple(getattr(mine, name) for name in how))
        if twin is not None:
            ours, before = _numbers(mine), _numbers(twin)
            told = ", ".join(
                f"{name} {before[name]:.3f} → {ours[name]:.3f}" for name in ours if name in before
            )
            worse = [
                name
                for name, sign in (("R@1", 1), ("mAP", 1), ("EER", -1))
                if name in ours
                and name in before
                and sign * (ours[name] - before[name]) < -TOLERANCE
            ]
            return bool(worse), told
    return None


def _numbers(evaluation: Evaluation) -> dict[str, float]:
    metrics = evaluation.metrics
    found = {}
    ranked = next((metrics[name] for name in ("t2i", "i2i") if name in metrics), {})
    for name, label in (("r1", "R@1"), ("map", "mAP")):
        if name in ranked:
            found[label] = ranked[name]["value"]
    if "eer" in metrics.get("verification", {}):
        found["EER"] = metrics["verification"]["eer"]["value"]
    return found
