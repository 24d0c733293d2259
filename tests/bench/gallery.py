"""A gallery of generated vectors: people unevenly often seen, cameras that shift what they see,
and words that lie apart from pictures, as in every trained space.

The vector of a picture is that of its person's caption, by the shipped text tower, moved across a
gap, turned by the camera and by the moment. Questions are other captions of drawn people, so that
words are out of the pictures' distribution as real ones are.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from tests.bench import place, shipped

DATASET = "bench"
PEOPLE, CAMERAS = 5_000, 20
# Boxes of one image, and rows written together.
CROWD, CHUNK = 20, 10_000
# How far pictures lie from words, and how much a person, a camera and a moment differ.
GAP, PERSON, CAMERA, MOMENT = 0.8, 0.5, 0.25, 0.6
# Cameras that see this share of all boxes: filters that leave few to many.
SHARES = {"one of 1000": 0.001, "one of 100": 0.01, "one of 10": 0.1, "one of 2": 0.5}
QUESTIONS = 100


def size() -> int:
    """Boxes: BENCH_N, 100,000 by default."""
    return int(os.environ.get("BENCH_N", "100000"))


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Boxes with vectors of one version; `encoder` and `version` are rows."""

    version: object
    encoder: object
    rows: int


@cache
def whole(work: Path) -> Gallery:
    """As many boxes as `size`, with the shipped version's towers, indexed and measured."""
    place.ready(work)
    from training import versions

    return _filled(versions.install_shipped(), size())


@cache
def tenth(work: Path) -> Gallery:
    """The first tenth of them, in a space of its own."""
    whole(work)

    return _filled(
        shipped.registered("tenth"),
        size() // 10,
    )


def questions(gallery: Gallery, count: int = QUESTIONS, seed: int = 1) -> list[str]:
    """Captions of drawn people, none of whom is in the gallery."""
    return [_caption(10**6 * seed + number) for number in range(count)]


def vectors(gallery: Gallery, texts: list[str]) -> np.ndarray:
    from search import encoders

    return encoders.encode_texts(gallery.version, texts)


def _filled(version, wanted: int) -> Gallery:
    """Write what is missing, then build and measure the index; done before, it is all there."""
    from gallery.models import Box, Dataset
    from search import index, tuning
    from search.models import Embedding

    dataset, _made = Dataset.objects.get_or_create(name=DATASET)
    draw_rows(dataset, wanted)
    encoder = version.image_encoder
    rows = Embedding.objects.filter(encoder_id=encoder.pk)
    if rows.count() > wanted:
        index.drop(encoder)
        rows.delete()
    left = Box.objects.exclude(embeddings__encoder=encoder).filter(image__dataset=dataset)
    numbers = list(left.order_by("pk").values_list("pk", "image_id")[: wanted - rows.count()])
    _write(dataset, encoder, version, numbers)
    index.ensure(encoder)
    tuning.ensure(encoder)
    return Gallery(version=version, encoder=encoder, rows=wanted)


def draw_rows(dataset, wanted: int) -> None:
    """Images with a camera and a time, boxes in them, and a caption on some."""
    from django.db import connection
    from django.db.models import F

    from gallery.models import Box, Camera, Caption, Image

    there = Box.objects.filter(image__dataset=dataset).count()
    if there >= wanted:
        return
    names = [*SHARES, *(f"camera {n}" for n in range(CAMERAS - len(SHARES)))]
    for name in names:
        Camera.objects.get_or_create(dataset=dataset, name=name)
    cameras = [Camera.objects.get(dataset=dataset, name=name).pk for name in names]
    rest = (1 - sum(SHARES.values())) / (CAMERAS - len(SHARES))
    chances = [*SHARES.values(), *[rest] * (CAMERAS - len(SHARES))]
    images = -(-(wanted - there) // CROWD)
    rng = np.random.default_rng(there)
    chosen = rng.choice(cameras, size=images, p=chances)
    # Also of a small gallery, each share is of some images at least.
    chosen[: len(SHARES)] = cameras[: len(SHARES)]
    first = Image.objects.filter(dataset=dataset).count()
    Image.objects.bulk_create(
        [
            Image(
                dataset=dataset,
                camera_id=int(camera),
                sha256=f"{first + n:064x}",
                name=f"{first + n}.jpg",
                file="none.jpg",
                width=2000,
                height=100,
            )
            for n, camera in enumerate(chosen)
        ],
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO gallery_box (image_id, "left", top, "right", bottom, source, review,'
            " created_at) SELECT image.id, n * 100, 0, n * 100 + 99, 100, 'annotated',"
            " 'unreviewed', now() FROM gallery_image image, generate_series(0, %s) n"
            " WHERE image.dataset_id = %s AND NOT EXISTS"
            " (SELECT FROM gallery_box box WHERE box.image_id = image.id)",
            [CROWD - 1, dataset.pk],
        )
        cursor.execute("ANALYZE gallery_box, gallery_image")
    some = Box.objects.filter(image__dataset=dataset).annotate(rest=F("pk") % max(1, wanted // 500))
    Caption.objects.bulk_create(
        [
            Caption(box_id=pk, text=_caption(10**7 + pk), language="en", source="drawn")
            for pk in some.filter(rest=0, captions=None).values_list("pk", flat=True)[:500]
        ],
        ignore_conflicts=True,
    )


def _write(dataset, encoder, version, numbers: list[tuple[int, int]]) -> None:
    from django.db import transaction

    from search import vectors as stored

    for start in range(0, len(numbers), CHUNK):
        some = numbers[start : start + CHUNK]
        rows = list(generated(version, len(some), seed=start))
        with transaction.atomic():
            pairs = [(pk, row) for (pk, _image), row in zip(some, rows, strict=True)]
            stored.write(dataset, encoder, pairs)


def generated(version, count: int, seed: int) -> Iterator[np.ndarray]:
    """Unit vectors float32 (dim,) as pictures get them."""
    words = _words(version.pk, version)
    dim = words.shape[1]
    fixed = np.random.default_rng(7)
    gap = _unit(fixed.normal(size=dim))
    people = words + PERSON * _unit(fixed.normal(size=(len(words), dim)))
    cameras = CAMERA * _unit(fixed.normal(size=(CAMERAS, dim)))
    # A few people are seen all the time, most of them rarely.
    often = 1 / np.arange(1, len(words) + 1) ** 0.8
    rng = np.random.default_rng((11, seed))
    who = rng.choice(len(words), size=count, p=often / often.sum())
    seen_by = rng.integers(CAMERAS, size=count)
    moments = MOMENT * _unit(rng.normal(size=(count, dim)))
    yield from _unit(people[who] + GAP * gap + cameras[seen_by] + moments).astype(np.float32)


@cache
def _words(pk: int, version) -> np.ndarray:
    from search import encoders

    tower = encoders.text_tower(version.text_encoder)
    return tower.encode([_caption(number) for number in range(PEOPLE)])


def _caption(number: int) -> str:
    from gallery.synthetic.attributes import draw_person
    from gallery.synthetic.captions import caption

    rng = np.random.default_rng((5, number))
    return caption(draw_person(rng), rng, "en").text


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)
