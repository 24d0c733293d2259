"""What the engine trains on and validates with: batches of pictures, texts, and what fits what."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Stated = npt.NDArray[np.int8]
Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]

# What a text is (`Batch.kinds`) and its language (`Batch.languages`).
CAPTION, ATTRIBUTES, PROMPT = 0, 1, 2
ENGLISH, CHINESE = 0, 1


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One step's data: I pictures and T texts. Either may be none for objectives of one tower.

    What is None is not known to this data. The rows of `pixels` and `texts` may stand in any
    relation: `positive` tells what fits, `described` which picture a text was written for.

    pixels: (I, H, W, 3) RGB.
    texts: T descriptions; each text tower makes its own tokens of them.
    positive: (T, I), text i describes the person in picture j.
    attributes: (I, F) value index of each field, -1 where unknown.
    stated: (T, P) which facts a text states, 1, and denies, -1.
    identities: (I,) number of the person in each picture, 0 <= number < data.classes.
    text_identities: (T,) the same of each text.
    described: (T,) the row in this batch that each text was written for. Without pictures: texts
        with equal numbers say the same, such as a sentence and its translation.
    kinds: (T,) CAPTION, ATTRIBUTES or PROMPT. languages: (T,) ENGLISH or CHINESE.
    teacher_image: (I, E) the teacher's unit vectors of the pictures, zeros where not known;
        teacher_image_known: (I,) says where.
    teacher_text: (T, E) and teacher_text_known: (T,) the same of the texts.
    tuples: (N, K) rows of pictures that belong together: anchor, positive, negatives.
    rejected: (T, I), somebody said that text i does not describe picture j; None where nobody
        said so of any.
    unknown: (T, I), nobody said whether it does: text i came from a search, and fits others too
        whom nobody judged.
    """

    pixels: Pixels
    texts: list[str]
    positive: Flags
    attributes: Rows | None = None
    stated: Stated | None = None
    identities: Rows | None = None
    text_identities: Rows | None = None
    described: Rows | None = None
    kinds: Rows | None = None
    languages: Rows | None = None
    teacher_image: Vectors | None = None
    teacher_image_known: Flags | None = None
    teacher_text: Vectors | None = None
    teacher_text_known: Flags | None = None
    tuples: Rows | None = None
    rejected: Flags | None = None
    unknown: Flags | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """A text that people judged: rows that it was confirmed for, which may be none, and refused."""

    text: str
    confirmed: Rows
    refused: Rows


@dataclass(frozen=True, kw_only=True)
class Probe:
    """Held-out pictures (N, H, W, 3) and texts, and which fit, (T, N): what selection looks at.

    vectors: (N, D) unit vectors of the gallery where they are not the image tower's, such as a
        teacher's; `pixels` is then empty.
    Without texts, pictures ask for pictures: `positive` is (N, N), and nobody finds itself.
    questions: texts that people judged, with rows of `pixels` that were confirmed and refused.
    """

    pixels: Pixels
    texts: list[str]
    positive: Flags
    vectors: Vectors | None = None
    questions: list[Question] = field(default_factory=list)


class PairData(Protocol):
    """Anything that can be trained on."""

    # Which facts belong to each field; empty where nothing is known.
    fields: list[slice]
    # Number of identities in `identities`, 0 where people are not known.
    classes: int
    # Of the teacher's vectors, 0 without a teacher.
    teacher_dim: int

    @property
    def identities(self) -> Rows | None:
        """(N,) of all rows: what identity-balanced sampling draws from."""

    def __len__(self) -> int:
        """Rows: pictures, or texts where there are no pictures."""

    def batch(self, rows: Rows, texts: int, rng: np.random.Generator) -> Batch:
        """The pictures of these rows, with texts about the first `texts` of them."""

    def pictures(self, rows: Rows) -> Pixels:
        """(B, H, W, 3) of these rows."""

    def texts(self, rows: Rows, gallery: Rows, rng: np.random.Generator) -> tuple[list[str], Flags]:
        """A text about each row, and which rows of the gallery it describes, (T, G)."""


