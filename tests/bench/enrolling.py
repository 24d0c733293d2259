"""Rows 1 to 4: pictures to vectors, and vectors into the database."""

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image as Picture

from tests.bench import gallery, place, shipped
from tests.bench.rounds import ROUNDS, Line, in_turn, spread

BATCH, BATCHES, THREADS = 16, 16, 2
FILES = 2_048
ROWS = 2_000
BULK = 20_000


def arrays(work: Path) -> Iterator[Line]:
    """Row 1: what enrollment does with decoded crops, against the session alone."""
    place.ready(work)
    from search import enrollment

    tower = shipped.load(work).bundle.image_tower(threads=1)
    crops = [tower.prepare(crop) for crop in _crops(BATCH * BATCHES)]
    batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
    fed = [tower.feed(np.stack(batch)) for batch in batches]
    session = tower._session
    with ThreadPoolExecutor(THREADS) as pool:
        rounds = in_turn(
            lambda: list(pool.map(lambda each: session.run(None, each), fed)),
            lambda: list(pool.map(partial(enrollment._encode, tower), batches)),
        )
    value, ends = spread(bare / whole for bare, whole in rounds)
    speed = len(crops) / median(whole for _bare, whole in rounds)
    yield Line(
        row=1,
        what="enrollment from arrays / session.run alone, pictures a second",
        value=value,
        sense=">=",
        target=0.9,
        spread=ends,
        note=f"{speed:.0f}/s, batches of {BATCH} in {THREADS} threads",
    )


def files(work: Path) -> Iterator[Line]:
    """Row 2: from JPEG files to committed vectors, against what decoding and model allow."""
    place.ready(work)
    from gallery import crops
    from gallery.models import Box
    from pedsite.jobs import work as jobs
    from search import encoders, enrollment
    from search.models import Embedding

    # In a space of its own: rows into the index of the large gallery are row 4.
    version = shipped.registered("files")
    dataset = pictures()
    boxes = list(Box.objects.filter(image__dataset=dataset).select_related("image"))
    tower = encoders.image_tower(version.image_encoder)
    prepared = [tower.prepare(pixels) for _box, pixels in crops.load_many(boxes[: BATCH * 8])]
    fed = [
        tower.feed(np.stack(prepared[start : start + BATCH]))
        for start in range(0, len(prepared), BATCH)
    ]

    def bare() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda each: tower._session.run(None, each), fed))

    def decode() -> None:
        for _box, pixels in crops.load_many(boxes[: len(prepared)]):
            tower.prepare(pixels)

    def enroll() -> None:
        Embedding.objects.filter(dataset=dataset).delete()
        job = enrollment.request(dataset, version, queue=False)
        assert jobs.run_here(job, enrollment.step, io.StringIO()).done == FILES

    ratios, speeds = [], []
    for _round in range(ROUNDS):
        model, decoding = (_seconds(each) / len(prepared) for each in (bare, decode))
        whole = _seconds(enroll) / FILES
        ratios.append((model + decoding / THREADS) / whole)
        speeds.append(1 / whole)
    value, ends = spread(ratios)
    yield Line(
        row=2,
        what="enrollment from JPEG files to committed vectors / its bound",
        value=value,
        sense=">=",
        target=0.85,
        spread=ends,
        note=f"{median(speeds):.0f}/s; the bound is 1 / (model + decoding / {THREADS} cores)",
    )


