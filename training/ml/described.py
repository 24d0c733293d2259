"""Crops with texts of several kinds and languages, and what a teacher says of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from training.ml.data import (
    ATTRIBUTES,
    CAPTION,
    CHINESE,
    ENGLISH,
    PROMPT,
    Batch,
    Flags,
    Pixels,
    Probe,
    Rows,
    Vectors,
)

# What an attribute is called that nobody could see.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Description:
    """A text about one crop: kind CAPTION, ATTRIBUTES or PROMPT, language ENGLISH or CHINESE."""

    text: str
    kind: int = CAPTION
    language: int = ENGLISH


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A teacher's unit vectors and where they are.

    images: (M, E); image_rows: (N,) the row in it of each crop, -1 where there is none.
    texts: (K, E); text_rows: for each crop the row of each of its descriptions, -1 likewise.
    """

    images: Vectors
    image_rows: Rows
    texts: Vectors
    text_rows: list[Rows] = field(default_factory=list)

    @property
    def dim(self) -> int:
        return int(self.images.shape[1])


class DescribedCrops:
    """Crops, who is in each, their descriptions, and a teacher's vectors of both.

    Args:
        pixels: (N, H, W, 3); (N, 0, 0, 3) where only texts are learned.
        people: (N,) numbers; equal numbers are one person.
        kinds: of the descriptions that a batch has, beside a caption for each crop.
        bilingual: a batch has an English text and its Chinese fellow for each row, and nothing
            else: the k-th Chinese caption is that of the k-th English one. Rows without either
            language have what there is.
        target: of a Chinese text with an English fellow: the teacher's vector of that one
            (`english`), or of itself (`own`).

    Raises: ValueError, lengths differ, or a crop has no description.
    """

    fields: ClassVar[list[slice]] = []

    def __init__(
        self,
        pixels: Pixels,
        people: Rows,
        descriptions: Sequence[Sequence[Description]],
        lesson: Lesson,
        *,
        kinds: Sequence[int] = (ATTRIBUTES, PROMPT),
        bilingual: bool = False,
        target: str = "english",
    ) -> None:
        if not len(pixels) == len(people) == len(descriptions) == len(lesson.image_rows):
            raise ValueError(
                f"{len(pixels)} crops, {len(people)} people, {len(descriptions)} described, "
                f"{len(lesson.image_rows)} in the lesson"
            )
        missing = [row for row, texts in enumerate(descriptions) if not texts]
        if missing:
            raise ValueError(f"crop {missing[0]} has no description")
        self._pixels = pixels
        self._descriptions = descriptions
        self._lesson = lesson
        self._kinds = kinds
        self._bilingual = bilingual
        self._target = target
        self._identities = np.unique(people, return_inverse=True)[1].astype(np.int64)
        self._said = [frozenset(one.text for one in texts) for texts in descriptions]
        self.classes = int(self._identities.max(initial=-1)) + 1
        self.teacher_dim = lesson.dim

    @property
    def identities(self) -> Rows:
        return self._identities

    def __len__(self) -> int:
        return len(self._pixels)

    def pictures(self, rows: Rows) -> Pixels:
        return self._pixels[rows]

    def texts(self, rows: Rows, gallery: Rows, rng: np.random.Generator) -> tuple[list[str], Flags]:
        chosen = [self._descriptions[row][self._captions(row, rng)].text for row in rows]
        return chosen, self._fits(rows, chosen, gallery)

    def batch(self, rows: Rows, texts: int, rng: np.random.Generator) -> Batch:
        chosen: list[tuple[int, int]] = []  # place in the batch, which of its descriptions
        taught: list[int] = []  # the description whose teacher's vector it learns
        for place, row in enumerate(rows[:texts]):
            for own, learned in self._choose(int(row), rng):
                chosen.append((place, own))
                taught.append(learned)
        described = np.array([place for place, _ in chosen], dtype=np.int64)
        picked = [self._descriptions[rows[place]][index] for place, index in chosen]
        written = [_shuffled(one, rng) for one in picked]
        said = [one.text for one in picked]
        image_rows = self._lesson.image_rows[rows]
        places = [int(rows[place]) for place, _ in chosen]
        text_rows = np.array(
            [self._text_row(row, index) for row, index in zip(places, taught, strict=True)],
            dtype=np.int64,
        )
        return Batch(
            pixels=self._pixels[rows],
            texts=written,
            positive=self._fits(rows[described], said, rows),
            identities=self._identities[rows],
            text_identities=self._identities[rows[described]],
            described=described,
            kinds=np.array([one.kind for one in picked], dtype=np.int64),
            languages=np.array([one.language for one in picked], dtype=np.int64),
            teacher_image=_vectors(self._lesson.images, image_rows),
            teacher_image_known=image_rows >= 0,
            teacher_text=_vectors(self._lesson.texts, text_rows),
            teacher_text_known=text_rows >= 0,
        )

    def probe(self, rows: Rows, rng: np.random.Generator, *, by_teacher: bool = False) -> Probe:
        """These rows with one caption each; `by_teacher`: against the teacher's vectors of them."""
        if by_teacher:
            rows = rows[self._lesson.image_rows[rows] >= 0]
        chosen = [self._descriptions[row][self._captions(row, rng)].text for row in rows]
        vectors = _vectors(self._lesson.images, self._lesson.image_rows[rows])
        return Probe(
            pixels=self._pixels[rows],
            texts=chosen,
            positive=self._fits(rows, chosen, rows),
            vectors=vectors if by_teacher else None,
        )

    def _choose(self, row: int, rng: np.random.Generator) -> list[tuple[int, int]]:
        """Of a crop: which descriptions a batch has, each with the one whose vector it learns."""
        if self._bilingual:
            return self._fellows(row, rng)
        found = [self._captions(row, rng)]
        for kind in self._kinds:
            of_kind = self._of(row, kind=kind)
            if of_kind and found[0] not in of_kind:
                found.append(_any_of(of_kind, rng))
        return [(index, index) for index in found]

    def _fellows(self, row: int, rng: np.random.Generator) -> list[tuple[int, int]]:
        english = self._of(row, kind=CAPTION, language=ENGLISH)
        chinese = self._of(row, kind=CAPTION, language=CHINESE)
        if not english or not chinese:
            only = _any_of(english or chinese or range(len(self._descriptions[row])), rng)
            return [(only, only)]
        place = int(rng.integers(max(len(english), len(chinese))))
        one, other = english[place % len(english)], chinese[place % len(chinese)]
        return [(one, one), (other, one if self._target == "english" else other)]

    def _captions(self, row: int, rng: np.random.Generator) -> int:
        """Any caption, or any description of a crop that has none."""
        return _any_of(self._of(row, kind=CAPTION) or range(len(self._descriptions[row])), rng)

    def _of(self, row: int, *, kind: int, language: int | None = None) -> list[int]:
        return [
            index
            for index, one in enumerate(self._descriptions[row])
            if one.kind == kind and (language is None or one.language == language)
        ]

    def _text_row(self, row: int, index: int) -> int:
        return int(self._lesson.text_rows[row][index])

    def _fits(self, asked: Rows, texts: Sequence[str], rows: Rows) -> Flags:
        same: Flags = self._identities[asked][:, None] == self._identities[rows][None, :]
        # Words that another crop carries too describe that one as well.
        for index, text in enumerate(texts):
            same[index] |= [text in self._said[row] for row in rows]
        return same


def _vectors(known: Vectors, rows: Rows) -> Vectors:
    """(n, E), zeros where the row is -1."""
    found = np.zeros((len(rows), known.shape[1]), np.float32)
    found[rows >= 0] = known[rows[rows >= 0]]
    return found


def _shuffled(description: Description, rng: np.random.Generator) -> str:
    """Attributes come in any order, without those that nobody could see."""
    if description.kind != ATTRIBUTES:
        return description.text
    parts = [part.strip() for part in description.text.split(",")]
    kept = [part for part in parts if part and part != UNKNOWN]
    return ",".join(kept[place] for place in rng.permutation(len(kept))) or description.text


def _any_of(places: Sequence[int], rng: np.random.Generator) -> int:
    return places[int(rng.integers(len(places)))]
