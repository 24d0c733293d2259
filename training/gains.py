"""What a training bought: the version that it went on from and the one that it gave, on people
that neither was trained on here, asked the same.

Both are measured on the test split of the snapshot that was learned from. The interval is paired
and by identity: people are drawn again, and each keeps the difference on all questions about them.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gallery.models import Snapshot
from pedsite.accounts.models import User
from pedsite.jobs.models import Job
from training import evaluations, versions
from training.errors import NothingToEvaluate, NothingToWeigh, UnknownVersion
from training.ml import bootstrap
from training.models import Evaluation, TrainingRun

RESAMPLES = 2000
# The first hits that are looked at: as many as an evaluation keeps of each question.
DEPTH = 10
FIRST_HIT, RECIPROCAL, JUDGED = "first_hit", "reciprocal", "judged"


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A mean over questions before and after, and of the difference with its 95 % interval.

    name: `first_hit`, the share of captions whose first hit shows who was asked for. `reciprocal`,
    the mean of 1 / rank of the first such hit among ten. `judged`, the share of refused boxes that
    come below a confirmed one of the same words.
    """

    name: str
    before: float
    after: float
    difference: float
    interval: list[float] | None
    questions: int
    people: int

    @property
    def verdict(self) -> str:
        """better or worse, where the interval says so; else open."""
        if self.interval is None or self.interval[0] <= 0 <= self.interval[1]:
            return "open"
        return "better" if self.difference > 0 else "worse"


@dataclass(frozen=True, kw_only=True)
class Gain:
    """Of one training: both evaluations, and what is different once both are done."""

    run: TrainingRun
    before: Evaluation | None
    after: Evaluation | None
    measures: list[Measure] = field(default_factory=list)

    @property
    def is_asked_for(self) -> bool:
        return self.before is not None and self.after is not None

    @property
    def is_done(self) -> bool:
        return bool(self.measures)


def request(run: TrainingRun, user: User | None = None, *, queue: bool = True) -> Gain:
    """Have both versions measured; what is measured already, or on its way, is not asked again.

    Raises: NothingToWeigh, the run went on from no version, has no snapshot, or gave no version;
        NothingToEvaluate, nobody is tested.
    """
    name = run.config.get("start")
    if not name or run.snapshot is None or run.version is None:
        raise NothingToWeigh
    for version in (versions.get(name), run.version):
        evaluations.request(
            version, run.snapshot.dataset, "test", snapshot=run.snapshot, user=user, queue=queue
        )
    return of(run)


def request_if_any(run: TrainingRun, user: User | None) -> None:
    """As `request`, at the end of a training, which does not fail where nothing can be told."""
    with suppress(NothingToWeigh, NothingToEvaluate, UnknownVersion):
        request(run, user)


def of(run: TrainingRun) -> Gain:
    """What is known of a run's gain now."""
    alive = Evaluation.objects.with_context().filter(
        snapshot=run.snapshot, split="test", protocol="all_pairs", language=""
    )
    alive = alive.exclude(job__state__in=[Job.State.FAILED, Job.State.CANCELLED])
    before = alive.filter(version__name=run.config.get("start") or "").order_by("-pk").first()
    after = alive.filter(version=run.version).order_by("-pk").first() if run.version else None
    pair = [one for one in (before, after) if one is not None and one.metrics]
    measures = compare(*pair) if len(pair) == 2 else []
    return Gain(run=run, before=before, after=after, measures=measures)


def on(snapshot: Snapshot) -> list[Gain]:
    """The gains of all trainings on a snapshot that went on from a version, newest first."""
    runs = TrainingRun.objects.with_job().filter(snapshot=snapshot).exclude(config__start="")
    return [of(run) for run in runs.filter(config__has_key="start").order_by("-pk")]


def compare(before: Evaluation, after: Evaluation) -> list[Measure]:
    """What two evaluations of one split say of each other, on what both could read."""
    person = {
        subject.box: subject.person
        for subject in evaluations.subjects(before.snapshot, before.split, before.language)
    }
    found = [
        _measure(name, *_paired(*(_answers(one, person)[name] for one in (before, after))))
        for name in (FIRST_HIT, RECIPROCAL)
    ]
    found.append(_measure(JUDGED, *_paired(*(_orders(one, person) for one in (before, after)))))
    return [measure for measure in found if measure is not None]


Values = dict[Any, tuple[str, float]]


def _answers(evaluation: Evaluation, person: dict[int, str]) -> dict[str, Values]:
    """Text -> (whom it is about, what it scores), of each measure."""
    stored = Evaluation.objects.values_list("predictions", flat=True).get(pk=evaluation.pk)
    first: Values = {}
    reciprocal: Values = {}
    for (text, boxes), hits in zip(stored["texts"], stored["t2i"], strict=True):
        wanted = {person[box] for box in boxes if box in person}
        if not wanted:
            continue
        right = [place for place, box in enumerate(hits[:DEPTH]) if person.get(box) in wanted]
        # Words that describe several people count for the first of them.
        who = min(wanted)
        first[text] = who, float(bool(right) and right[0] == 0)
        reciprocal[text] = who, 1 / (1 + right[0]) if right else 0.0
    return {FIRST_HIT: first, RECIPROCAL: reciprocal}


def _orders(evaluation: Evaluation, person: dict[int, str]) -> Values:
    """(Text, confirmed box) -> (whom it shows, share of the refused boxes that come below it)."""
    scores: dict[str, dict[bool, list[tuple[int, float]]]] = {}
    for text, box, is_right, score in evaluation.details.get("judged", ()):
        scores.setdefault(text, {True: [], False: []})[is_right].append((box, score))
    found: Values = {}
    for text, of_text in scores.items():
        refused = np.array([score for _box, score in of_text[False]])
        for box, score in of_text[True] if len(refused) else ():
            share = float((refused < score).mean() + 0.5 * (refused == score).mean())
            found[text, box] = person.get(box, f"box {box}"), share
    return found


def _paired(before: Values, after: Values) -> tuple[list[str], list[float], list[float]]:
    """Of what both answered: whom it is about, and both values."""
    both = [key for key in before if key in after]
    return (
        [before[key][0] for key in both],
        [before[key][1] for key in both],
        [after[key][1] for key in both],
    )


def _measure(
    name: str, who: Sequence[str], before: Sequence[float], after: Sequence[float]
) -> Measure | None:
    if not who:
        return None
    people, rows = np.unique(np.array(who, dtype=object).astype(str), return_inverse=True)
    gained = np.asarray(after, float) - np.asarray(before, float)
    drawn = bootstrap.weights(len(people), RESAMPLES)
    interval = bootstrap.mean_interval(gained, rows, drawn) if len(people) > 1 else None
    return Measure(
        name=name,
        before=float(np.mean(before)),
        after=float(np.mean(after)),
        difference=float(gained.mean()),
        interval=interval,
        questions=len(who),
        people=len(people),
    )
