"""Two versions on the same questions: what changed places, who was lost, and how sure that is.

Both search everything (exactly, so that no index blurs it) for each question. Where a question is
a caption of somebody, it is known who should be found; elsewhere people say which of two lists they
prefer, without being told whose it is. Intervals are paired: a question counts for both versions.
"""

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import numpy as np
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery.models import Box, Caption, Dataset
from pedsite.api import DomainError
from pedsite.jobs import work as jobs
from search import language, probes, retrieval
from search.errors import BadComparison, ImageOnlyVersion, MayNotSwitch, NotEnrolled
from search.models import Comparison, Mode, Preference, SavedSearch
from search.nearest import rank
from search.questions import Question, compose
from search.scope import DEFAULT_KIND, Filters, Scope, resolve
from training.ml import bootstrap
from training.models import ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KIND = gettext_noop("compare")
TASK = "search.compare"
# Hits kept of each answer, and those that a reader is shown and a change is told of.
DEPTH = 50
SHOWN = 10
MOST = 500
BY_ITSELF = 100
CHUNK = 8
RESAMPLES = 2000


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A mean over questions for both versions, and of the difference with its 95 % interval."""

    old: float
    new: float
    difference: float
    interval: tuple[float, float] | None
    questions: int

    @property
    def is_worse(self) -> bool:
        """The new version is worse however the questions had been drawn."""
        return self.interval is not None and self.interval[1] < 0


@dataclass(frozen=True, kw_only=True)
class Change:
    """One question: how many of the first hits stayed, and which boxes went and came.

    `lost` and `gained` are (box id, rank in the other list or None where it is not even there).
    `found_old` and `found_new` are ranks of the first hit that shows the person asked for.
    """

    number: int
    text: str
    kept: int
    lost: list[tuple[int, int | None]]
    gained: list[tuple[int, int | None]]
    knows: bool
    found_old: int | None
    found_new: int | None

    @property
    def lost_person(self) -> bool:
        """Who was asked for was among the first hits, and is no longer."""
        was = self.found_old is not None and self.found_old <= SHOWN
        return was and (self.found_new is None or self.found_new > SHOWN)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a comparison says."""

    changes: list[Change]
    overlap: float  # of the first hits, 0 to 1
    overlap_interval: tuple[float, float] | None
    moved: float  # places that a hit of both lists moved, mean
    first: Measure | None  # share of questions whose first hit is right
    reciprocal: Measure | None  # mean of 1 / rank of the first right hit
    preferred: Measure | None  # share of judged questions that prefer each

    @property
    def lost(self) -> list[Change]:
        return [change for change in self.changes if change.lost_person]


def request(
    old: ModelVersion,
    new: ModelVersion,
    texts: Sequence[str] = (),
    user: "User | None" = None,
    kind: str = DEFAULT_KIND,
    *,
    queue: bool = True,
) -> Comparison:
    """Have two versions answer the same questions over all that a user may see.

    Args:
        texts: what to ask, each once. If there are none: the words of saved searches, the user's
            own or on the command line all, and captions of the gallery.

    Raises:
        BadComparison: one version twice, too many questions, or none.
        ImageOnlyVersion, NotEnrolled: one of the versions cannot answer.
        MayNotSwitch: the user is no operator; None is the command line.
        BlankQuery, QueryTooLong, UnreadableQuery: a text cannot be asked.
    """
    if user is not None and not user.operates:
        raise MayNotSwitch
    if old.pk == new.pk:
        raise BadComparison(_("Choose two different versions."))
    inside = resolve(Filters(), user)
    for version in (old, new):
        if version.is_image_only:
            raise ImageOnlyVersion(version.name)
        if not inside.vectors(version.image_encoder).exists():
            raise NotEnrolled(version.name, kind)
    given = [text for text in texts if text.strip()]
    given = given or [*_saved(user), *_captions(inside)]
    asked = list(dict.fromkeys(retrieval.normalized(text) for text in given))
    if not asked:
        raise BadComparison(_("There is nothing to ask: give some descriptions, one a line."))
    if len(asked) > MOST:
        raise BadComparison(_("At most %(most)d questions can be compared.") % {"most": MOST})
    params = {"old": old.name, "new": new.name}
    total = len(asked)
    job = jobs.request(KIND, task=TASK, params=params, user=user, total=total, queue=queue)
    return Comparison.objects.create(
        job=job,
        old=old,
        new=new,
        dataset_kind=kind,
        datasets=list(inside.dataset_ids),
        questions=[{"text": text, "person": _person(text, inside)} for text in asked],
        created_by=user,
    )


