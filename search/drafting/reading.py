"""Attributes read off a vector: which value of a field a box shows, where the model knows it.

Every value of a field is worded in both languages; a box is compared with the values of one field
at a time. What the cosines are worth is learned on drawn people, field by field: one factor for
the cosines and one offset for each value turn them into probabilities. What is probable enough is
said, anything else left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gallery.synthetic.attributes import FIELDS, Fact
from gallery.synthetic.captions import described
from gallery.synthetic.stated import settled
from search import drawn_pairs, encoders
from search.drafting.models import AttributeScale
from search.drawn_pairs import Encode
from search.errors import ImageOnlyVersion
from training.drawn import LANGUAGES
from training.models import ModelVersion

# Said only where the model is right this often, by what it was measured at.
CERTAINTY = 0.95
# Far from every seed that is trained, calibrated, shown or measured on.
SEED, CROPS = 20_261_122, 900
WORDINGS = 3
_STEPS, _RATE = 600, 1.0


@dataclass(frozen=True)
class Field:
    """One field: its values, their vectors (K, dim), and what cosines with them are worth."""

    name: str
    values: tuple[str, ...]
    vectors: np.ndarray
    middle: np.ndarray
    spread: float
    factor: float
    offsets: np.ndarray

    def shares(self, boxes: np.ndarray) -> np.ndarray:
        """(N, K) probabilities of each value, for unit vectors (N, dim) of boxes."""
        return _shares(_scaled(boxes @ self.vectors.T, self), self.factor, self.offsets)


@dataclass(frozen=True)
class Reader:
    """What a version can tell of boxes."""

    fields: tuple[Field, ...]

    def facts(self, boxes: np.ndarray, certainty: float = CERTAINTY) -> list[tuple[Fact, ...]]:
        """For each vector of (N, dim) the facts that are at least so certain.

        Certainty is a probability, above one half. Facts of one box do not contradict each other.
        """
        told: list[dict[str, str]] = [{} for _ in boxes]
        for field in self.fields:
            shares = field.shares(boxes)
            best = shares.argmax(axis=1)
            for row in np.flatnonzero(shares.max(axis=1) >= certainty):
                told[row][field.name] = field.values[best[row]]
        return [settled(each) for each in told]


def reader(version: ModelVersion, beat: Callable[[], None] = lambda: None) -> Reader:
    """What reads attributes with a version; the first time it is measured, which takes half a
    minute, and stored.

    Args:
        beat: called about every second meanwhile.

    Raises: ImageOnlyVersion, CorruptArtifact.
    """
    if version.is_image_only:
        raise ImageOnlyVersion(version.name)
    scale = AttributeScale.objects.filter(version=version).first() or measure(version, beat)
    return _reader(version.pk, scale.pk)


def measure(version: ModelVersion, beat: Callable[[], None] = lambda: None) -> AttributeScale:
    """Learn on two thirds of some drawn people what cosines are worth, and try it on the rest.

    Raises: ImageOnlyVersion, CorruptArtifact.
    """
    crowd = drawn_pairs.new_crowd(encoders.image_tower(version.image_encoder), SEED, CROPS, beat)
    cut = CROPS // 3 * 2
    known, others = crowd.part(0, cut), crowd.part(cut, CROPS)
    fields = []
    for name, vectors in worded(version, beat).items():
        fields.append(_fitted(name, vectors, known))
        beat()
    right, said = trial(Reader(tuple(fields)), others)
    scale, _ = AttributeScale.objects.update_or_create(
        version=version,
        defaults={
            "fields": {field.name: _plain(field) for field in fields},
            "crops": len(others.vectors),
            "statements": said,
            "right": right,
        },
    )
    return scale


def trial(read: Reader, crowd: drawn_pairs.Crowd, certainty: float = CERTAINTY) -> tuple[int, int]:
    """Of the facts that are read off a crowd: how many are true, and how many there are."""
    right = said = 0
    for person, facts in zip(crowd.crops.people, read.facts(crowd.vectors, certainty), strict=True):
        said += len(facts)
        right += sum(person.fits([fact]) for fact in facts)
    return right, said


def worded(version: ModelVersion, beat: Callable[[], None] = lambda: None) -> dict[str, np.ndarray]:
    """For each field the vectors (K, dim) of its values: means over wordings."""

    def encode(texts: Sequence[str]) -> np.ndarray:
        beat()
        return encoders.encode_texts(version, texts)

    return {
        name: np.stack([_value(name, value, encode) for value in values])
        for name, values in FIELDS.items()
    }


@lru_cache(maxsize=4)
def _reader(version_id: int, scale_id: int) -> Reader:
    version = ModelVersion.objects.with_towers().get(pk=version_id)
    kept: Mapping[str, Any] = AttributeScale.objects.get(pk=scale_id).fields
    return Reader(
        tuple(
            Field(
                name=name,
                values=FIELDS[name],
                vectors=vectors,
                middle=np.array(kept[name]["middle"]),
                spread=kept[name]["spread"],
                factor=kept[name]["factor"],
                offsets=np.array(kept[name]["offsets"]),
            )
            for name, vectors in worded(version).items()
            # A vocabulary that grew is read once it is measured anew.
            if len(kept.get(name, {}).get("offsets", ())) == len(FIELDS[name])
        )
    )


def _value(name: str, value: str, encode: Encode) -> np.ndarray:
    texts = [
        described([(name, value)], np.random.default_rng((SEED, number)), language).text
        for language in LANGUAGES
        for number in range(WORDINGS)
    ]
    mean = encode(list(dict.fromkeys(texts))).mean(axis=0)
    unit: np.ndarray = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return unit


def _fitted(name: str, vectors: np.ndarray, crowd: drawn_pairs.Crowd) -> Field:
    """By logistic regression over the values of a field; what is hidden counts as well, so that
    who cannot see a thing learns how common it is.
    """
    values = FIELDS[name]
    cosines = crowd.vectors @ vectors.T
    middle, spread = cosines.mean(axis=0), max(float(cosines.std()), 1e-6)
    rows = (cosines - middle) / spread
    true = np.array([values.index(getattr(person, name)) for person in crowd.crops.people])
    wanted = np.eye(len(values))[true]
    factor, offsets = 1.0, np.zeros(len(values))
    for _ in range(_STEPS):
        error = (_shares(rows, factor, offsets) - wanted) / len(rows)
        # A higher cosine never counts less.
        factor = max(0.0, factor - _RATE * float((rows * error).sum()))
        offsets = offsets - _RATE * error.sum(axis=0)
    return Field(name, values, vectors, middle, spread, factor, offsets)


def _scaled(cosines: np.ndarray, field: Field) -> np.ndarray:
    scaled: np.ndarray = (cosines - field.middle) / field.spread
    return scaled


def _shares(rows: np.ndarray, factor: float, offsets: np.ndarray) -> np.ndarray:
    raised = rows * factor + offsets
    powers = np.exp(raised - raised.max(axis=1, keepdims=True))
    shares: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _plain(field: Field) -> dict[str, Any]:
    return {
        "middle": field.middle.tolist(),
        "spread": field.spread,
        "factor": field.factor,
        "offsets": field.offsets.tolist(),
    }
