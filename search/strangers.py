"""What the confidence of a version is worth in a gallery of whose people nobody knows the names.

Calibration on drawn people, or on another camera's, may promise too much here. Two kinds of pairs
are impostors for certain, or nearly, without a name: two boxes of one picture that do not overlap
show two people, and a description of a drawn person in many words fits hardly anybody.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gallery.models import Dataset
from gallery.synthetic.attributes import draw_person
from gallery.synthetic.captions import caption
from search import background, calibration, drawn_pairs, encoders
from search.errors import NotCalibrated, NotEnrolled
from search.evidence import blended, measurements
from search.models import Embedding, QueryKind
from search.querysets import read_vector
from training.drawn import LANGUAGES
from training.models import ModelVersion

RATES = (1 / 100, 1 / 1000)
# Boxes that share more than this of the smaller one may be one person, marked twice.
OVERLAP = 0.1
# What a description names at least: of real people one in thousands has all of it.
FACTS = 5
SEED = 90_011


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Of so many pairs of strangers, how many a promised rate let pass, by rate."""

    kind: str
    source: str
    pairs: int
    accepted: dict[float, int]

    def ratio(self, rate: float) -> float:
        """Observed over promised."""
        return self.accepted[rate] / self.pairs / rate


def measure(version: ModelVersion, dataset: Dataset, queries: int) -> list[Kept]:
    """What became of the rates that were promised, for pictures and for words where it can tell.

    Args:
        queries: descriptions that all boxes are asked with.

    Raises:
        NotEnrolled: the version has no vector of the dataset.
        NotCalibrated: it was never calibrated.
    """
    boxes = _boxes(version, dataset)
    if not boxes:
        raise NotEnrolled(version.name, dataset.kind)
    crowd = background.of(version.image_encoder)
    vectors = np.stack([vector for some in boxes.values() for _bounds, vector in some])
    found = [_count(version, QueryKind.PICTURE, _pictures(boxes, crowd))]
    if not version.is_image_only:
        found.append(_count(version, QueryKind.TEXT, _words(version, vectors, crowd, queries)))
    return found


def card(found: Sequence[Kept]) -> str:
    """What `measure` found, as lines."""
    whom = {
        QueryKind.PICTURE: "pairs of boxes of one picture, who are two people",
        QueryKind.TEXT: "pairs of a box and a description of somebody drawn, which hardly any fits",
    }
    lines = []
    for kept in found:
        lines.append(f"{kept.kind}: {kept.pairs:,} {whom[QueryKind(kept.kind)]}")
        if not kept.pairs:
            lines.append("  nothing to measure on: no picture has two boxes apart from each other")
        lines += [
            f"  1 in {round(1 / rate):,} was promised (on {kept.source}), "
            f"1 in {kept.pairs / count:,.0f} seen: {kept.ratio(rate):.2f} x"
            if count
            else f"  1 in {round(1 / rate):,} was promised (on {kept.source}), none seen"
            for rate, count in kept.accepted.items()
        ]
    return "\n".join(lines) + "\n"


def _boxes(
    version: ModelVersion, dataset: Dataset
) -> dict[int, list[tuple[tuple[int, int, int, int], np.ndarray]]]:
    """Bounds and vector of each box, by image."""
    rows = Embedding.objects.filter(encoder_id=version.image_encoder_id, dataset=dataset)
    told = (
        rows.findable()
        .with_bytes()
        .order_by("box_id")
        .values_list(
            "box__image_id", "box__left", "box__top", "box__right", "box__bottom", "vector_bytes"
        )
    )
    found = defaultdict(list)
    for image, *bounds, sent in told:
        found[image].append((tuple(bounds), read_vector(sent)))
    return dict(found)


def _pictures(boxes: dict, crowd: np.ndarray) -> Iterator[np.ndarray]:
    """Measurements (P, 3) of each two boxes of one picture, each asking for the other."""
    for some in boxes.values():
        apart = ~_overlapping(np.array([bounds for bounds, _ in some], float))
        vectors = np.stack([vector for _, vector in some])
        yield measurements(vectors, vectors, crowd)[apart]


def _words(
    version: ModelVersion, vectors: np.ndarray, crowd: np.ndarray, count: int
) -> Iterator[np.ndarray]:
    """Measurements (P, 3) of descriptions of drawn people with all boxes."""
    rng = np.random.default_rng(SEED)
    texts = [
        caption(draw_person(rng), rng, LANGUAGES[number % len(LANGUAGES)], facts=FACTS).text
        for number in range(count)
    ]
    asked = drawn_pairs.described(texts, lambda some: encoders.encode_texts(version, some))
    for query in asked:
        yield measurements(query[None], vectors, crowd)[0]


def _count(version: ModelVersion, kind: str, parts: Iterator[np.ndarray]) -> Kept:
    reading = calibration.reading(version, kind)
    if reading is None:
        raise NotCalibrated(version.name)
    blend, curve, source = reading
    told = [rate for rate in RATES if rate >= curve.least]
    pairs, accepted = 0, dict.fromkeys(told, 0)
    for rows in parts:
        scores = blended(blend, rows)
        pairs += len(scores)
        for rate in told:
            accepted[rate] += int((scores > curve.threshold(rate)).sum())
    return Kept(kind=kind, source=source, pairs=pairs, accepted=accepted)


def _overlapping(bounds: np.ndarray) -> np.ndarray:
    """(N, N) whether two boxes (N, 4) share more than OVERLAP of the smaller, or are one."""
    low = np.maximum(bounds[:, None, :2], bounds[None, :, :2])
    high = np.minimum(bounds[:, None, 2:], bounds[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = (bounds[:, 2:] - bounds[:, :2]).prod(axis=1)
    return shared > OVERLAP * np.minimum(areas[:, None], areas[None])
