"""Who might be the same person, and which boxes of a person look unlike the rest.

Both are read off the vectors of the version that answers picture queries, inside the dataset of
the person: nobody is merged across datasets.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gallery.models import Box, Identity
from search import nearest, serving
from search.models import Embedding, QueryKind
from search.scope import Filters, resolve
from training.models import Encoder

if TYPE_CHECKING:
    from pedsite.accounts.models import User

# Boxes of one person that are compared with each other, and neighbours that are looked through.
MOST_BOXES = 500
NEIGHBOURS = 200
SUGGESTED = 12
# Of fewer boxes nobody can tell which is the odd one.
LEAST_BOXES = 3
# Robust standard deviations below the middle, and how far at least, as a cosine.
ODD_BY, ODD_LEAST = 3.0, 0.05


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A box of a person and its cosine with the others' mean; None without a vector."""

    box: Box
    likeness: float | None
    is_odd: bool = False


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Somebody else, by the box that is nearest; `box.identity` None is nobody known."""

    box: Box
    likeness: float


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the vectors of a version say of a person, the odd boxes first."""

    version: str
    sightings: list[Sighting]
    alike: list[Suggestion]

    @property
    def waiting(self) -> int:
        """Boxes that have no vector."""
        return sum(each.likeness is None for each in self.sightings)

    @property
    def odd(self) -> int:
        return sum(each.is_odd for each in self.sightings)


def look(identity: Identity, user: "User") -> Look:
    """A person whose dataset the user may see, as the serving version sees them.

    Raises:
        NothingServes: no version answers picture queries about this kind of dataset.
        EngineSilent
    """
    version = serving.current(QueryKind.PICTURE, identity.dataset.kind)
    encoder = version.image_encoder
    boxes = list(identity.boxes.with_context().order_by("pk")[:MOST_BOXES])
    vectors = _vectors(encoder, [box.pk for box in boxes])
    likeness, odd = _among_themselves(vectors)
    sightings = [
        Sighting(box=box, likeness=likeness.get(box.pk), is_odd=box.pk in odd) for box in boxes
    ]
    sightings.sort(key=lambda each: (not each.is_odd, each.likeness or 0.0, each.box.pk))
    return Look(
        version=version.name,
        sightings=sightings,
        alike=_alike(identity, encoder, vectors, user) if vectors else [],
    )


def _vectors(encoder: Encoder, boxes: list[int]) -> dict[int, np.ndarray]:
    rows = Embedding.objects.filter(encoder_id=encoder.pk, box__in=boxes)
    return {
        pk: np.asarray(vector, dtype=np.float32) for pk, vector in rows.values_list("box", "vector")
    }


def _among_themselves(vectors: dict[int, np.ndarray]) -> tuple[dict[int, float], set[int]]:
    """Cosine of each with the mean of the others, and which are far below the middle."""
    if len(vectors) < 2:
        return dict.fromkeys(vectors, 1.0), set()
    rows = np.stack(list(vectors.values()))
    others = (rows.sum(axis=0) - rows) / (len(rows) - 1)
    cosines = (rows * others).sum(axis=1) / np.maximum(np.linalg.norm(others, axis=1), 1e-12)
    likeness = {pk: float(cosine) for pk, cosine in zip(vectors, cosines, strict=True)}
    if len(rows) < LEAST_BOXES:
        return likeness, set()
    middle = float(np.median(cosines))
    spread = 1.4826 * float(np.median(np.abs(cosines - middle)))
    limit = middle - max(ODD_BY * spread, ODD_LEAST)
    return likeness, {pk for pk, cosine in likeness.items() if cosine < limit}


def _alike(
    identity: Identity, encoder: Encoder, vectors: dict[int, np.ndarray], user: "User"
) -> list[Suggestion]:
    """The nearest others of the dataset, each person once, and boxes of nobody known."""
    mean = np.stack(list(vectors.values())).mean(axis=0)
    query = mean / max(float(np.linalg.norm(mean)), 1e-12)
    inside = resolve(Filters(datasets=[identity.dataset.name]), user)
    mine = identity.boxes.values_list("pk", flat=True)
    ranking = nearest.rank(inside, encoder, query, NEIGHBOURS, without=mine)
    found = Box.objects.visible_to(user).with_context().in_bulk([pk for _, pk in ranking.rows])
    seen: set[int] = set()
    suggested = []
    for distance, pk in ranking.rows:
        box = found.get(pk)
        if box is None or box.identity_id in seen:
            continue
        seen |= {box.identity_id} - {None}
        suggested.append(Suggestion(box=box, likeness=1 - float(distance)))
        if len(suggested) == SUGGESTED:
            break
    return suggested