def step(work: jobs.Work) -> bool:
    """Ask the next few questions. True: more is left."""
    comparison = Comparison.objects.select_related(
        "old__image_encoder__space",
        "old__text_encoder__space",
        "new__image_encoder__space",
        "new__text_encoder__space",
    ).get(job=work.job)
    left = [question for question in comparison.questions if "new" not in question]
    # A dataset that went meanwhile is no longer there to be found in.
    there = Dataset.objects.filter(pk__in=comparison.datasets).values_list("pk", flat=True)
    inside = Scope(kind=comparison.dataset_kind, dataset_ids=tuple(there))
    for question in left[:CHUNK]:
        for side, version in (("old", comparison.old), ("new", comparison.new)):
            # As a search asks it.
            vector = compose(Question(words=question["text"]), version).vector
            found = rank(inside, version.image_encoder, vector, DEPTH, mode=Mode.EXACT)
            question[side] = [[box, round(1 - distance, 6)] for distance, box in found.rows]
        work.beat()
    comparison.save(update_fields=["questions"])
    work.advance(len(left[:CHUNK]))
    return len(left) > CHUNK


def visible_to(user: "User") -> QuerySet[Comparison]:
    """Comparisons over nothing but what a user may see: they show its pictures."""
    mine = set(Dataset.objects.visible_to(user).values_list("pk", flat=True))
    seen = [
        pk
        for pk, datasets in Comparison.objects.values_list("pk", "datasets")
        if set(datasets) <= mine
    ]
    rows = Comparison.objects.filter(pk__in=seen)
    return rows.select_related("old", "new", "job", "created_by").order_by("-pk")


def sides(comparison: Comparison, number: int) -> tuple[str, str]:
    """Which version's list stands left and which right of a question: told by no pattern."""
    mark = hashlib.sha256(f"{comparison.pk}:{number}:{comparison.created_at}".encode()).digest()
    return ("old", "new") if mark[0] % 2 else ("new", "old")


def prefer(comparison: Comparison, number: int, side: str, user: "User") -> Preference:
    """Keep what somebody says of a question: `left`, `right` or `same`; again to change it.

    Raises: BadComparison, there is no such question or answer.
    """
    choices = dict(zip(("left", "right"), sides(comparison, number), strict=True)) | {
        "same": "same"
    }
    if side not in choices or not 0 <= number < len(comparison.questions):
        raise BadComparison(_("There is no such question or answer."))
    return Preference.objects.update_or_create(
        comparison=comparison, number=number, user=user, defaults={"choice": choices[side]}
    )[0]


def next_to_judge(comparison: Comparison, user: "User") -> int | None:
    """The first answered question that somebody has not judged; None after the last."""
    judged = set(comparison.preferences.filter(user=user).values_list("number", flat=True))
    answered = (n for n, question in enumerate(comparison.questions) if "new" in question)
    return next((number for number in answered if number not in judged), None)


def report(comparison: Comparison) -> Report:
    """What the answers that are there say."""
    answered = [
        (number, question)
        for number, question in enumerate(comparison.questions)
        if "new" in question
    ]
    people = _people_of(question for _number, question in answered)
    changes = [_change(number, question, people) for number, question in answered]
    overlaps = [change.kept / SHOWN for change in changes]
    known = [change for change in changes if change.knows]
    return Report(
        changes=changes,
        overlap=mean(overlaps) if overlaps else 0.0,
        overlap_interval=_interval(overlaps),
        moved=_moved([question for _number, question in answered]),
        first=_measure([(change.found_old == 1, change.found_new == 1) for change in known]),
        reciprocal=_measure(
            [(_reciprocal(change.found_old), _reciprocal(change.found_new)) for change in known]
        ),
        preferred=_measure(_votes(comparison)),
    )


def verdict(old: ModelVersion, new: ModelVersion) -> tuple[bool, str] | None:
    """Whether the newest comparison shows a version to be worse than another, and in which words.

    None where none was finished, or it tells nothing of right and wrong.
    """
    for comparison in Comparison.objects.filter(old=old, new=new, job__state="done")[:1]:
        found = report(comparison)
        for what, measure in (
            (_("first hits that are right"), found.first),
            (_("preferred by those who judged"), found.preferred),
        ):
            if measure is not None and measure.interval is not None:
                low, high = measure.interval
                return measure.is_worse, (
                    f"{what}: {measure.old:.3f} → {measure.new:.3f} ({low:+.3f} … {high:+.3f})"
                )
    return None