def writing(work: Path) -> Iterator[Line]:
    """Row 3: COPY against bulk_create, and its share of an enrollment."""
    place.ready(work)
    from django.db import transaction

    from gallery.models import Box
    from search import vectors
    from search.models import Embedding

    version = shipped.registered("write")
    encoder, dataset = version.image_encoder, _many_boxes(work, ROWS)
    boxes = list(Box.objects.filter(image__dataset=dataset).select_related("image")[:ROWS])
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(len(boxes), encoder.dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    def clear() -> None:
        Embedding.objects.filter(encoder_id=encoder.pk).delete()

    def copy() -> None:
        with transaction.atomic():
            vectors.write(dataset, encoder, list(zip((b.pk for b in boxes), rows, strict=True)))

    def bulk() -> None:
        Embedding.objects.bulk_create(
            Embedding(
                encoder=encoder, box=box, vector=row.tolist(), dataset=dataset,
                camera_id=box.image.camera_id, taken_at=box.image.taken_at,
            )
            for box, row in zip(boxes, rows, strict=True)
        )  # fmt: skip

    rounds = []
    for _round in range(ROUNDS):
        taken = []
        for each in (bulk, copy):
            clear()
            taken.append(_seconds(each))
        rounds.append(taken)
    clear()
    value, ends = spread(slow / fast for slow, fast in rounds)
    pace = len(boxes) / median(fast for _slow, fast in rounds)
    yield Line(
        row=3,
        what="writing vectors by COPY / by bulk_create, rows a second",
        value=value,
        sense=">=",
        target=20,
        spread=ends,
        note=f"{pace:.0f}/s, {len(boxes)} rows of {encoder.dim}",
    )
    tower = shipped.load(work).bundle.image_tower(threads=1)
    crops = np.stack([tower.prepare(crop) for crop in _crops(BATCH)])
    model = median(_seconds(lambda: tower.encode(crops)) for _round in range(ROUNDS)) / BATCH
    yield Line(
        row=3,
        what="share of writing in an enrollment",
        value=(1 / pace) / (1 / pace + model / THREADS),
        sense="<=",
        target=0.05,
        note=f"beside {model * 1e3:.1f} ms of the model a picture, on {THREADS} cores",
    )


def bulk(work: Path) -> Iterator[Line]:
    """Row 4: load, then build the index, against rows into a live one. One round: it takes long."""
    place.ready(work)
    from django.db import transaction

    from gallery.models import Box
    from search import index, vectors
    from search.models import Embedding

    count = min(BULK, gallery.size())
    version = shipped.registered("bulk")
    encoder, dataset = version.image_encoder, _many_boxes(work, count)
    numbers = list(
        Box.objects.filter(image__dataset=dataset).order_by("pk").values_list("pk", flat=True)
    )[:count]
    rows = list(zip(numbers, gallery.generated(version, count, seed=0), strict=True))

    def load() -> None:
        for start in range(0, count, 2000):
            with transaction.atomic():
                vectors.write(dataset, encoder, rows[start : start + 2000])

    def clear() -> None:
        Embedding.objects.filter(encoder_id=encoder.pk).delete()

    index.drop(encoder)
    clear()
    first = _seconds(load)
    built = _seconds(lambda: index.build(encoder))
    clear()
    live = _seconds(load)
    index.drop(encoder)
    clear()
    yield Line(
        row=4,
        what="load, then build / rows into the live index, seconds",
        value=(first + built) / live,
        sense="<=",
        target=0.5,
        note=f"{count} rows: {first:.1f} + {built:.1f} s, {live:.1f} s",
    )


def _crops(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return list(rng.integers(0, 256, (count, 200, 90, 3), dtype=np.uint8))


def pictures(count: int = FILES) -> Any:
    """A dataset of so many JPEG files of drawn people, one box each."""
    import tempfile

    from gallery import ingest
    from gallery.models import Box, Dataset
    from gallery.synthetic.attributes import draw_person
    from gallery.synthetic.crops import draw
    from pedsite.jobs import work as jobs

    dataset, _made = Dataset.objects.get_or_create(name="bench-files")
    if Box.objects.filter(image__dataset=dataset).count() == count:
        return dataset
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            rng = np.random.default_rng((9, number))
            pixels = draw(draw_person(rng), rng, 384, 192).pixels
            Picture.fromarray(pixels).save(f"{folder}/{number:05}.jpg", quality=90)
        job = ingest.request("folder", folder, dataset.name, queue=False)
        jobs.run_here(job, ingest.Importer(), io.StringIO())
    return dataset


def _many_boxes(work: Path, count: int) -> Any:
    from gallery.models import Dataset

    dataset, _made = Dataset.objects.get_or_create(name=gallery.DATASET)
    gallery.draw_rows(dataset, count)
    return dataset


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
