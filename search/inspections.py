"""Inspections: every way of searching the vectors of a version, measured on one dataset.

What is nearest is known from comparing all; what is right, from identities (of a dataset of
things, from classes). The first hits of each question are kept, for people to look at.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery.models import Dataset
from pedsite.jobs import work as jobs
from search import compact, engines, index, nearest, tuning
from search.errors import BadInspection, ImageOnlyVersion, MayNotSwitch
from search.models import Embedding, Inspection, Mode, QueryKind
from search.scope import Scope
from training.models import ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User
    from search.methods import Outcome
    from search.trials import Drawn

KIND = gettext_noop("evaluate_search")
TASK = "search.inspect"
QUERIES, TOP, RERANKED = 200, 20, 400
MOST_QUERIES, MOST_TOP, MOST_RERANKED = 2000, 100, 5000
SMALLEST_CLASS = 7


def request(
    version: ModelVersion,
    dataset: Dataset,
    *,
    asked_with: str = QueryKind.PICTURE,
    protocol: str = Inspection.Protocol.LEAVE_ONE_OUT,
    queries: int = QUERIES,
    top: int = TOP,
    reranked: int = RERANKED,
    lengths: Sequence[int] = (),
    language: str = "",
    smallest_class: int = SMALLEST_CLASS,
    seed: int = 0,
    user: "User | None" = None,
    queue: bool = True,
) -> Inspection:
    """Have the ways of searching a dataset with a version compared.

    Args:
        asked_with: boxes of the dataset ask, or its captions.
        protocol: what a box that asks must not find; texts only ask among all.
        top: hits that count. reranked: candidates of codes that are compared exactly.
        lengths: bytes of a code, several to be compared; `compact.code_bytes` by default.
        language: of the captions that ask, all if empty.
        smallest_class: of the held-out protocol, as `training.ml.ranking.held_out`.

    Raises:
        BadInspection: a number is out of range, or texts are to be held out.
        ImageOnlyVersion: it cannot be asked in words.
        MayNotSwitch: the user is no operator; None is the command line.
    """
    if user is not None and not user.operates:
        raise MayNotSwitch
    lengths = list(dict.fromkeys(lengths)) or [compact.code_bytes(version.dim)]
    for what, value, most in (
        (_("questions"), queries, MOST_QUERIES),
        (_("hits"), top, MOST_TOP),
        (_("candidates"), reranked, MOST_RERANKED),
        *((_("bytes of a code"), length, version.dim) for length in lengths),
    ):
        if not 1 <= value <= most:
            raise BadInspection(
                _("There can be 1 to %(most)d %(what)s, not %(value)d.")
                % {"most": most, "what": what, "value": value}
            )
    if asked_with == QueryKind.TEXT:
        if version.is_image_only:
            raise ImageOnlyVersion(version.name)
        if protocol != Inspection.Protocol.LEAVE_ONE_OUT:
            raise BadInspection(_("Texts have no camera, and are never among what is found."))
    params = {"version": version.name, "dataset": dataset.name, "asked_with": asked_with}
    job = jobs.request(KIND, task=TASK, params=params, user=user, queue=queue)
    return Inspection.objects.create(
        job=job,
        version=version,
        dataset=dataset,
        asked_with=asked_with,
        protocol=protocol,
        options={
            "queries": queries,
            "top": top,
            "reranked": reranked,
            "code_bytes": lengths,
            "language": language,
            "smallest_class": smallest_class,
            "seed": seed,
        },
        created_by=user,
    )


def step(work: jobs.Work) -> bool:
    """All of it: the vectors are in this process alone.

    Raises: BadInspection.
    """
    # They bring faiss, for which web processes have no use.
    from search import methods, trials

    inspection = Inspection.objects.select_related(
        "dataset", "version__image_encoder__space", "version__text_encoder__space"
    ).get(job=work.job)
    options = inspection.options
    work.plan(2 + 6 * len(options["code_bytes"]), note=_("Reading vectors"))
    drawn = trials.draw(inspection, work.beat)
    found = methods.compare(drawn.trial, options["code_bytes"], seed=options["seed"])
    outcomes: list[Outcome] = []
    while (outcome := jobs.beside(lambda: next(found, None), work.beat)) is not None:
        outcomes.append(outcome)
        work.advance(1, note=outcome.name)
    exact = outcomes[0].found
    rows = [methods.summary(drawn.trial, outcome, exact) for outcome in outcomes]
    if drawn.is_whole and inspection.protocol != Inspection.Protocol.HELD_OUT:
        for outcome in _served(inspection, drawn, work.beat):
            rows.append(methods.summary(drawn.trial, outcome, exact) | {"served": True})
    inspection.numbers = _about(drawn) | {"methods": rows}
    inspection.questions = _questions(drawn, outcomes)
    inspection.save(update_fields=["numbers", "questions"])
    return False


def _served(inspection: Inspection, drawn: "Drawn", beat: Callable[[], None]) -> "list[Outcome]":
    """The same questions through the database, in every mode in which searches come."""
    from search import methods

    encoder, trial = inspection.version.image_encoder, drawn.trial
    inside = Scope(kind=inspection.dataset.kind, dataset_ids=(inspection.dataset_id,))
    places = {box: row for row, box in enumerate(drawn.boxes.tolist())}
    outcomes = []
    for mode, size in _modes(encoder, len(drawn.boxes)):
        found, ms = [], []
        for number, query in enumerate(trial.queries):
            beat()
            wanted = trial.top + len(trial.masked(number))
            began = time.perf_counter()
            ranked = nearest.rank(inside, encoder, query, wanted, mode=mode).rows
            ms.append((time.perf_counter() - began) * 1e3)
            there = [(places[box], 1 - far) for far, box in ranked if box in places]
            rows = np.array([row for row, _score in there], dtype=np.int64)
            scores = np.array([score for _row, score in there], dtype=np.float32)
            found.append(methods.cut(trial, number, (rows, scores)))
        outcomes.append(
            methods.Outcome(name=str(mode), found=found, ms=np.array(ms), byte_size=size)
        )
    return outcomes


def _modes(encoder: Any, count: int) -> list[tuple[str, int]]:
    """Modes that differ here, with the bytes that have to be in memory to be quick."""
    row = _row_bytes(encoder) * count
    built, codes = engines.current().look(encoder), compact.newest(encoder)
    found: list[tuple[str, int]] = [(Mode.EXACT, row)]
    if count <= tuning.exact_rows(encoder):
        return found  # whatever the mode
    if built is not None:
        walked = row + index.byte_size(encoder) * count // max(1, built.rows)
        found += [(Mode.FAST, walked), (Mode.THOROUGH, walked)]
    if codes is not None:
        found.append((Mode.COMPACT, int(codes.bytes_each * count)))
    return found


def _row_bytes(encoder: Any) -> int:
    """Of a vector as its row has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT avg(pg_column_size(chosen.*)) FROM (SELECT * FROM {Embedding._meta.db_table}"
            " WHERE encoder_id = %s LIMIT 100) chosen",
            [encoder.pk],
        )
        return int(cursor.fetchone()[0] or 0)


