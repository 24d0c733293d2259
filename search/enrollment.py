"""Boxes to vectors: one vector for each (image encoder, box), in chunks that may be repeated.

A chunk reads the next boxes that have no vector, decodes and encodes them in threads, and commits
vectors and counters in one transaction. Whatever stops it, the boxes left are those without a row.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from celery import current_app
from django.conf import settings
from django.db import connection, transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import crops
from gallery.errors import BadImage, UnknownDataset
from gallery.models import Box, Dataset, Review
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from pedsite.webhooks import outbox
from pedsite.webhooks.models import Event
from search import compact, encoders, engines, index, serving, tuning, vectors
from search.errors import NothingToEnroll
from search.models import Embedding, QueryKind, ServingVersion
from training.ml.runtime import ImageTower, SelfTestFailed
from training.models import Encoder, ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KIND = gettext_noop("enroll")
TASK = "search.enroll"
# What finds out whom saved searches match now.
TELL = "search.tell_matches"
# Boxes of one chunk: a second or two of work, so that a kill loses little.
CHUNK = 512
# Nothing is gained past 16 pictures in a run. Every run has exactly so many: a matrix product of
# another height may round otherwise, and a vector must not depend on where a run was interrupted.
BATCH = 16
# Pictures that a thread decodes before it asks for more.
RUN = 8
ITEM = "box "
WAIT_S = 1.0


def request(
    dataset: Dataset,
    version: ModelVersion | None = None,
    user: "User | None" = None,
    queue: bool = True,
) -> Job:
    """Ask for vectors of all boxes of a dataset.

    Args:
        version: whose image encoder to use; without one those of all versions that serve this
            kind of dataset, or of the newest version while none serves.
        queue: False for a command that works on the job itself.

    Raises:
        NothingToEnroll: no version was given and there is none.
    """
    chosen = [version] if version else versions_for(dataset)
    params = {
        "dataset": dataset.pk,
        "dataset_name": dataset.name,
        "versions": [each.pk for each in chosen],
        "version_names": [each.name for each in chosen],
    }
    return jobs.request(KIND, task=TASK, params=params, user=user, queue=queue)


def step(work: jobs.Work) -> bool:
    """One chunk of one encoder; at the end of all, the indexes and who serves. True: more is left.

    Raises:
        UnknownDataset, NothingToEnroll: the dataset or the versions were deleted meanwhile.
        CorruptArtifact: a tower does not load or fails its self-test.
        EngineSilent: the vectors are stored, and Milvus does not take them in.
    """
    dataset, versions = _subjects(work)
    towers = list({each.image_encoder_id: each.image_encoder for each in versions}.values())
    if work.job.total is None:
        _plan(work, dataset, towers)
    for encoder in towers:
        with _alone(dataset, encoder) as alone:
            if not alone:
                work.beat(_("Another job enrolls this dataset."))
                time.sleep(WAIT_S)
                return True
            if _enroll_some(work, dataset, encoder):
                return True
    if _start_over(work, dataset, towers):
        return True
    for encoder in towers:
        engines.current().ensure(encoder, partial(work.beat, _("Building the vector index")))
        tuning.ensure(encoder, partial(work.beat, _("Measuring the vector index")))
        compact.ensure(encoder, partial(work.beat, _("Learning and writing codes")))
    for version in versions:
        serving.start_if_none(version, work.job.created_by, dataset.kind)
    if outbox.listeners(Event.SEARCH_MATCHED).exists():
        current_app.send_task(TELL)
    return False


def waiting(dataset: Dataset, encoder: Encoder) -> QuerySet[Box]:
    """Boxes that can be found once they have a vector of this encoder, and have none."""
    enrolled = Embedding.objects.filter(encoder_id=encoder.pk, box=OuterRef("pk"))
    return _boxes(dataset).filter(~Exists(enrolled))


def fingerprint(dataset: Dataset, encoder: Encoder) -> tuple[str, int]:
    """SHA-256 over (image, box, vector) of a dataset, and how many rows it covers.

    Row ids and the order of writing do not enter: two enrollments of the same pictures agree.
    """
    rows = (
        Embedding.objects.filter(encoder_id=encoder.pk, dataset=dataset)
        .with_bytes()
        .order_by("box__image__sha256", "box__left", "box__top", "box__right", "box__bottom")
        .values_list(
            "box__image__sha256",
            "box__left",
            "box__top",
            "box__right",
            "box__bottom",
            "vector_bytes",
        )
    )
    digest, count = hashlib.sha256(), 0
    for sha256, *bounds, vector in rows.iterator(chunk_size=2000):
        digest.update(f"{sha256} {bounds} ".encode() + bytes(vector))
        count += 1
    return digest.hexdigest(), count


def versions_for(dataset: Dataset) -> list[ModelVersion]:
    """Those that answer for its kind of dataset, or the newest while none does.

    Raises:
        NothingToEnroll: there is none.
    """
    rows = [ServingVersion.objects.newest(dataset.kind, kind) for kind in QueryKind.values]
    serve = {row.version_id: row.version for row in rows if row is not None}
    if not serve:
        newest = ModelVersion.objects.with_towers().first()
        if newest is None:
            raise NothingToEnroll
        return [newest]
    return list(serve.values())


def _subjects(work: jobs.Work) -> tuple[Dataset, list[ModelVersion]]:
    dataset = Dataset.objects.filter(pk=work.params["dataset"]).first()
    if dataset is None:
        raise UnknownDataset(work.params["dataset_name"])
    versions = list(ModelVersion.objects.with_towers().filter(pk__in=work.params["versions"]))
    if not versions:
        raise NothingToEnroll
    return dataset, versions


def _boxes(dataset: Dataset) -> QuerySet[Box]:
    return Box.objects.filter(image__dataset=dataset).exclude(review=Review.HIDDEN)


def _left(work: jobs.Work, dataset: Dataset, encoder: Encoder) -> QuerySet[Box]:
    """What this job still has to do: without the boxes that failed in it."""
    item = Concat(Value(f"{ITEM}"), Cast(OuterRef("pk"), CharField()))
    left = waiting(dataset, encoder).filter(~Exists(work.job.failures.filter(item=item)))
    only = work.params.get("only")
    if only is None:
        return left
    return left.filter(pk__in=[int(name.removeprefix(ITEM)) for name in only])


def _plan(work: jobs.Work, dataset: Dataset, towers: Sequence[Encoder]) -> None:
    left = sum(_left(work, dataset, encoder).count() for encoder in towers)
    if "only" in work.params:
        done = work.job.done
    else:
        rows = Embedding.objects.filter(encoder__in=towers, dataset=dataset).findable()
        done = rows.count()
    work.plan(done + left + work.job.failed, done=done)


def _start_over(work: jobs.Work, dataset: Dataset, towers: Sequence[Encoder]) -> bool:
    """Go back to the first box if any were added behind the place that the job had reached."""
    work.keep(after={})
    _plan(work, dataset, towers)
    return any(_left(work, dataset, encoder).exists() for encoder in towers)


def _enroll_some(work: jobs.Work, dataset: Dataset, encoder: Encoder) -> bool:
    """One chunk of one encoder; False when nothing is left for it."""
    # Where it got to is kept so that a chunk need not pass over all boxes that are done.
    after = work.job.result.get("after", {})
    left = _left(work, dataset, encoder).filter(pk__gt=after.get(str(encoder.pk), 0))
    boxes = list(left.select_related("image").order_by("pk")[:CHUNK])
    if not boxes:
        return False
    load = _load(work, dataset, encoder)
    rows, failures = _embed(encoders.image_tower(encoder), boxes, work)
    with transaction.atomic():
        vectors.write(dataset, encoder, rows, load, {box.pk: box.bounds for box in boxes})
        work.advance(len(rows), failures, note="")
        work.keep(after={**after, str(encoder.pk): boxes[-1].pk})
    engines.current().follow(encoder)
    index.refresh_estimates()
    return True


def _load(work: jobs.Work, dataset: Dataset, encoder: Encoder) -> int:
    """The load that this job's rows of an encoder are written as, decided at its first chunk."""
    loads = work.job.result.get("loads", {})
    if str(encoder.pk) not in loads:
        loads[str(encoder.pk)] = index.load_for(encoder, _left(work, dataset, encoder).count())
        work.keep(loads=loads)
    return loads[str(encoder.pk)]


