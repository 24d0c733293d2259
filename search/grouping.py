"""The hits that a page shows, put together by person and put in order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from search import background
from search.models import Embedding
from search.retrieval import Hit
from training.models import Encoder

# Two boxes without an identity are one sighting told twice if they are as alike as the closest of
# so many pairs of strangers.
STRANGERS = 10_000
# Of the background that strangers are taken from: half a million pairs.
_READ = 1000


@dataclass(frozen=True, kw_only=True)
class Group:
    """One person, or boxes of nearly one picture: the best hit, and all in order of time."""

    best: Hit
    hits: list[Hit]

    @property
    def cameras(self) -> list[str]:
        """Where they were seen, each camera once, in order of time."""
        named = [hit.box.image.camera.name for hit in self.hits if hit.box.image.camera]
        return list(dict.fromkeys(named))

    @property
    def first(self) -> datetime | None:
        return min((time for time in map(_taken, self.hits) if time), default=None)

    @property
    def last(self) -> datetime | None:
        return max((time for time in map(_taken, self.hits) if time), default=None)


def by_time(hits: Sequence[Hit], *, newest_first: bool = False) -> list[Hit]:
    """Hits in order of time, equal times by rank; those without a time come last."""
    timed = [hit for hit in hits if _taken(hit)]
    timed.sort(key=lambda hit: hit.rank)
    timed.sort(key=lambda hit: hit.box.image.taken_at, reverse=newest_first)
    return timed + [hit for hit in hits if not _taken(hit)]


def by_person(hits: Sequence[Hit], encoder: Encoder, order: str = "") -> list[Group]:
    """Groups in the order of their best hits, or of when they were seen, "oldest" or "newest".

    Boxes with an identity go by it. A box without one joins the first group that holds a box
    nearly equal to it; what is nearly equal is read off pairs of strangers.
    """
    vectors = _vectors(hits, encoder)
    near = _nearly_equal(encoder)
    groups: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda hit: hit.rank):
        mine = next((group for group in groups if _belongs(hit, group, vectors, near)), None)
        if mine is None:
            groups.append([hit])
        else:
            mine.append(hit)
    made = [Group(best=group[0], hits=by_time(group)) for group in groups]
    if not order:
        return made
    newest = order == "newest"
    seen = [group for group in made if group.first]
    seen.sort(key=lambda group: group.last if newest else group.first, reverse=newest)
    return seen + [group for group in made if not group.first]


def _belongs(hit: Hit, group: list[Hit], vectors: dict[int, np.ndarray], near: float) -> bool:
    identity = hit.box.identity_id
    if identity is not None and group[0].box.identity_id is not None:
        return identity == group[0].box.identity_id
    vector = vectors.get(hit.box.pk)
    others = [vectors[other.box.pk] for other in group if other.box.pk in vectors]
    if vector is None or not others:
        return False
    return float((np.stack(others) @ vector).max()) >= near


def _vectors(hits: Sequence[Hit], encoder: Encoder) -> dict[int, np.ndarray]:
    rows = Embedding.objects.filter(encoder_id=encoder.pk, box_id__in=[hit.box.pk for hit in hits])
    return {box_id: _unit(vector) for box_id, vector in rows.vectors().items()}


def _nearly_equal(encoder: Encoder) -> float:
    """The cosine above which one pair of STRANGERS lies; never reached where nobody is known."""
    crowd = background.of(encoder)[:_READ]
    if len(crowd) < 2:
        return 2.0
    cosines = (crowd @ crowd.T)[np.triu_indices(len(crowd), 1)]
    return float(np.quantile(cosines, max(0.5, 1 - 1 / min(STRANGERS, cosines.size))))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _taken(hit: Hit) -> datetime | None:
    return hit.box.image.taken_at
