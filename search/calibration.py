"""What a score is worth: "about 1 false accept in N", from pairs that do not belong together.

A calibration belongs to a version and a kind of query. It is measured once, on drawn people or on
an enrolled dataset with known identities, and stored: background crops, on which the scores of
every query are read, how such readings blend into one number, and how often impostors lie above it.
A text and a box are impostors when the person lacks something that the text states (drawn people),
or when the text was written about another identity and not also about this one (datasets).
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import datasets
from gallery.models import Caption, Dataset
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from search import background, drawn_pairs, encoders
from search.errors import TooFewToCalibrate
from search.evidence import LEAST_ACCEPTS, Blend, Curve, Scale, blended, measurements
from search.models import Calibration, Embedding, QueryKind
from training import versions
from training.drawn import Drawn
from training.models import ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

KIND = gettext_noop("calibrate")
TASK = "search.calibrate"
# Far from every seed that is trained, shown or measured on.
DRAWN_SOURCE = "drawn:"
DRAWN = f"{DRAWN_SOURCE}20260507:1800"
TEXTS = 1000
BOXES = 3000
# Between two signs of life, a second or two each.
_CHUNK = 128
LOOKED_S = 30.0

Reading = tuple[Blend, Curve, str]

_known: dict[tuple[int, str], tuple[float, Reading | None]] = {}
_knowing = Lock()


@dataclass(frozen=True)
class Confidence:
    """How to read the scores of one query; `source` is what it was measured on."""

    scale: Scale
    blend: Blend
    curve: Curve
    source: str

    @property
    def is_of_drawn_people(self) -> bool:
        """Whether nobody real was measured: real people may be taken for others more often."""
        return self.source.startswith(DRAWN_SOURCE)

    def rate(self, score: float) -> float:
        """Of boxes that do not fit, the share that scores at least so much; see `Curve.rate`."""
        slope, offset = self.blend.line(self.scale)
        return self.curve.rate(slope * score + offset)

    def score(self, rate: float) -> float:
        """The cosine that this share of the boxes that do not fit exceeds."""
        slope, offset = self.blend.line(self.scale)
        return (self.curve.threshold(rate) - offset) / slope


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a calibration is made of: vectors (N, dim), and measurements by query kind, (P, 3) of
    impostors and (G, 3) of genuine pairs.
    """

    background: np.ndarray
    impostors: dict[str, np.ndarray]
    genuine: dict[str, np.ndarray]


def reading(version: ModelVersion, query_kind: str) -> Reading | None:
    """The calibration in force; None if there is none. A process looks for news twice a minute."""
    key = (version.pk, query_kind)
    with _knowing:
        until, found = _known.get(key, (0.0, None))
    if time.monotonic() < until:
        return found
    row = Calibration.objects.filter(version_id=version.pk, query_kind=query_kind).last()
    found = None
    if row is not None:
        curve = Curve(rates=tuple(row.rates), scores=tuple(row.scores))
        found = Blend(*row.weights), curve, row.source
    with _knowing:
        _known[key] = (time.monotonic() + LOOKED_S, found)
    return found


def request(
    version: ModelVersion, source: str, user: "User | None" = None, queue: bool = True
) -> Job:
    """Ask for the calibration of a version.

    Args:
        source: drawn:SEED:COUNT, or the name of a dataset that the version has enrolled.

    Raises:
        TooFewToCalibrate: it is drawn, with fewer people than say anything.
        UnknownDataset: there is no such dataset.
    """
    if source.startswith(DRAWN_SOURCE):
        _drawn(source)
    else:
        datasets.get(source)
    params = {"version": version.pk, "version_name": version.name, "source": source}
    return jobs.request(KIND, task=TASK, params=params, user=user, queue=queue)


def start_if_none(version: ModelVersion, user: "User | None" = None) -> Job | None:
    """Ask for a version's first calibration, on drawn people; None if it has one or will."""
    if version.calibrations.exists() or is_on_its_way(version.name):
        return None
    return request(version, DRAWN, user)


def is_on_its_way(version_name: str) -> bool:
    """Whether a job will calibrate a version or is at it."""
    jobs_of = Job.objects.unfinished().filter(kind=KIND)
    return jobs_of.filter(params__version_name=version_name).exists()


def step(work: jobs.Work) -> bool:
    """All of it: what is drawn and encoded is in this process alone.

    Raises:
        UnknownVersion, UnknownDataset: deleted meanwhile.
        TooFewToCalibrate: there are not enough identities, or none of them is described.
    """
    version, source = versions.get(work.params["version_name"]), work.params["source"]
    work.plan(None, note=_("Measuring pairs that do not belong together"))
    if source.startswith(DRAWN_SOURCE):
        measured = of_drawn(version, source, work.beat)
    else:
        measured = of_dataset(version, datasets.get(source), work.beat)
    stored = store(version, measured, source)
    work.plan(sum(row.pairs for row in stored))
    work.advance(sum(row.pairs for row in stored), note="")
    return False