def _embed(
    tower: ImageTower, boxes: list[Box], work: jobs.Work
) -> tuple[list[tuple[int, np.ndarray]], list[tuple[str, str]]]:
    """Vectors of a chunk by box id, and failures by item: pictures are decoded once each, what
    was cut from them is run in batches, and all threads are at it all the time.
    """
    pictures = [list(group) for _, group in groupby(boxes, key=lambda box: box.image_id)]
    # Some at a time: to hand over one takes a twentieth as long as to decode it.
    runs = [
        [box for picture in pictures[start : start + RUN] for box in picture]
        for start in range(0, len(pictures), RUN)
    ]
    pool = ThreadPoolExecutor(settings.PEDSITE_ENROLL_THREADS or os.cpu_count() or 1)
    try:
        decoded = _flat(work, pool.map(partial(_prepare, tower), runs))
        good = [(box, crop) for box, crop in decoded if not isinstance(crop, BadImage)]
        batches = [
            [crop for _, crop in good[start : start + BATCH]]
            for start in range(0, len(good), BATCH)
        ]
        encoded = _flat(work, pool.map(partial(_encode, tower), batches))
    finally:
        pool.shutdown(cancel_futures=True)
    failures = [_failure(box, str(exc)) for box, exc in decoded if isinstance(exc, BadImage)]
    rows = []
    for (box, _crop), vector in zip(good, encoded, strict=True):
        if vector is None:
            failures.append(_failure(box, _("The model gives no usable vector for it.")))
        else:
            rows.append((box.pk, vector))
    return rows, failures


def _flat(work: jobs.Work, parts: Iterable[list[Any]]) -> list[Any]:
    """The parts joined, with a sign of life for each that comes."""
    joined = []
    for part in parts:
        joined += part
        work.beat()
    return joined


def _prepare(tower: ImageTower, boxes: list[Box]) -> list[tuple[Box, np.ndarray | BadImage]]:
    return [
        (box, pixels if isinstance(pixels, BadImage) else tower.prepare(pixels))
        for box, pixels in crops.load_many(boxes)
    ]


def _encode(tower: ImageTower, prepared: list[np.ndarray]) -> list[np.ndarray | None]:
    full = prepared + prepared[-1:] * (BATCH - len(prepared))
    try:
        return list(tower.encode(np.stack(full))[: len(prepared)])
    except SelfTestFailed:
        # One bad vector spoils its batch: find which.
        if len(prepared) == 1:
            return [None]
        return [vector for one in prepared for vector in _encode(tower, [one])]


def _failure(box: Box, reason: str) -> tuple[str, str]:
    return f"{ITEM}{box.pk}", f"{box.image.name}: {reason}"


@contextmanager
def _alone(dataset: Dataset, encoder: Encoder) -> Iterator[bool]:
    """Whether no other process enrolls this dataset with this encoder until the block ends.

    An advisory lock of the connection: one that is killed gives it back.
    """
    name = f"{KIND}:{dataset.pk}:{encoder.pk}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        alone = cursor.fetchone()[0]
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
