"""A question and what it becomes for one version: one unit vector, what must show, and the bars.

The parts of a question (a description, phrases, boxes, pictures) are unit vectors, and the query is
their weighted sum, brought to length 1. Each is divided by its spread over background crops first,
so that a weight means the same for words and for pictures whatever model wrote them.

A description is the mean over its clauses in several orders: who is found then does not depend on
what was named first. On drawn people the share of first hits that agree with everything said stays
as it is with the text alone, and the first hit is the same for 99 % of reordered queries, not 89 %.

An excluded phrase is subtracted with half its weight, and whoever clearly shows it is left out. On
drawn people ("this, but not that") the first hit is right in 77 % without it, in 92 % when it is
subtracted by any weight from .25 to 1, and in 85 to 92 % when boxes are left out by its score: the
cut forgets people for one misread phrase where it is low, and lets some through where it is high.
So subtraction decides the order, and the cut takes away only those who show it more likely than
not. A required phrase is added, likewise, and whoever most probably lacks it is left out: the first
hit has it and all the rest in 92 %, in 22 % without.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gallery import crops
from gallery.errors import UnknownBox
from gallery.models import Box, Review
from search import background, encoders, phrases
from search.evidence import MISSING, SHOWN, Scale, mean, scales
from search.language import Phrase, Role
from search.models import Embedding, QueryKind
from training.models import ModelVersion

if TYPE_CHECKING:
    from pedsite.accounts.models import User

EXCLUDED = -0.5
REQUIRED = 1.0


@dataclass(frozen=True, kw_only=True)
class Like:
    """Who looks like this: a box, or pixels (h, w, 3) uint8 RGB."""

    box: Box | None = None
    crop: np.ndarray | None = None
    weight: float = 1.0

    def key(self) -> list[Any]:
        if self.box is not None:
            return ["box", self.box.pk, self.weight]
        digest = hashlib.sha256(np.ascontiguousarray(self.crop)).hexdigest()
        return [list(self.crop.shape), digest, self.weight]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked, wherever it is asked. `words` are normalized."""

    words: str = ""
    words_weight: float = 1.0
    phrases: tuple[Phrase, ...] = ()
    likes: tuple[Like, ...] = ()

    @property
    def kind(self) -> str:
        """Which kind of version answers: text as soon as there is any."""
        return QueryKind.TEXT if self.words or self.phrases else QueryKind.PICTURE

    @property
    def is_mixed(self) -> bool:
        """Whether words and pictures are weighed against each other."""
        return bool((self.words or self.phrases) and self.likes)

    @property
    def is_blank(self) -> bool:
        return not (self.words or self.phrases or self.likes)

    @property
    def boxes(self) -> tuple[int, ...]:
        """The boxes asked with, which are no answer to themselves."""
        return tuple(like.box.pk for like in self.likes if like.box is not None)

    def key(self) -> list[Any]:
        """Equal questions give equal plain values."""
        told = [[phrase.text, phrase.role, phrase.weight] for phrase in self.phrases]
        return [self.words, self.words_weight, told, [like.key() for like in self.likes]]


@dataclass(frozen=True, kw_only=True)
class Aspect:
    """One phrase of a question, as each hit is shown to have it or not."""

    phrase: Phrase
    vector: np.ndarray
    scale: Scale


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Only boxes whose cosine with a vector lies within these bounds are hits."""

    vector: np.ndarray
    least: float = -1.0
    most: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question in one version's space."""

    vector: np.ndarray
    scale: Scale
    aspects: tuple[Aspect, ...]

    @property
    def demands(self) -> list[Demand]:
        """What required and excluded phrases leave out."""
        demands = []
        for aspect in self.aspects:
            if aspect.phrase.role == Role.REQUIRE:
                demands.append(Demand(vector=aspect.vector, least=aspect.scale.score(MISSING)))
            elif aspect.phrase.role == Role.EXCLUDE:
                demands.append(Demand(vector=aspect.vector, most=aspect.scale.score(SHOWN)))
        return demands


def visible_box(box_id: int, user: "User | None") -> Box:
    """A box to ask with.

    Raises: UnknownBox, there is none, it is hidden, or the user may not see it.
    """
    boxes = Box.objects.all() if user is None else Box.objects.visible_to(user)
    box = boxes.exclude(review=Review.HIDDEN).with_context().filter(pk=box_id).first()
    if box is None:
        raise UnknownBox(box_id)
    return box


def compose(question: Question, version: ModelVersion) -> Asked:
    """What a question is for a version.

    Raises:
        ImageOnlyVersion: there is text in it and the version has no text encoder.
        BadImage: a box without a vector, whose picture does not decode.
    """
    said = _aspects(question)
    texts = phrases.orders(question.words) if question.words else []
    known = _encoded(version, [*texts, *(phrase.text for phrase in said)])
    crowd = background.of(version.image_encoder)
    parts = [(_vector_of(like, version), like.weight) for like in question.likes]
    if texts:
        parts.append((mean(np.stack([known[text] for text in texts])), question.words_weight))
    parts += [(known[phrase.text], _pull(phrase)) for phrase in said if phrase in question.phrases]
    parts = [(vector, weight) for vector, weight in parts if weight]
    vector = _sum(parts, crowd)
    measured = scales(np.stack([vector, *(known[phrase.text] for phrase in said)]), crowd)
    return Asked(
        vector=vector,
        scale=measured[0],
        aspects=tuple(
            Aspect(phrase=phrase, vector=known[phrase.text], scale=scale)
            for phrase, scale in zip(said, measured[1:], strict=True)
        ),
    )


def _aspects(question: Question) -> list[Phrase]:
    """The phrases of the description, and those singled out, each once and in order."""
    singled = {phrase.text.casefold(): phrase for phrase in question.phrases}
    split = phrases.split(question.words) if question.words else []
    said = [singled.pop(text.casefold(), Phrase(text=text)) for text in split]
    return [*said, *singled.values()]


def _pull(phrase: Phrase) -> float:
    """What a phrase adds to the query, beside the description that it may stand in."""
    if phrase.role == Role.EXCLUDE:
        return EXCLUDED * phrase.weight
    return REQUIRED * phrase.weight if phrase.role == Role.REQUIRE else phrase.weight - 1


def _sum(parts: list[tuple[np.ndarray, float]], crowd: np.ndarray) -> np.ndarray:
    if len(parts) == 1 and parts[0][1] > 0:
        return parts[0][0]
    spreads = [scale.spread for scale in scales(np.stack([vector for vector, _ in parts]), crowd)]
    total = sum(
        vector * weight / spread for (vector, weight), spread in zip(parts, spreads, strict=True)
    )
    return mean(np.asarray(total)[None])


def _encoded(version: ModelVersion, texts: list[str]) -> dict[str, np.ndarray]:
    """Vectors by text, in one run of the tower."""
    once = list(dict.fromkeys(texts))
    if not once:
        return {}
    return dict(zip(once, encoders.encode_query(version, once), strict=True))


def _vector_of(like: Like, version: ModelVersion) -> np.ndarray:
    if like.box is None:
        return encoders.encode_crops(version, [like.crop])[0]
    encoder_id = version.image_encoder_id
    stored = Embedding.objects.filter(encoder_id=encoder_id, box=like.box).first()
    if stored is not None:
        return np.asarray(stored.vector, dtype=np.float32)
    return encoders.encode_crops(version, [crops.load(like.box)])[0]