def _about(drawn: "Drawn") -> dict[str, Any]:
    lengths = np.linalg.norm(drawn.trial.vectors, axis=1)
    return {
        "vectors": len(drawn.boxes),
        "is_whole": drawn.is_whole,
        "dim": int(drawn.trial.vectors.shape[1]),
        "queries": len(drawn.asking),
        "judged": int((drawn.trial.wanted() > 0).sum()),
        "lengths": [float(lengths.min()), float(lengths.max())],
    }


def _questions(drawn: "Drawn", outcomes: "Sequence[Outcome]") -> list[dict[str, Any]]:
    """The first hits of the exact way, and of LOPQ after re-ranking at its shortest code."""
    from search import methods

    shown = {"exact": outcomes[0]}
    lopq = [one for one in outcomes if one.name == methods.LOPQ and one.is_reranked]
    shown |= {"lopq": min(lopq, key=lambda one: one.code_bytes or 0)} if lopq else {}
    precision = {way: methods.precisions(drawn.trial, one) for way, one in shown.items()}
    return [
        {
            "box": int(box),
            "text": drawn.texts[number],
            "person": int(drawn.known[number]) or None,
            "found": {
                way: [
                    [int(drawn.boxes[row]), round(float(score), 5)]
                    for row, score in zip(*one.found[number], strict=True)
                ]
                for way, one in shown.items()
            },
            "precision": {
                way: None if np.isnan(values[number]) else round(float(values[number]), 5)
                for way, values in precision.items()
            },
        }
        for number, box in enumerate(drawn.asking.tolist())
    ]
