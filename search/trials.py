"""What an inspection searches and asks, read from the gallery and the vectors of a version."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _

from gallery.models import Caption
from search.errors import BadInspection
from search.methods import Trial
from search.models import Embedding, Inspection, QueryKind
from search.questions import Question, compose
from training.ml import ranking

# Vectors looked at: of a larger dataset, a part drawn by chance stands for all of it.
MOST = 200_000
# Codes learn 256 of each piece, from those that do not ask.
LEAST = 300
# One picture in so many asks where all that ask are held out, as the GeM system validates.
RATIO = 7
_CHUNK = 2000

Beat = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A trial with the gallery's names for what is in it.

    boxes: (N,) of what is searched. asking: (Q,) boxes that ask, or that the texts are about.
    texts: (Q,), "" where a box asks. known: (Q,) identities, 0 where nobody knows.
    is_whole: all vectors of the dataset are searched.
    """

    trial: Trial
    boxes: np.ndarray
    asking: np.ndarray
    texts: list[str]
    known: np.ndarray
    is_whole: bool


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Vectors (N, D) with box, identity and camera of each (N,), -1 for none."""

    boxes: np.ndarray
    people: np.ndarray
    cameras: np.ndarray
    vectors: np.ndarray
    is_whole: bool


def draw(inspection: Inspection, beat: Beat = lambda: None) -> Drawn:
    """The trial that an inspection asks for; the same as long as the gallery stays.

    Raises: BadInspection, there are too few vectors, or nothing can be asked that way.
    """
    rng = np.random.default_rng(inspection.options["seed"])
    rows = _rows(inspection, rng, beat)
    if inspection.asked_with == QueryKind.TEXT:
        return _by_texts(inspection, rows, rng, beat)
    if inspection.protocol == Inspection.Protocol.HELD_OUT:
        return _held_out(inspection, rows, rng)
    return _by_boxes(inspection, rows, rng)


def _rows(inspection: Inspection, rng: np.random.Generator, beat: Beat) -> _Rows:
    encoder = inspection.version.image_encoder
    stored = Embedding.objects.filter(encoder_id=encoder.pk, dataset=inspection.dataset)
    boxes = np.array(stored.findable().order_by("box_id").values_list("box_id", flat=True))
    is_whole = len(boxes) <= MOST
    if not is_whole:
        boxes = np.sort(rng.choice(boxes, MOST, replace=False))
    if len(boxes) < LEAST:
        raise BadInspection(
            _("“%(dataset)s” has %(n)d vectors of %(version)s; at least %(least)d are needed.")
            % {
                "dataset": inspection.dataset.name,
                "n": len(boxes),
                "version": inspection.version.name,
                "least": LEAST,
            }
        )
    about = np.full((len(boxes), 3), -1, dtype=np.int64)
    vectors = np.empty((len(boxes), encoder.dim), dtype=np.float32)
    at = 0
    for first in range(0, len(boxes), _CHUNK):
        some = stored.filter(box_id__in=boxes[first : first + _CHUNK].tolist()).order_by("box_id")
        for box, person, camera, vector in some.values_list(
            "box_id", "box__identity_id", "camera_id", "vector"
        ):
            about[at] = box, person or -1, camera or -1
            vectors[at] = vector
            at += 1
        beat()
    # Boxes that went meanwhile left the end empty.
    return _Rows(
        boxes=about[:at, 0],
        people=about[:at, 1],
        cameras=about[:at, 2],
        vectors=vectors[:at],
        is_whole=is_whole,
    )


def _by_boxes(inspection: Inspection, rows: _Rows, rng: np.random.Generator) -> Drawn:
    """Boxes ask that have somebody to find; any, where nobody is known twice."""
    apart = inspection.protocol == Inspection.Protocol.OTHER_CAMERAS
    sighted = rows.people if not apart else _seen_by_two(rows)
    _who, numbers, counts = np.unique(sighted, return_inverse=True, return_counts=True)
    askable = np.flatnonzero((sighted >= 0) & (counts[numbers] > 1))
    if apart and not len(askable):
        raise BadInspection(_("Nobody in “%s” is known to two cameras.") % inspection.dataset.name)
    askable = askable if len(askable) else np.arange(len(rows.boxes))
    return _asked_by_rows(inspection, rows, _some(inspection, askable, rng))


def _held_out(inspection: Inspection, rows: _Rows, rng: np.random.Generator) -> Drawn:
    """As the GeM system validates: of each class one in seven asks, and none of these is found."""
    known = np.flatnonzero(rows.people >= 0)
    asking, masked = ranking.held_out(
        rows.people[known], RATIO, inspection.options["smallest_class"]
    )
    if not asking.any() or (~masked).sum() < LEAST:
        raise BadInspection(
            _("“%s” has too few boxes of each class to hold some of them out.")
            % inspection.dataset.name
        )
    chosen = _some(inspection, known[asking], rng)
    there = np.ones(len(rows.boxes), dtype=bool)
    there[known[masked]] = False
    searched = _Rows(
        boxes=rows.boxes[there],
        people=rows.people[there],
        cameras=rows.cameras[there],
        vectors=rows.vectors[there],
        is_whole=rows.is_whole,
    )
    return _drawn(
        inspection,
        searched,
        queries=rows.vectors[chosen],
        people=rows.people[chosen],
        cameras=rows.cameras[chosen],
        own=np.full(len(chosen), -1),
        asking=rows.boxes[chosen],
        texts=[""] * len(chosen),
    )


def _by_texts(inspection: Inspection, rows: _Rows, rng: np.random.Generator, beat: Beat) -> Drawn:
    """Captions ask; right is whom they were said of, or else the very box."""
    captions = Caption.objects.filter(
        box__image__dataset=inspection.dataset, kind=Caption.Kind.CAPTION
    ).stated()
    if inspection.options["language"]:
        captions = captions.filter(language=inspection.options["language"])
    said = np.array(captions.order_by("pk").values_list("pk", "box_id"), dtype=np.int64)
    said = said[np.isin(said[:, 1], rows.boxes)] if len(said) else said
    if not len(said):
        raise BadInspection(
            _("No enrolled box of “%s” has a caption to ask with.") % inspection.dataset.name
        )
    chosen = said[_some(inspection, np.arange(len(said)), rng)]
    words = dict(captions.filter(pk__in=chosen[:, 0].tolist()).values_list("pk", "text"))
    texts = [words[pk] for pk in chosen[:, 0].tolist()]
    vectors = []
    for text in texts:
        # As a search asks it.
        vectors.append(compose(Question(words=text), inspection.version).vector)
        beat()
    at = np.searchsorted(rows.boxes, chosen[:, 1])
    # Who has no identity is somebody of their own.
    alone = rows.people.max(initial=0) + 1 + np.arange(len(rows.boxes))
    people = np.where(rows.people >= 0, rows.people, alone)
    return _drawn(
        inspection,
        _Rows(
            boxes=rows.boxes,
            people=people,
            cameras=rows.cameras,
            vectors=rows.vectors,
            is_whole=rows.is_whole,
        ),
        queries=np.stack(vectors).astype(np.float32),
        people=people[at],
        cameras=np.full(len(at), -1),
        own=np.full(len(at), -1),
        asking=chosen[:, 1],
        texts=texts,
        known=rows.people[at],
    )


def _asked_by_rows(inspection: Inspection, rows: _Rows, chosen: np.ndarray) -> Drawn:
    return _drawn(
        inspection,
        rows,
        queries=rows.vectors[chosen],
        people=rows.people[chosen],
        cameras=rows.cameras[chosen],
        own=chosen,
        asking=rows.boxes[chosen],
        texts=[""] * len(chosen),
    )


def _drawn(
    inspection: Inspection,
    rows: _Rows,
    *,
    queries: np.ndarray,
    people: np.ndarray,
    cameras: np.ndarray,
    own: np.ndarray,
    asking: np.ndarray,
    texts: list[str],
    known: np.ndarray | None = None,
) -> Drawn:
    trial = Trial(
        vectors=rows.vectors,
        people=rows.people,
        cameras=rows.cameras,
        queries=queries,
        query_people=people,
        query_cameras=cameras,
        own=own,
        other_cameras=inspection.protocol == Inspection.Protocol.OTHER_CAMERAS,
        top=inspection.options["top"],
        reranked=inspection.options["reranked"],
    )
    return Drawn(
        trial=trial,
        boxes=rows.boxes,
        asking=asking,
        texts=texts,
        known=np.maximum(people if known is None else known, 0),
        is_whole=rows.is_whole,
    )


def _some(inspection: Inspection, places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    count = min(inspection.options["queries"], len(places))
    return np.sort(rng.choice(places, count, replace=False))


def _seen_by_two(rows: _Rows) -> np.ndarray:
    """People (N,), but -1 where nobody else than one camera ever saw them."""
    known = (rows.people >= 0) & (rows.cameras >= 0)
    pairs = np.unique(np.stack([rows.people, rows.cameras])[:, known], axis=1)
    who, cameras = np.unique(pairs[0], return_counts=True)
    return np.where(known & np.isin(rows.people, who[cameras > 1]), rows.people, -1)
