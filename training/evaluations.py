"""Evaluations of a version on a split: asked for, and measured in short steps.

Vectors are computed in batches into a folder of this machine, from which a later step, or the
same job started again, goes on; with all of them there, the last step measures.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from gallery import crops, snapshots
from gallery.errors import BadImage
from gallery.models import Box, Dataset, Snapshot
from pedsite.accounts.models import User
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from pedsite.jobs.work import Work
from training import measures, samples, teachers, versions
from training.errors import NothingToEvaluate, UnknownEvaluation
from training.ml.clauses import reordered
from training.ml.pairs import PROTOCOLS
from training.ml.runtime import encode_crops
from training.models import Evaluation, ModelVersion, Teacher

KIND = gettext_noop("evaluate")
LANGUAGES = ("en", "zh")
SPLITS = tuple(Evaluation.Split.values)
# Boxes or texts encoded together: what a killed step loses at most.
BATCH = 128
# Seconds after which a step begins no further batch.
STEP_S = 5.0


@dataclass(frozen=True)
class Subject:
    """One box of the split: whose it is, and the captions that ask for it with their kinds.

    judged: texts of which reviewers said whether they describe it, as (text, is right).
    """

    box: int
    person: str
    height: int
    captions: tuple[tuple[str, str], ...]
    judged: tuple[tuple[str, bool], ...] = ()


@transaction.atomic
def request(
    version: ModelVersion | Teacher,
    dataset: Dataset,
    split: str,
    *,
    protocol: str = "all_pairs",
    language: str = "",
    smallest_class: int = measures.RATIO,
    user: User | None = None,
    queue: bool = True,
    snapshot: Snapshot | None = None,
) -> Evaluation:
    """Freeze the dataset and have the version measured on a split of it.

    The same measurement of unchanged data is not made twice: the one that is there, or on its
    way, is returned, so that a test is looked at once.

    Args:
        version: or a teacher, which is measured by its stored vectors.
        language: of the captions that ask, `en` or `zh`; all languages if empty.
        smallest_class: see `measures.measure`; only versions of pictures alone use it.
        snapshot: of the dataset, to measure on instead of what it holds now.

    Raises: NothingToEvaluate, UnknownDataset, TeacherNotReady.
    """
    if split not in SPLITS or protocol not in PROTOCOLS or language not in ("", *LANGUAGES):
        raise NothingToEvaluate(f"“{split} {protocol} {language}” is not something to measure.")
    snapshot = snapshot or snapshots.freeze(dataset, user)
    kind = "teacher" if isinstance(version, Teacher) else "version"
    # One at a time for a version, or two would both be the first look.
    type(version).objects.select_for_update().get(pk=version.pk)
    mine = Evaluation.objects.filter(**{kind: version}, split=split)
    alive = mine.exclude(job__state__in=[Job.State.FAILED, Job.State.CANCELLED])
    how = {"protocol": protocol, "language": language, "smallest_class": smallest_class}
    same = alive.with_context().filter(snapshot=snapshot, **how)
    if found := same.first():
        return found
    _refuse_empty(version, subjects(snapshot, split, language), split, language)
    job = jobs.request(
        KIND,
        task="training.evaluate",
        params={kind: version.name, "dataset": dataset.name, "split": split},
        user=user,
        queue=queue,
    )
    seen = alive.filter(snapshot__dataset=dataset).count()
    return Evaluation.objects.create(
        job=job,
        **{kind: version},
        snapshot=snapshot,
        split=split,
        **how,
        look=seen + 1 if split == Evaluation.Split.TEST else None,
    )


def get(pk: int) -> Evaluation:
    """The evaluation with its job. Raises: UnknownEvaluation."""
    try:
        return Evaluation.objects.with_context().get(pk=pk)
    except Evaluation.DoesNotExist:
        raise UnknownEvaluation(pk) from None


def subjects(snapshot: Any, split: str, language: str) -> list[Subject]:
    """The boxes of a split by box number, each with its captions of a language.

    Sentences ask; where a box has none, its attribute strings and prompts do, and else what
    reviewers confirmed: words that may fit others as well, whom nobody judged.
    """
    found = []
    for entry in snapshots.read(snapshot):
        together = entry["identity"] or f"image {entry['image']}"
        if (entry["split"] or samples.split_of(snapshot.dataset.name, together)) != split:
            continue
        spoken = [c for c in entry["captions"] if language in ("", c["language"])]
        own = [c for c in spoken if "source" not in c]
        sentences = [c for c in own if c["kind"] == "caption"] or own or spoken
        _left, top, _right, bottom = entry["bbox"]
        found.append(
            Subject(
                box=entry["box"],
                person=entry["identity"] or f"box {entry['box']}",
                height=bottom - top,
                captions=tuple({c["text"]: (c["text"], c["kind"]) for c in sentences}.values()),
                judged=tuple((c["text"], True) for c in spoken if "source" in c)
                + tuple((c["text"], False) for c in entry.get("rejected", ())),
            )
        )
    return found


def step(work: Work) -> bool:
    """Encodes the next boxes or texts, or measures once all are encoded; True while more remains.

    Raises: NothingToEvaluate, too few pictures of the split can be read.
    """
    evaluation = get_of(work.job)
    chosen = subjects(evaluation.snapshot, evaluation.split, evaluation.language)
    texts = _texts(chosen) if _reads(evaluation.subject) else []
    place = _folder(evaluation)
    place.mkdir(parents=True, exist_ok=True)
    boxes = [subject.box for subject in chosen]
    batches = [("boxes", part) for part in _batches(boxes)]
    batches += [("texts", part) for part in _batches(texts)]
    files = [place / f"{kind}-{number:06}.npz" for number, (kind, _part) in enumerate(batches)]
    done = sum(len(part) for file, (_, part) in zip(files, batches, strict=True) if file.exists())
    if work.job.total is None or not done:
        work.plan(len(boxes) + len(texts), done)
    began: float | None = None
    for file, (kind, part) in zip(files, batches, strict=True):
        if not file.exists():
            # Each step reads the snapshot anew: several batches share one reading.
            if began is None:
                began = time.monotonic()
            elif time.monotonic() - began > STEP_S:
                return True
            encode: Callable[..., Any] = _encode_boxes if kind == "boxes" else _encode_texts
            numbers, vectors, failures = encode(evaluation, part)
            draft = file.with_suffix(".part")
            with draft.open("wb") as stream:
                np.savez(stream, items=numbers, vectors=vectors)
            draft.replace(file)
            work.advance(len(part) - len(failures), failures)
    _measure(work, evaluation, chosen, texts, files)
    shutil.rmtree(place, ignore_errors=True)
    return False


def _texts(chosen: list[Subject]) -> list[str]:
    """All that is encoded: captions, those whose clauses can come in another order, and what
    reviewers judged."""
    captions = {text for subject in chosen for text, _kind in subject.captions}
    said = {text for subject in chosen for text, _is_right in subject.judged}
    return sorted(captions | said | {turned for turned in map(reordered, captions) if turned})


def get_of(job: Job) -> Evaluation:
    """The evaluation that a job makes. Raises: NothingToEvaluate."""
    found = Evaluation.objects.with_context().filter(job=job).first()
    if found is None:
        raise NothingToEvaluate(f"{job} belongs to no evaluation: ask for the evaluation again.")
    return found


def _reads(version: ModelVersion | Teacher) -> bool:
    if isinstance(version, Teacher):
        return bool(version.text_count)
    return not version.is_image_only


def _refuse_empty(
    version: ModelVersion | Teacher, chosen: list[Subject], split: str, language: str
) -> None:
    if isinstance(version, Teacher):
        teachers.store(version)
    if len({subject.person for subject in chosen}) < 2:
        raise NothingToEvaluate(f"The split “{split}” has fewer than two people.")
    if _reads(version) and not any(subject.captions for subject in chosen):
        spoken = f" in “{language}”" if language else ""
        raise NothingToEvaluate(f"No box of the split “{split}” has a caption{spoken}.")


def _folder(evaluation: Evaluation) -> Path:
    return Path(settings.PEDSITE_WORK_DIR) / "evaluations" / str(evaluation.pk)


def _batches(items: list[Any]) -> list[list[Any]]:
    return [items[first : first + BATCH] for first in range(0, len(items), BATCH)]


def _encode_boxes(
    evaluation: Evaluation, numbers: list[int]
) -> tuple[list[int], np.ndarray, list[tuple[str, str]]]:
    if evaluation.teacher is not None:
        return teachers.box_vectors(evaluation.teacher, numbers)
    tower = versions.image_tower(evaluation.version.image_encoder)
    kept, ready, failures = [], [], []
    found = Box.objects.select_related("image").filter(pk__in=numbers).order_by("image_id", "pk")
    for box, pixels in crops.load_many(found):
        if isinstance(pixels, BadImage):
            failures.append((f"box {box.pk}", str(pixels)))
            continue
        kept.append(box.pk)
        ready.append(tower.prepare(pixels))
    gone = set(numbers) - set(kept) - {int(item.split()[1]) for item, _reason in failures}
    failures += [(f"box {number}", "It was deleted.") for number in sorted(gone)]
    return kept, encode_crops(tower, ready), failures


def _encode_texts(
    evaluation: Evaluation, texts: list[str]
) -> tuple[list[str], np.ndarray, list[tuple[str, str]]]:
    if evaluation.teacher is not None:
        # It knows the captions of its time, and none with its clauses in another order.
        return (*teachers.text_vectors(evaluation.teacher, texts), [])
    assert evaluation.version.text_encoder is not None
    tower = versions.text_tower(evaluation.version.text_encoder)
    return texts, tower.encode(texts), []


def _measure(
    work: Work, evaluation: Evaluation, chosen: list[Subject], texts: list[str], files: list[Path]
) -> None:
    pictures: dict[int, np.ndarray] = {}
    words: dict[str, np.ndarray] = {}
    for file in files:
        with np.load(file, allow_pickle=False) as stored:
            target: dict[Any, np.ndarray] = words if file.name.startswith("texts") else pictures
            target.update(zip(stored["items"].tolist(), stored["vectors"], strict=True))
    usable = [
        replace(subject, captions=tuple(c for c in subject.captions if c[0] in words))
        for subject in chosen
        if subject.box in pictures
    ]
    if len({subject.person for subject in usable}) < 2:
        raise NothingToEvaluate("Fewer than two people have a picture that can be read.")
    try:
        found = measures.measure(
            _sample(usable, pictures, with_captions=bool(texts)),
            words,
            protocol=evaluation.protocol,
            smallest_class=evaluation.smallest_class,
            tell=work.beat,
        )
    except ValueError as exc:
        raise NothingToEvaluate(f"This split cannot be measured: {exc}.") from exc
    about = {
        "teacher" if evaluation.teacher else "version": evaluation.subject.name,
        "dataset": evaluation.snapshot.dataset.name,
        "snapshot": evaluation.snapshot.number,
        "fingerprint": evaluation.snapshot.fingerprint,
        "split": evaluation.split,
        "language": evaluation.language,
        "protocol": evaluation.protocol,
        "look": evaluation.look,
    }
    Evaluation.objects.filter(pk=evaluation.pk).update(
        metrics=about | found.metrics,
        details=found.details | _judged(usable, pictures, words),
        predictions=found.predictions,
    )
    work.keep(evaluation=evaluation.pk)


def _judged(
    usable: list[Subject], pictures: dict[int, np.ndarray], words: dict[str, np.ndarray]
) -> dict[str, Any]:
    """The score of every pair that reviewers judged, as [text, box, is right, cosine]."""
    found = [
        [text, subject.box, is_right, round(float(words[text] @ pictures[subject.box]), 6)]
        for subject in usable
        for text, is_right in subject.judged
        if text in words
    ]
    return {"judged": found} if found else {}


def _sample(
    usable: list[Subject], pictures: dict[int, np.ndarray], *, with_captions: bool
) -> measures.Sample:
    rows = Box.objects.filter(pk__in=pictures)
    shown = {
        pk: (name, camera or "")
        for pk, name, camera in rows.values_list("pk", "image__name", "image__camera__name")
    }
    about = [shown.get(subject.box, ("", "")) for subject in usable]
    return measures.Sample(
        boxes=[subject.box for subject in usable],
        people=[subject.person for subject in usable],
        names=[name or f"box {s.box}" for (name, _), s in zip(about, usable, strict=True)],
        heights=[subject.height for subject in usable],
        cameras=[camera for _, camera in about],
        pictures=np.stack([pictures[subject.box] for subject in usable]),
        captions=[subject.captions for subject in usable] if with_captions else None,
    )