class CaptionedCrops:
    """Crops with written captions and the number of the person in each.

    Args:
        pixels: (N, H, W, 3), commonly a memory map.
        people: (N,) identity numbers; equal numbers are one person.
        captions: for each crop its captions. Those without any come last; they are shown beside
            what was refused for them and never drawn by themselves.
        rejected: for each crop the texts of which people said that they do not describe it.
        judged: so many of the refused texts join each batch; see the config.
        confirmed: captions that came from searches. They say little, and fit others whom nobody
            judged: of these and of refused texts, only judged pairs count.

    Raises: ValueError, lengths differ, or a crop has neither a caption nor a refused text, or
        stands before one that has a caption.
    """

    fields: ClassVar[list[slice]] = []
    teacher_dim: ClassVar[int] = 0

    def __init__(
        self,
        pixels: Pixels,
        people: Rows,
        captions: Sequence[Sequence[str]],
        rejected: Sequence[Sequence[str]] = (),
        *,
        judged: int = 0,
        confirmed: frozenset[str] = frozenset(),
    ) -> None:
        if not len(pixels) == len(people) == len(captions) == len(rejected or captions):
            raise ValueError(
                f"{len(pixels)} crops, {len(people)} people, {len(captions)} captions, "
                f"{len(rejected)} refused"
            )
        self._pixels = pixels
        self._people = people
        self._captions = captions
        self._rejected = [frozenset(texts) for texts in rejected] or [frozenset()] * len(captions)
        self._count = sum(1 for texts in captions if texts)
        for row, texts in enumerate(captions):
            if not texts and (row < self._count or not self._rejected[row]):
                raise ValueError(f"crop {row} has no caption")
        # Without gaps from 0, as class weights need them; the numbers given may have gaps.
        self._identities = np.unique(people, return_inverse=True)[1].astype(np.int64)
        self.classes = int(self._identities.max(initial=-1)) + 1
        self._questions = _questions(captions, self._rejected)
        self._judged = min(judged, len(self._questions))
        self._searched = confirmed | {one.text for one in self._questions}

    @property
    def identities(self) -> Rows:
        return self._identities[: self._count]

    def __len__(self) -> int:
        return self._count

    def batch(self, rows: Rows, texts: int, rng: np.random.Generator) -> Batch:
        chosen = [_any_of(self._captions[row], rng) for row in rows[:texts]]
        if self._judged:
            return self._judged_batch(rows, chosen, rng)
        positive = self._fits(rows[:texts], chosen, rows)
        return Batch(
            pixels=self._pixels[rows],
            texts=chosen,
            positive=positive,
            unknown=self._unknown(chosen, rows, positive) if self._searched else None,
            identities=self._identities[rows],
            text_identities=self._identities[rows[:texts]],
            described=np.arange(len(chosen)),
        )

    def pictures(self, rows: Rows) -> Pixels:
        return self._pixels[rows]

    def texts(self, rows: Rows, gallery: Rows, rng: np.random.Generator) -> tuple[list[str], Flags]:
        chosen = [_any_of(self._captions[row], rng) for row in rows]
        return chosen, self._fits(rows, chosen, gallery)

    def probe(self, rows: Rows, rng: np.random.Generator) -> Probe:
        """These rows with one caption each, and what people judged of several of them."""
        own = [[one for one in self._captions[row] if one not in self._searched] for row in rows]
        texts = [
            _any_of(mine or self._captions[row], rng) for mine, row in zip(own, rows, strict=True)
        ]
        asked = [
            Question(
                text=one.text,
                confirmed=np.flatnonzero(np.isin(rows, one.confirmed)),
                refused=np.flatnonzero(np.isin(rows, one.refused)),
            )
            for one in self._questions
        ]
        return Probe(
            pixels=self._pixels[rows],
            texts=texts,
            positive=self._fits(rows, texts, rows),
            questions=[one for one in asked if len(one.confirmed) and len(one.refused)],
        )

    def _judged_batch(self, rows: Rows, chosen: list[str], rng: np.random.Generator) -> Batch:
        """With some questions: each with a picture that was refused, what that one is called, and
        a picture that was confirmed, so that both can be compared."""
        asked = [np.array([row]) for row in rows[: len(chosen)]]
        shown = [rows]
        for place in rng.choice(len(self._questions), self._judged, replace=False):
            question = self._questions[place]
            refused = rng.choice(question.refused, 1)
            shown.append(refused)
            chosen.append(question.text)
            asked.append(question.confirmed)
            if len(question.confirmed):
                shown.append(rng.choice(question.confirmed, 1))
            if own := self._captions[int(refused[0])]:
                chosen.append(_any_of(own, rng))
                asked.append(refused)
        pictures = np.concatenate(shown)
        positive = self._fits_any(asked, chosen, pictures)
        return Batch(
            pixels=self._pixels[pictures],
            texts=chosen,
            positive=positive,
            unknown=self._unknown(chosen, pictures, positive),
            identities=self._identities[pictures],
            rejected=self._refused(chosen, pictures),
        )

    def _fits(self, asked: Rows, texts: list[str], rows: Rows) -> Flags:
        return self._fits_any(
            [asked[place : place + 1] for place in range(len(asked))], texts, rows
        )

    def _fits_any(self, asked: Sequence[Rows], texts: list[str], rows: Rows) -> Flags:
        """(T, I): whom a text was written for, by person, and whoever else carries it."""
        people = self._people[rows]
        same: Flags = np.zeros((len(texts), len(rows)), bool)
        for index, (text, written_for) in enumerate(zip(texts, asked, strict=True)):
            same[index] = np.isin(people, self._people[written_for])
            # A caption that another picture also carries word for word describes that one too.
            same[index] |= [text in self._captions[row] for row in rows]
        return same & ~self._refused(texts, rows)

    def _unknown(self, texts: list[str], rows: Rows, positive: Flags) -> Flags:
        searched = np.array([text in self._searched for text in texts], dtype=bool)
        unknown: Flags = searched[:, None] & ~positive & ~self._refused(texts, rows)
        return unknown

    def _refused(self, texts: list[str], rows: Rows) -> Flags:
        found: Flags = np.zeros((len(texts), len(rows)), bool)
        for place, row in enumerate(rows):
            if said := self._rejected[row]:
                found[:, place] = [text in said for text in texts]
        return found


