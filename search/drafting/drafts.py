"""Captions for boxes that lack one, from what is typed of them and what a model sees in them.

Typed attributes come first; the model adds what it is certain of and what does not contradict
them. A draft says so until somebody approves it; what people wrote or approved is never touched.
Each chunk is one action of the dataset's history, and undone as one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import captions, changes, datasets
from gallery.models import Box, Caption, Dataset, Review
from gallery.synthetic.attributes import Fact
from gallery.synthetic.captions import described
from gallery.synthetic.stated import Stated, of_phrases, read, settled
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from search import phrases, serving
from search.drafting.errors import BadDraft, NoPeople
from search.drafting.reading import CERTAINTY, Reader, reader
from search.errors import NothingServes
from search.models import Embedding, QueryKind
from search.scope import DEFAULT_KIND
from training import versions
from training.drawn import LANGUAGES
from training.models import ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KIND = gettext_noop("draft captions")
TASK = "search.draft_captions"
# Boxes of one chunk: a second or two of work.
CHUNK = 500
# What is drafted from fewer facts describes everybody.
LEAST_FACTS = 2
LEAST_CERTAINTY = 0.5
LARGEST_SEED = 2**31 - 1
# Who drafted what was typed.
ATTRIBUTES = "attributes"
UNKNOWN_TOLD = 20


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be drafted.

    version: whose eye to take; None for the one that serves, or for typed attributes alone where
        none does. certainty: a probability; what is less is left out. again: drafts that nobody
        looked at are written anew.
    """

    languages: Sequence[str] = LANGUAGES
    version: ModelVersion | None = None
    seed: int = 0
    certainty: float = CERTAINTY
    again: bool = False


def request(dataset: Dataset, wish: Wish, user: "User | None" = None, *, queue: bool = True) -> Job:
    """Ask for drafts of a dataset's captions.

    Raises:
        MayNotCurate, UnknownDataset
        NoPeople: it holds something else.
        BadDraft: a language is unknown, or a number is out of its range.
        ImageOnlyVersion: the version compares no words.
    """
    changes.require_curator(dataset, user)
    if dataset.kind != DEFAULT_KIND:
        raise NoPeople(dataset.name, dataset.kind)
    languages = [language for language in LANGUAGES if language in wish.languages]
    if not languages or set(wish.languages) - set(LANGUAGES):
        raise BadDraft(_("Captions are drafted in en, in zh, or in both."))
    if not (math.isfinite(wish.certainty) and LEAST_CERTAINTY <= wish.certainty < 1):
        raise BadDraft(_("The certainty is a number from 0.5 to below 1."))
    if not 0 <= wish.seed <= LARGEST_SEED:
        raise BadDraft(_("The seed is a whole number from 0 to %(most)d.") % {"most": LARGEST_SEED})
    version = wish.version or _serving()
    if wish.version is not None:
        serving.check(wish.version, [QueryKind.TEXT], dataset.kind)
    params: dict[str, Any] = {
        "dataset": dataset.pk,
        "dataset_name": dataset.name,
        "languages": languages,
        "version": version and version.pk,
        "version_name": version.name if version else "",
        "seed": wish.seed,
        "certainty": wish.certainty,
        "again": wish.again,
    }
    total = captions.lacking(dataset, languages, again=wish.again).count()
    return jobs.request(KIND, task=TASK, params=params, user=user, total=total, queue=queue)


def step(work: jobs.Work) -> bool:
    """Draft for the next boxes; True while some remain.

    Raises:
        UnknownDataset, MayNotCurate: it was deleted, or taken from whoever asked.
        UnknownVersion, CorruptArtifact: nothing reads the vectors any more.
    """
    dataset = datasets.get(work.params["dataset_name"])
    rows = captions.lacking(dataset, work.params["languages"], again=work.params["again"])
    rows = rows.filter(pk__gt=work.job.result.get("last_box", 0)).order_by("pk")
    boxes = list(rows.values_list("pk", flat=True)[:CHUNK])
    if not boxes:
        return False
    typed = _typed(boxes)
    seen, name = _seen(work, boxes)
    silent = 0
    told: dict[int, tuple[Sequence[Fact], str]] = {}
    for box in boxes:
        facts, by = _known(typed.get(box), seen.get(box, ()), name)
        if len(facts) < LEAST_FACTS:
            silent += 1
        else:
            told[box] = facts, by
    with changes.acting(dataset, work.job.created_by, KIND) as act:
        made = _store(act, told, work.params)
        result = work.job.result
        unknown = {one for each in typed.values() for one in each.unknown}
        work.keep(
            last_box=boxes[-1],
            drafted=result.get("drafted", 0) + made,
            silent=result.get("silent", 0) + silent,
            unknown=sorted({*result.get("unknown", []), *unknown})[:UNKNOWN_TOLD],
        )
        work.advance(len(boxes))
    return True


