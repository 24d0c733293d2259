"""How wide the index has to be walked: measured against the exact scan on stored questions.

The same width finds less the larger the gallery is, and words need a wider walk than pictures. So
it is measured anew whenever the gallery has doubled, kept (`IndexTuning`) and shown.
"""

import math
import time
from collections.abc import Callable
from statistics import mean, median

import numpy as np
from django.conf import settings
from django.db.models import Count

from search import encoders, engines, index, probes
from search.index import Built
from search.models import Embedding, IndexTuning, Mode, QueryKind
from search.querysets import EmbeddingQuerySet
from training.models import Encoder, ModelVersion

# Widths that are tried, until one finds enough.
LADDER = (40, 60, 100, 150, 200, 300, 400, 600, 800, 1000)
# Recall of the nearest TOP that a mode promises, and what it has to reach on the questions: what is
# asked later is not what was measured with.
PROMISES = {Mode.FAST: 0.97, Mode.THOROUGH: 0.99}
AIMS = {Mode.FAST: 0.98, Mode.THOROUGH: 0.995}
TOP = 20
QUESTIONS = 100
FEWEST = 5
# What is believed before anything was measured: ef at 100,000 vectors, and that five times the
# vectors need twice the width.
UNMEASURED = {Mode.FAST: 200, Mode.THOROUGH: 600}
GROWTH = math.log(2) / math.log(5)
BELIEVED_S = 10.0

_believed: dict[int, tuple[float, IndexTuning | None]] = {}

Found = list[tuple[float, int]]


def newest(encoder: Encoder) -> IndexTuning | None:
    """The measurement in force for the engine that answers."""
    rows = IndexTuning.objects.filter(encoder_id=encoder.pk, engine=settings.PEDSITE_ENGINE)
    return rows.order_by("-pk").first()


def ef(encoder: Encoder, mode: str, rows: int) -> int:
    """The width to walk with in a mode, among so many vectors, 1 to `index.MOST_EF`."""
    measured = _known(encoder)
    if measured is not None:
        width, at = measured.ef(mode), measured.rows
    else:
        width, at = UNMEASURED.get(Mode(mode), UNMEASURED[Mode.FAST]), 100_000
    grown = width * max(rows / max(at, 1), 0.01) ** GROWTH
    # Up to the doubling that brings the next measurement, and down to no less than was measured.
    return min(index.MOST_EF, math.ceil(max(grown, width if measured else LADDER[0])))


def exact_rows(encoder: Encoder) -> int:
    """Rows up to which comparing all is no slower than a walk, as far as that was measured."""
    measured = _known(encoder)
    return max(index.threshold(), measured.exact_rows if measured else 0)


def ensure(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> IndexTuning | None:
    """Measure if it was never done or the vectors have doubled since; None if it is not due.

    Raises: EngineSilent, and what `beat` raises; nothing is kept.
    """
    built = engines.current().look(encoder)
    if built is None or not index.is_worth_it(encoder):
        return None
    last = newest(encoder)
    if last is not None and built.rows < 2 * last.rows:
        return None
    return measure(encoder, beat)


def measure(encoder: Encoder, beat: Callable[[], None] = lambda: None) -> IndexTuning | None:
    """Walk the index at rising widths until it finds what the exact scan finds.

    `beat` is called between two questions. None without an index or with too few questions.
    """
    built = engines.current().look(encoder)
    if built is None:
        return None
    kind, asked = _questions(encoder)
    if len(asked) < FEWEST:
        return None
    rows = Embedding.objects.filter(encoder_id=encoder.pk)
    count = rows.count()
    expected, scans = [], []
    for query in asked:
        beat()
        nearest, seconds = _timed(rows.nearest_exactly(query, encoder)[:TOP])
        expected.append(nearest)
        scans.append(seconds)
    filtered = _filtered_ms(rows, encoder, asked[:FEWEST], count)
    curve = _curve(rows, encoder, asked, expected, built, beat)
    made = IndexTuning.objects.create(
        encoder=encoder,
        engine=settings.PEDSITE_ENGINE,
        rows=count,
        asked_with=kind,
        questions=len(asked),
        curve=curve,
        exact_ms=median(scans) * 1e3,
        filtered_ms=filtered,
        ef_fast=_reaching(curve, AIMS[Mode.FAST]),
        ef_thorough=_reaching(curve, AIMS[Mode.THOROUGH]),
    )
    _believed.pop(encoder.pk, None)
    return made


def _known(encoder: Encoder) -> IndexTuning | None:
    found = _believed.get(encoder.pk)
    if found is None or time.monotonic() - found[0] > BELIEVED_S:
        found = _believed[encoder.pk] = (time.monotonic(), newest(encoder))
    return found[1]


def _questions(encoder: Encoder) -> tuple[str, list[np.ndarray]]:
    """Vectors of stored texts, or of boxes that are looked for anew where nothing reads words."""
    version = (
        ModelVersion.objects.with_towers().filter(image_encoder=encoder).answering_text().first()
    )
    if version is not None and version.text_encoder is not None:
        texts = probes.stored(QUESTIONS, version.text_encoder)
        return QueryKind.TEXT, list(encoders.encode_texts(version, texts))
    rows = Embedding.objects.filter(encoder_id=encoder.pk)
    numbers = probes.spread(rows, QUESTIONS)
    vectors = rows.filter(pk__in=numbers).values_list("vector", flat=True)
    return QueryKind.PICTURE, [np.asarray(vector, np.float32) for vector in vectors]


def _filtered_ms(
    rows: EmbeddingQuerySet, encoder: Encoder, asked: list[np.ndarray], count: int
) -> float | None:
    """Milliseconds that `count` vectors would take behind a filter, by the busiest camera's."""
    seen = rows.exclude(camera_id=None).values_list("camera_id")
    busiest = seen.annotate(vectors=Count("pk")).order_by("-vectors").first()
    if busiest is None:
        return None
    inside = rows.filter(camera_id=busiest[0])
    scans = [_timed(inside.nearest_exactly(query, encoder)[:TOP])[1] for query in asked]
    return median(scans) * 1e3 * count / busiest[1]


def _curve(
    rows: EmbeddingQuerySet,
    encoder: Encoder,
    asked: list[np.ndarray],
    expected: list[Found],
    built: Built,
    beat: Callable[[], None],
) -> list[dict[str, float]]:
    curve: list[dict[str, float]] = []
    walk = engines.current().walk
    for width in LADDER:
        recalls, walks = [], []
        for query, nearest in zip(asked, expected, strict=True):
            beat()
            began = time.perf_counter()
            found = walk(rows, encoder, query, TOP, built=built, width=width)
            walks.append(time.perf_counter() - began)
            recalls.append(_recall(found[:TOP], nearest))
        point = {"ef": width, "recall": mean(recalls), "ms": median(walks) * 1e3}
        curve.append(point)
        if point["recall"] >= AIMS[Mode.THOROUGH]:
            break
    return curve


def _timed(rows: EmbeddingQuerySet) -> tuple[Found, float]:
    began = time.perf_counter()
    found = list(rows.values_list("distance", "box_id"))
    return found, time.perf_counter() - began


def _recall(found: Found, expected: Found) -> float:
    """Of the nearest, how many were found; another one at the same distance is as good."""
    if not expected:
        return 1.0
    farthest = expected[-1][0] + 1e-6
    return sum(distance <= farthest for distance, _box in found) / len(expected)


def _reaching(curve: list[dict[str, float]], aim: float) -> int:
    """The least width that reaches it, or the widest that was tried."""
    return int(next((point["ef"] for point in curve if point["recall"] >= aim), curve[-1]["ef"]))