def _saved(user: "User | None") -> list[str]:
    """The descriptions in saved searches, without their tokens."""
    rows = SavedSearch.objects.all() if user is None else SavedSearch.objects.filter(owner=user)
    found = []
    for query in rows.order_by("pk").values_list("query", flat=True)[:BY_ITSELF]:
        with suppress(DomainError):  # written for filters that there are no longer
            found += [language.parse(text).words for text in parse_qs(query).get("q", [])]
    return [words for words in found if words]


def _captions(inside: Scope) -> list[str]:
    rows = Caption.objects.filter(
        box__image__dataset__in=inside.dataset_ids, kind=Caption.Kind.CAPTION
    ).stated()
    numbers = probes.spread(rows, BY_ITSELF)
    texts = rows.filter(pk__in=numbers).values_list("text", flat=True)
    return [text for text in texts if len(text.split()) > 0 and len(text) <= retrieval.MAX_TEXT]


def _person(text: str, inside: Scope) -> int | None:
    """Whom a text is a caption of, if it is one of exactly one person."""
    rows = Caption.objects.filter(text=text, box__image__dataset__in=inside.dataset_ids).stated()
    people = set(rows.exclude(box__identity=None).values_list("box__identity", flat=True)[:2])
    return people.pop() if len(people) == 1 else None


def _people_of(questions: Iterable[dict]) -> dict[int, int]:
    """Whom each box shows that was found for a question about a known person."""
    found = {
        box
        for question in questions
        if question["person"] is not None
        for side in ("old", "new")
        for box, _score in question[side]
    }
    rows = Box.objects.filter(pk__in=found).exclude(identity=None)
    return dict(rows.values_list("pk", "identity"))


def _change(number: int, question: dict, people: dict[int, int]) -> Change:
    old = {box: place for place, (box, _score) in enumerate(question["old"], start=1)}
    new = {box: place for place, (box, _score) in enumerate(question["new"], start=1)}
    before = {box for box, place in old.items() if place <= SHOWN}
    after = {box for box, place in new.items() if place <= SHOWN}
    person = question["person"]

    def first(places: dict[int, int]) -> int | None:
        return next((place for box, place in places.items() if people.get(box) == person), None)

    return Change(
        number=number,
        text=question["text"],
        kept=len(before & after),
        lost=[(box, new.get(box)) for box in old if box in before - after],
        gained=[(box, old.get(box)) for box in new if box in after - before],
        knows=person is not None,
        found_old=first(old) if person is not None else None,
        found_new=first(new) if person is not None else None,
    )


def _moved(questions: list[dict]) -> float:
    places = []
    for question in questions:
        new = {box: place for place, (box, _score) in enumerate(question["new"])}
        places += [
            abs(place - new[box])
            for place, (box, _score) in enumerate(question["old"][:SHOWN])
            if box in new
        ]
    return mean(places) if places else 0.0


def _votes(comparison: Comparison) -> list[tuple[float, float]]:
    """Of each question that was judged, the shares of those who prefer each version."""
    by_number: dict[int, list[str]] = {}
    for number, choice in comparison.preferences.values_list("number", "choice"):
        by_number.setdefault(number, []).append(choice)
    return [
        (choices.count("old") / len(choices), choices.count("new") / len(choices))
        for choices in by_number.values()
    ]


def _reciprocal(place: int | None) -> float:
    return 1 / place if place else 0.0


def _measure(pairs: Sequence[tuple[float, float]]) -> Measure | None:
    if not pairs:
        return None
    old, new = (mean(float(value) for value in side) for side in zip(*pairs, strict=True))
    return Measure(
        old=old,
        new=new,
        difference=new - old,
        interval=_interval([float(after) - float(before) for before, after in pairs]),
        questions=len(pairs),
    )


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Where the mean lies in 95 % of draws of as many questions from these."""
    if len(values) < 2:
        return None
    drawn = bootstrap.weights(len(values), RESAMPLES)
    found = bootstrap.mean_interval(np.asarray(values, float), np.arange(len(values)), drawn)
    return (found[0], found[1]) if found else None
