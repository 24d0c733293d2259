"""People by words, pictures, other boxes, or any mix: one page of hits at a time, best first."""

import hashlib
import json
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import OuterRef, Subquery

from gallery.models import Box
from search import calibration, counts, denials, nearest, questions, records, scope, serving
from search.calibration import Confidence
from search.coverage import Gaps
from search.cursors import Cursor
from search.errors import (
    BadLimit,
    BlankQuery,
    QueryTooLong,
    StaleCursor,
    TooDeep,
    UnknownMode,
    UnreadableQuery,
)
from search.evidence import MISSING, SHOWN
from search.language import Phrase
from search.models import Embedding, Mode
from search.nearest import Ranked
from search.querysets import read_vector
from search.questions import Asked, Like, Question
from search.scope import Filters, Scope
from training import versions
from training.models import Encoder, ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

__all__ = ["Filters", "Hit", "Page", "Question", "ask", "by_box", "by_image", "by_text"]

MAX_TEXT = 500
# Longer than any text that normalizes to MAX_TEXT characters for a good reason.
MAX_RAW_TEXT = 20 * MAX_TEXT
MAX_HITS = 1000


@dataclass(frozen=True, kw_only=True)
class Bar:
    """How much one hit shows one phrase of the question."""

    phrase: Phrase
    score: float  # cosine of phrase and box
    share: float  # from 0 to 1: where the score lies among those of the background

    @property
    def verdict(self) -> str:
        """ "yes", "no", or "unclear" between the two."""
        if self.share >= SHOWN:
            return "yes"
        return "no" if self.share < MISSING else "unclear"

    @property
    def percent(self) -> int:
        return round(100 * self.share)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One box found; `box` has image, camera, dataset and identity loaded."""

    rank: int  # from 1, over all pages
    score: float  # cosine, -1 to 1
    box: Box
    bars: tuple[Bar, ...] = ()  # one for each phrase, in the question's order
    # Of boxes that do not fit, the share that scores as much; None without a calibration.
    false_accepts: float | None = None


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
    phrases: tuple[Phrase, ...] = ()  # that the question was taken apart into
    # None: the version was never calibrated, or the question is mixed or denies something.
    confidence: Confidence | None = None
    is_mixed: bool = False  # words and pictures were weighed against each other
    is_denied: bool = False  # words say what somebody does not have

    @property
    def waiting(self) -> int:
        """Boxes without a vector that nobody has tried to enroll."""
        return self.gaps.waiting

    @property
    def boxes(self) -> int:
        """All that could have been searched, had everything a vector."""
        return self.searched + self.gaps.missing

    @property
    def is_last_shown(self) -> bool:
        """Whether more hits are shown to nobody, however many there are."""
        return self.cursor is not None and self.hits[-1].rank >= MAX_HITS

    def sure(self, rate: float) -> int:
        """How many of the hits, best first, are at this false-accept rate or below it."""
        rates = [hit.false_accepts for hit in self.hits]
        return sum(each is not None and each <= rate * (1 + 1e-9) for each in rates)

    def expected(self, rate: float) -> float:
        """How many of the boxes searched would be accepted wrongly at a false-accept rate."""
        return rate * self.searched


@dataclass(frozen=True, kw_only=True)
class _Search:
    """A question with everything that answering it needs."""

    scope: Scope
    version: ModelVersion
    asked: Asked
    confidence: Confidence | None
    is_mixed: bool
    is_denied: bool
    question: str
    limit: int
    cursor: Cursor | None
    mode: str
    without: tuple[int, ...] = ()

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
    return ask(
        Question(words=normalized(text)),
        user=user,
        filters=filters,
        version=version,
        limit=limit,
        cursor=cursor,
        mode=mode,
    )


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
    return ask(
        Question(likes=(Like(crop=crop),)),
        user=user,
        filters=filters,
        version=version,
        limit=limit,
        cursor=cursor,
        mode=mode,
    )


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
    return ask(
        Question(likes=(Like(box=questions.visible_box(box_id, user)),)),
        user=user,
        filters=filters,
        version=version,
        limit=limit,
        cursor=cursor,
        mode=mode,
    )


def ask(
    question: Question,
    *,
    user: "User | None",
    filters: Filters = Filters(),  # noqa: B008
    version: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
    mode: str = Mode.FAST,
    purpose: str = "",
) -> Page:
    """The boxes that fit everything asked, those asked with left out; else as `by_text`.

    The audit log is told of it before the caller is.

    Args:
        purpose: the reason or the case that it is asked for.

    Raises:
        PurposeNeeded: the site demands one.
        BlankQuery: nothing is asked.
        BadImage: a box without a vector, whose picture does not decode.
    """
    if question.is_blank:
        raise BlankQuery(is_narrowed=filters.narrow)
    purpose = records.demand(purpose)
    if mode not in Mode.values:
        raise UnknownMode(mode)
    if not 1 <= limit <= MAX_HITS:
        raise BadLimit(limit, MAX_HITS)
    inside = scope.resolve(filters, user)
    fingerprint = _fingerprint([question.kind, question.key(), filters.key()])
    after = Cursor.read(cursor, fingerprint) if cursor else None
    if after is not None and after.shown >= MAX_HITS:
        raise TooDeep(MAX_HITS)
    chosen = _version(question.kind, inside.kind, version, after)
    asked = questions.compose(question, chosen)
    # How often a stranger fits words and a picture at once was never measured, and a model may not
    # hear a "without" at all.
    is_denied = bool(denials.find(question.words))
    is_unmeasured = question.is_mixed or is_denied
    reading = None if is_unmeasured else calibration.reading(chosen, question.kind)
    search = _Search(
        scope=inside,
        version=chosen,
        asked=asked,
        confidence=Confidence(asked.scale, *reading) if reading else None,
        is_mixed=question.is_mixed,
        is_denied=is_denied,
        question=fingerprint,
        limit=min(limit, MAX_HITS - (after.shown if after else 0)),
        cursor=after,
        mode=mode,
        without=question.boxes,
    )
    page = _page(search)
    records.search(question, filters, page, user, purpose)
    return page


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
    if not any(character.isalnum() for character in words):
        raise UnreadableQuery
    if len(words) > MAX_TEXT:
        raise QueryTooLong(len(words), MAX_TEXT)
    return words


def _version(
    query_kind: str, dataset_kind: str, name: str | None, cursor: Cursor | None
) -> ModelVersion:
    """The version named, or the one that serves. Pages go on with the version they began with,
    also after another began to serve.
    """
    if cursor is not None:
        begun = serving.version(cursor.version_id)
        if begun is None or (name is not None and name != begun.name):
            raise StaleCursor
        return begun
    if name is None:
        return serving.current(query_kind, dataset_kind)
    return versions.get(name)


def _page(search: _Search) -> Page:
    lately = counts.kept(search.scope, search.encoder)
    ranking = nearest.rank(
        search.scope,
        search.encoder,
        search.asked.vector,
        # One more than asked tells whether there is a next page.
        search.limit + 1,
        mode=search.mode,
        after=search.cursor,
        without=search.without,
        demands=search.asked.demands,
        left=lately.searched if lately else None,
    )
    counted = lately or counts.count(search.scope, search.encoder)
    shown = search.cursor.shown if search.cursor else 0
    page, more = ranking.rows[: search.limit], len(ranking.rows) > search.limit
    return Page(
        version=search.version.name,
        searched=counted.searched,
        gaps=counted.gaps,
        hits=_hits(search, page, shown),
        cursor=str(_cursor(search, page, shown)) if more else None,
        mode=search.mode,
        is_exact=ranking.is_exact,
        phrases=tuple(aspect.phrase for aspect in search.asked.aspects),
        confidence=search.confidence,
        is_mixed=search.is_mixed,
        is_denied=search.is_denied,
    )


def _hits(search: _Search, page: Ranked, shown: int) -> list[Hit]:
    ids = [box_id for _, box_id in page]
    stored = Embedding.objects.filter(encoder_id=search.encoder.pk, box_id=OuterRef("pk"))
    # In the same query: a round trip of its own takes as long as reading them.
    vector = Subquery(stored.with_bytes().values("vector_bytes"))
    boxes = Box.objects.with_context().annotate(vector_bytes=vector).in_bulk(ids)
    bars = _bars(search, boxes)
    sure = search.confidence
    return [
        Hit(
            rank=rank,
            score=1 - distance,
            box=boxes[box_id],
            bars=bars.get(box_id, ()),
            false_accepts=sure.rate(1 - distance) if sure else None,
        )
        for rank, (distance, box_id) in enumerate(page, start=shown + 1)
        if box_id in boxes  # deleted since
    ]


def _bars(search: _Search, boxes: dict[int, Box]) -> dict[int, tuple[Bar, ...]]:
    aspects = search.asked.aspects
    sent = {pk: box.vector_bytes for pk, box in boxes.items() if box.vector_bytes is not None}
    if not aspects or not sent:
        return {}
    vectors = {pk: read_vector(each) for pk, each in sent.items()}
    rows = np.stack(list(vectors.values()))
    rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    scores = rows @ np.stack([aspect.vector for aspect in aspects]).T
    return {
        box_id: tuple(
            Bar(phrase=aspect.phrase, score=float(score), share=aspect.scale.share(float(score)))
            for aspect, score in zip(aspects, row, strict=True)
        )
        for box_id, row in zip(vectors, scores, strict=True)
    }


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