def _questions(
    captions: Sequence[Sequence[str]], rejected: Sequence[frozenset[str]]
) -> list[Question]:
    refused: dict[str, list[int]] = {}
    for row, texts in enumerate(rejected):
        for text in sorted(texts):
            refused.setdefault(text, []).append(row)
    confirmed: dict[str, list[int]] = {text: [] for text in refused}
    for row, own in enumerate(captions):
        for text in confirmed.keys() & set(own):
            confirmed[text].append(row)
    return [
        Question(
            text=text,
            confirmed=np.array(confirmed[text], dtype=np.int64),
            refused=np.array(rows, dtype=np.int64),
        )
        for text, rows in refused.items()
    ]


def _any_of(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def new_pixels(path: Path, shape: tuple[int, ...]) -> Pixels:
    """A memory map of bytes to fill, in a new file whose room is taken at once.

    Left to be taken page by page, the file would end the process by a signal on a full disk.

    Raises: OSError, there is no room.
    """
    pixels = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return pixels


def rows_of_step(step: int, *, count: int, batch: int, seed: int) -> Rows:
    """The rows that a step trains on: every row once an epoch, in an order fixed by seed and epoch.

    A function of the step alone, so that a resumed run continues exactly. When fewer rows than
    a batch exist, the step has them all.
    """
    batch = min(batch, count)
    per_epoch = count // batch
    epoch, place = divmod(step, per_epoch)
    order = np.random.default_rng((seed, epoch)).permutation(count)
    return order[place * batch : (place + 1) * batch]


def balanced_rows_of_step(step: int, *, identities: Rows, batch: int, each: int, seed: int) -> Rows:
    """`each` rows of each of batch / each identities, those of one identity side by side.

    Every identity comes once an epoch; one with fewer rows than `each` repeats some. A function
    of the step alone.
    """
    people = np.unique(identities)
    wanted = min(max(1, batch // each), len(people))
    epoch, place = divmod(step, max(1, len(people) // wanted))
    order = np.random.default_rng((seed, epoch)).permutation(people)
    rng = np.random.default_rng((seed, 4, step))
    chosen = []
    for person in order[place * wanted : (place + 1) * wanted]:
        rows = rng.permutation(np.flatnonzero(identities == person))
        chosen.append(np.resize(rows, each))
    return np.concatenate(chosen)
