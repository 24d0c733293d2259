"""People by words, by a picture, or by another box: one page of hits at a time, best first."""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gallery import crops
from gallery.errors import UnknownBox
from gallery.models import Box, Review
from search import counts, encoders, nearest, scope, serving
from search.coverage import Gaps
from search.cursors import Cursor
from search.errors import (
    BadLimit,
    BlankQuery,
    ImageOnlyVersion,
    QueryTooLong,
    StaleCursor,
    TooDeep,
    UnknownMode,
    UnreadableQuery,
)
from search.models import Embedding, Mode, QueryKind
from search.nearest import Ranked
from search.scope import Filters, Scope
from training import versions
from training.models import Encoder, ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

__all__ = ["Filters", "Hit", "Page", "by_box", "by_image", "by_text"]

MAX_TEXT = 500
# Longer than any text that normalizes to MAX_TEXT characters for a good reason.
MAX_RAW_TEXT = 20 * MAX_TEXT
MAX_HITS = 1000


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One box found; `box` has image, camera, dataset and identity loaded."""

    rank: int  # from 1, over all pages
    score: float  # cosine, -1 to 1
    box: Box


@dataclass(frozen=True, kw_only=True)
class Page:
    """Hits, and what they were found among."""

    version: str
    searched: int  # boxes compared: visible to the user, inside the filters, with a vector
    gaps: Gaps  # boxes visible and inside the filters that have no vector
    hits: list[Hit]
    cursor: str | None  # brings the next page; None after the last
    mode: str = Mode.FAST  # what was asked for
    is_exact: bool = True  # every one of them was compared

    @property
    def waiting(self) -> int:
        """Boxes without a vector that nobody has tried to enroll."""
        return self.gaps.waiting

    @property
    def boxes(self) -> int:
        """All that could have been searched, had everything a vector."""
        return self.searched + self.gaps.missing


@dataclass(frozen=True, kw_only=True)
class _Search:
    """A question with everything that answering it needs."""

    scope: Scope
    version: ModelVersion
    question: str
    limit: int
    cursor: Cursor | None
    mode: str
    without: int | None = None

    @property
    def encoder(self) -> Encoder:
        return self.version.image_encoder


def by_text(
    text: str,
    *,
    user: "User | None",
    filters: Filters = Filters(),  # noqa: B008 (frozen)
    version: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
    mode: str = Mode.FAST,
) -> Page:
    """The boxes that fit a description, in any language that the version's text encoder reads.

    Args:
        user: whose grants decide what is searched; None is the command line, which sees all.
        version: name of a version to use instead of the one that serves text queries.
        limit: hits on this page, 1 to MAX_HITS.
        cursor: of the page before, with the same text and filters.
        mode: of `Mode`: how much work the search is worth where the gallery is large.

    Raises:
        BlankQuery, QueryTooLong, UnreadableQuery: the text cannot be searched for.
        ImageOnlyVersion, UnknownVersion, NothingServes: no version can answer.
        UnknownDataset, UnknownCamera, MixedKinds: the filters name something else than exists.
        BadLimit, UnknownMode, StaleCursor, TooDeep: the page cannot be given.
    """
    words = normalized(text)
    search = _prepare(QueryKind.TEXT, words, user, filters, version, limit, cursor, mode)
    if search.version.is_image_only:
        raise ImageOnlyVersion(search.version.name)
    return _page(search, encoders.encode_text(search.version, words))


def by_image(
    crop: np.ndarray,
    *,
    user: "User | None",
    filters: Filters = Filters(),  # noqa: B008
    version: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
    mode: str = Mode.FAST,
) -> Page:
    """The boxes that look like a crop, uint8 (h, w, 3) in RGB; else as `by_text`."""
    shown = [list(crop.shape), hashlib.sha256(np.ascontiguousarray(crop)).hexdigest()]
    search = _prepare(QueryKind.PICTURE, shown, user, filters, version, limit, cursor, mode)
    return _page(search, encoders.encode_crops(search.version, [crop])[0])


def by_box(
    box_id: int,
    *,
    user: "User | None",
    filters: Filters = Filters(),  # noqa: B008
    version: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
    mode: str = Mode.FAST,
) -> Page:
    """The boxes that look like another box, which is left out of the hits; else as `by_text`.

    Raises:
        UnknownBox: there is none, it is hidden, or the user may not see it.
        BadImage: it has no vector yet and its picture does not decode.
    """
    boxes = Box.objects.all() if user is None else Box.objects.visible_to(user)
    box = boxes.exclude(review=Review.HIDDEN).with_context().filter(pk=box_id).first()
    if box is None:
        raise UnknownBox(box_id)
    search = _prepare(
        QueryKind.PICTURE, box.pk, user, filters, version, limit, cursor, mode, box.pk
    )
    return _page(search, _vector_of(box, search.version))


def normalized(text: str) -> str:
    """The text as it is encoded: NFKC, runs of white space one space each.

    Raises:
        BlankQuery, QueryTooLong, UnreadableQuery
    """
    if len(text) > MAX_RAW_TEXT:
        raise QueryTooLong(len(text), MAX_TEXT)
    words = " ".join(unicodedata.normalize("NFKC", text).split())
    if not words:
        raise BlankQuery
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in words):
        raise UnreadableQuery
    if len(words) > MAX_TEXT:
        raise QueryTooLong(len(words), MAX_TEXT)
    return words


def _prepare(
    kind: str,
    query: Any,
    user: "User | None",
    filters: Filters,
    version: str | None,
    limit: int,
    cursor: str | None,
    mode: str,
    without: int | None = None,
) -> _Search:
    if mode not in Mode.values:
        raise UnknownMode(mode)
    if not 1 <= limit <= MAX_HITS:
        raise BadLimit(limit, MAX_HITS)
    inside = scope.resolve(filters, user)
    question = _fingerprint([kind, query, filters.key()])
    after = Cursor.read(cursor, question) if cursor else None
    if after is not None and after.shown >= MAX_HITS:
        raise TooDeep(MAX_HITS)
    return _Search(
        scope=inside,
        version=_version(kind, inside.kind, version, after),
        question=question,
        limit=min(limit, MAX_HITS - (after.shown if after else 0)),
        cursor=after,
        mode=mode,
        without=without,
    )


def _version(
    query_kind: str, dataset_kind: str, name: str | None, cursor: Cursor | None
) -> ModelVersion:
    """The version named, or the one that serves. Pages go on with the version they began with,
    also after another began to serve.
    """
    if cursor is not None:
        begun = ModelVersion.objects.with_towers().filter(pk=cursor.version_id).first()
        if begun is None or (name is not None and name != begun.name):
            raise StaleCursor
        return begun
    if name is None:
        return serving.current(query_kind, dataset_kind)
    return versions.get(name)


def _vector_of(box: Box, version: ModelVersion) -> np.ndarray:
    stored = Embedding.objects.filter(encoder_id=version.image_encoder_id, box=box).first()
    if stored is not None:
        return np.asarray(stored.vector, dtype=np.float32)
    return encoders.encode_crops(version, [crops.load(box)])[0]


def _page(search: _Search, query: np.ndarray) -> Page:
    lately = counts.kept(search.scope, search.encoder)
    ranking = nearest.rank(
        search.scope,
        search.encoder,
        query,
        # One more than asked tells whether there is a next page.
        search.limit + 1,
        mode=search.mode,
        after=search.cursor,
        without=() if search.without is None else [search.without],
        left=lately.searched if lately else None,
    )
    counted = lately or counts.count(search.scope, search.encoder)
    shown = search.cursor.shown if search.cursor else 0
    page, more = ranking.rows[: search.limit], len(ranking.rows) > search.limit
    return Page(
        version=search.version.name,
        searched=counted.searched,
        gaps=counted.gaps,
        hits=_hits(page, shown),
        cursor=str(_cursor(search, page, shown)) if more else None,
        mode=search.mode,
        is_exact=ranking.is_exact,
    )


def _hits(page: Ranked, shown: int) -> list[Hit]:
    boxes = Box.objects.with_context().in_bulk([box_id for _, box_id in page])
    return [
        Hit(rank=rank, score=1 - distance, box=boxes[box_id])
        for rank, (distance, box_id) in enumerate(page, start=shown + 1)
        if box_id in boxes  # deleted since
    ]


def _cursor(search: _Search, page: Ranked, shown: int) -> Cursor:
    distance, box_id = page[-1]
    return Cursor(
        version_id=search.version.pk,
        question=search.question,
        distance=distance,
        box_id=box_id,
        shown=shown + len(page),
    )


def _fingerprint(question: list[Any]) -> str:
    text = json.dumps(question, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