def of_drawn(
    version: ModelVersion, source: str, beat: Callable[[], None] = lambda: None
) -> Measured:
    """Of people drawn for this alone: a third is the background.

    Raises: TooFewToCalibrate.
    """
    drawn = _drawn(source)
    image = encoders.image_tower(version.image_encoder)
    crowd = drawn_pairs.new_crowd(image, drawn.seed, drawn.count, beat)
    third = drawn.count // 6 * 2
    behind, people = crowd.vectors[:third], crowd.part(third, drawn.count)
    pairs = {QueryKind.PICTURE: drawn_pairs.picture_scores(people, behind)}
    if not version.is_image_only:
        rng, encode = np.random.default_rng(drawn.seed), _encoder(version, beat)
        pairs[QueryKind.TEXT] = drawn_pairs.text_scores(people, behind, encode, TEXTS, rng)
    return _measured(behind, pairs)


def of_dataset(
    version: ModelVersion, dataset: Dataset, beat: Callable[[], None] = lambda: None
) -> Measured:
    """Of enrolled boxes with an identity, a third of the identities being the background.

    Raises: TooFewToCalibrate.
    """
    rows = list(
        Embedding.objects.filter(encoder_id=version.image_encoder_id, dataset=dataset)
        .filter(box__identity__isnull=False)
        .findable()
        .order_by("?")
        .values_list("box_id", "box__identity_id", "vector")[:BOXES]
    )
    people = np.array([identity for _box, identity, _vector in rows], dtype=np.int64)
    if len(np.unique(people)) < 30:
        raise TooFewToCalibrate(dataset.name)
    vectors = np.array([vector for *_ids, vector in rows], dtype=np.float32)
    behind = people % 3 == 0
    if not behind.any() or behind.all():
        raise TooFewToCalibrate(dataset.name)
    crowd, people, boxes = vectors[behind], people[~behind], vectors[~behind]
    measured = measurements(boxes, boxes, crowd)
    alike = (people[:, None] == people[None]) & ~np.eye(len(people), dtype=bool)
    strangers = people[:, None] != people[None]
    pairs = {QueryKind.PICTURE: (measured[strangers], measured[alike])}
    if not version.is_image_only:
        texts, same = _captions(dataset, people)
        told = drawn_pairs.described(texts, _encoder(version, beat))
        measured = measurements(told, boxes, crowd)
        pairs[QueryKind.TEXT] = (measured[~same], measured[same])
    return _measured(crowd, pairs)


def _measured(behind: np.ndarray, pairs: dict[str, tuple[np.ndarray, np.ndarray]]) -> Measured:
    return Measured(
        background=behind,
        impostors={kind: impostors for kind, (impostors, _) in pairs.items()},
        genuine={kind: genuine for kind, (_, genuine) in pairs.items()},
    )


@transaction.atomic
def store(version: ModelVersion, measured: Measured, source: str) -> list[Calibration]:
    """Put a calibration in force; the version's older ones stay as history.

    Raises: TooFewToCalibrate.
    """
    if any(len(rows) < 100 * LEAST_ACCEPTS for rows in measured.impostors.values()):
        raise TooFewToCalibrate(source)
    few = measured.background[: background.SIZE]
    background.store(version.image_encoder, few, source)
    made = []
    for kind, rows in measured.impostors.items():
        blend = Blend.fit(rows, measured.genuine.get(kind, rows[:0]))
        told = Curve.of(blended(blend, rows))
        made.append(
            Calibration.objects.create(
                version=version,
                query_kind=kind,
                rates=list(told.rates),
                scores=list(told.scores),
                weights=[blend.cosine, blend.deviations, blend.place],
                pairs=len(rows),
                source=source,
            )
        )
        with _knowing:
            _known.pop((version.pk, kind), None)
    return made


def _drawn(source: str) -> Drawn:
    try:
        drawn = Drawn.parse(source)
    except ValueError as exc:
        raise TooFewToCalibrate(source) from exc
    if drawn.count < 180:
        raise TooFewToCalibrate(source)
    return drawn


def _captions(dataset: Dataset, people: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Texts about these identities, and (T, N) whether each was said of whom box n shows."""
    rows = (
        Caption.objects.filter(box__image__dataset=dataset, box__identity__in=set(people.tolist()))
        .stated()
        .order_by("?")
        .values_list("text", "box__identity_id")
    )
    said: dict[str, set[int]] = defaultdict(set)
    for text, identity in rows:
        said[text].add(identity)
    texts = list(said)[:TEXTS]
    if not texts:
        raise TooFewToCalibrate(dataset.name)
    return texts, np.array([np.isin(people, list(said[text])) for text in texts])


def _encoder(version: ModelVersion, beat: Callable[[], None]) -> drawn_pairs.Encode:
    """The version's text tower, with a sign of life now and then."""
    tower = encoders.text_tower(version.text_encoder)

    def encode(texts: Sequence[str]) -> np.ndarray:
        parts = []
        for start in range(0, len(texts), _CHUNK):
            parts.append(tower.encode(texts[start : start + _CHUNK]))
            beat()
        return np.concatenate(parts)

    return encode
