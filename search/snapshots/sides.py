"""On which side of a split a box belongs, so that nobody is trained on who is tested.

A person is on one side: that of their identity, or that of a hash of its key. A box that nobody
named may show a person of the test, and only its vector can tell. The rule: it is withheld if one
of the NEAREST boxes of named people is of a person of the test; else it goes where the nearest one
is. It compares ranks, not cosines, because what a cosine is worth differs from model to model, and
it errs on one side: a stranger who looks like somebody of the test is lost to training, which costs
a picture, while somebody of the test who is trained on would make the test untrue. Boxes without a
vector are withheld for the same reason, and so are all of them while a person of the test has none.
No test ever has a box that nobody named.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from gallery.models import Box, Dataset, Review
from gallery.snapshots import WITHHELD
from search import serving
from search.errors import NothingServes
from search.models import Embedding, QueryKind
from training import samples
from training.models import Encoder

NEAREST = 5
_CHUNK = 1000


@dataclass(frozen=True, kw_only=True)
class Sides:
    """Where each box belongs.

    strangers: box id -> split, of the boxes that nobody named and that could teach something.
    """

    dataset: str
    strangers: dict[int, str] = field(default_factory=dict)

    def split_of(self, box: Box) -> str:
        if box.identity is not None:
            return box.identity.split or samples.split_of(self.dataset, box.identity.key)
        return self.strangers.get(box.pk, "")

    @property
    def counts(self) -> dict[str, int]:
        """How many boxes that nobody named went where."""
        return dict(sorted(Counter(self.strangers.values()).items()))


def of(dataset: Dataset, judged: Collection[int] = ()) -> Sides:
    """The sides of a dataset's boxes; `judged` are those of which reviewers said something."""
    shown = Box.objects.filter(image__dataset=dataset).exclude(review=Review.HIDDEN)
    nameless = shown.filter(identity=None)
    told = set(nameless.filter(captions__isnull=False).values_list("pk", flat=True))
    told |= set(nameless.filter(pk__in=judged).values_list("pk", flat=True))
    encoder = _encoder(dataset)
    if not told or encoder is None:
        return Sides(dataset=dataset.name, strangers=dict.fromkeys(told, WITHHELD))
    named = {
        pk: split or samples.split_of(dataset.name, key)
        for pk, key, split in shown.exclude(identity=None).values_list(
            "pk", "identity__key", "identity__split"
        )
    }
    strangers = dict.fromkeys(told, WITHHELD)
    known, vectors = _vectors(encoder, named)
    if _sees_whole_test(dataset, set(known)):
        splits = np.array([named[pk] for pk in known])
        strangers |= _by_neighbours(encoder, sorted(told), vectors, splits)
    return Sides(dataset=dataset.name, strangers=strangers)


def _by_neighbours(
    encoder: Encoder, boxes: list[int], vectors: np.ndarray, splits: np.ndarray
) -> dict[int, str]:
    """The splits of boxes that have a vector, by those nearest to them."""
    found = {}
    for first in range(0, len(boxes), _CHUNK):
        some, theirs = _vectors(encoder, boxes[first : first + _CHUNK])
        if not some or not len(splits):
            # Nobody is named, so nobody is tested.
            found |= dict.fromkeys(some, samples.TRAIN)
            continue
        cosines = theirs @ vectors.T
        best = np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST]
        for box, near in zip(some, splits[best], strict=True):
            found[box] = WITHHELD if samples.TEST in near else str(near[0])
    return found


def _sees_whole_test(dataset: Dataset, known: set[int]) -> bool:
    """Whether every person of the test has a vector to be compared with."""
    tested: dict[str, bool] = {}
    rows = Box.objects.filter(image__dataset=dataset).exclude(review=Review.HIDDEN)
    for pk, key, split in rows.exclude(identity=None).values_list(
        "pk", "identity__key", "identity__split"
    ):
        if (split or samples.split_of(dataset.name, key)) == samples.TEST:
            tested[key] = tested.get(key, False) or pk in known
    return all(tested.values())


def _vectors(encoder: Encoder, boxes: Collection[int]) -> tuple[list[int], np.ndarray]:
    """Those of the boxes that have a vector, and their unit vectors (N, dim)."""
    wanted = sorted(boxes)
    kept: list[int] = []
    rows: list[np.ndarray] = []
    for first in range(0, len(wanted), _CHUNK):
        stored = Embedding.objects.filter(
            encoder_id=encoder.pk, box_id__in=wanted[first : first + _CHUNK]
        )
        for box, vector in stored.order_by("box_id").values_list("box_id", "vector"):
            kept.append(box)
            rows.append(np.asarray(vector, np.float32))
    if not rows:
        return [], np.zeros((0, encoder.dim), np.float32)
    found = np.stack(rows)
    return kept, found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)


def _encoder(dataset: Dataset) -> Encoder | None:
    """That of the version that answers, whose vectors are kept complete."""
    for kind in (QueryKind.TEXT, QueryKind.PICTURE):
        try:
            return serving.current(kind, dataset.kind).image_encoder
        except NothingServes:
            continue
    return None