def _serving() -> ModelVersion | None:
    try:
        return serving.current(QueryKind.TEXT)
    except NothingServes:
        return None


def _typed(boxes: list[int]) -> dict[int, Stated]:
    """What is typed of boxes: attributes as lists or JSON, prompts as sentences."""
    kinds = (Caption.Kind.ATTRIBUTES, Caption.Kind.PROMPT)
    rows = Caption.objects.filter(box__in=boxes, kind__in=kinds).stated().order_by("pk")
    found: dict[int, list[Stated]] = {}
    for box, kind, text in rows.values_list("box_id", "kind", "text"):
        is_list = kind == Caption.Kind.ATTRIBUTES
        said = read(text) if is_list else of_phrases(phrases.split(text))
        found.setdefault(box, []).append(said)
    return {box: _joined(said) for box, said in found.items()}


def _joined(said: Sequence[Stated]) -> Stated:
    """The first that tells of a field is taken at its word."""
    told: dict[str, str] = {}
    for one in said:
        told = {**dict(one.facts), **told}
    # A prompt is a sentence: what is left of it is no attribute.
    return Stated(settled(told), said[0].unknown)


def _seen(work: jobs.Work, boxes: list[int]) -> tuple[dict[int, tuple[Fact, ...]], str]:
    """What the version of a job reads off boxes that it has vectors of, and its name."""
    if work.params["version"] is None:
        return {}, ""
    version = versions.get(work.params["version_name"])
    read_off: Reader = reader(version, lambda: work.beat(_("Measuring what the model can tell")))
    rows = Embedding.objects.filter(encoder_id=version.image_encoder_id, box__in=boxes)
    found = dict(rows.values_list("box_id", "vector"))
    if not found:
        return {}, version.name
    vectors = np.array([np.asarray(vector) for vector in found.values()], dtype=np.float32)
    facts = read_off.facts(vectors, work.params["certainty"])
    return dict(zip(found, facts, strict=True)), version.name


def _known(typed: Stated | None, seen: Sequence[Fact], name: str) -> tuple[tuple[Fact, ...], str]:
    """The facts of a box, and who they are from: a model as soon as one of them is."""
    own = dict(typed.facts) if typed else {}
    facts = settled({**dict(seen), **own})
    # A typed fact wins: what the model saw goes where both cannot be.
    if not set(own.items()) <= set(facts):
        facts = settled(own)
    return facts, name if set(facts) - set(own.items()) else ATTRIBUTES


def _store(
    act: changes.Act, told: dict[int, tuple[Sequence[Fact], str]], params: dict[str, Any]
) -> int:
    """Write the drafts of some boxes; how many. With the dataset held."""
    boxes = set(
        act.rows(Box).exclude(review=Review.HIDDEN).filter(pk__in=told).values_list("pk", flat=True)
    )
    there = Caption.objects.filter(box__in=boxes, kind=Caption.Kind.CAPTION)
    shown = there.stated() if params["again"] else there.shown()
    described_already = set(shown.values_list("box_id", "language"))
    wanted = [
        (box, language)
        for box in sorted(boxes)
        for language in params["languages"]
        if (box, language) not in described_already
    ]
    texts = set(there.values_list("box_id", "language", "text"))
    new, old = [], []
    drafts: dict[tuple[int, str], list[int]] = {}
    unread = there.filter(source=Caption.Source.DRAFTED, review=Review.UNREVIEWED)
    for pk, box, language in unread.values_list("pk", "box_id", "language"):
        drafts.setdefault((box, language), []).append(pk)
    for box, language in wanted:
        facts, by = told[box]
        text = write(facts, box, language, params["seed"])
        # Word for word what is there, or was rejected, is not written again.
        if (box, language, text) in texts:
            continue
        old += drafts.get((box, language), [])
        new.append(
            Caption(
                box_id=box,
                language=language,
                text=text,
                source=Caption.Source.DRAFTED,
                drafted_by=by,
            )
        )
    act.delete(Caption, old)
    act.create(new)
    return len(new)


def write(facts: Sequence[Fact], box: int, language: str, seed: int) -> str:
    """The caption of these facts, the same for the same box, language and seed."""
    place = LANGUAGES.index(language)
    rng = np.random.default_rng((seed, box, place))
    return described(facts, rng, language).text
