"""Drawn people as pairs of a query and a box of which is known whether they belong together.

A text and a box do when the person has all that the text states; two pictures do when they show one
person. All scores are read as search reads them, on background crops.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gallery.synthetic.attributes import FIELDS, Fact
from gallery.synthetic.captions import caption, caption_of
from gallery.synthetic.crops import draw
from search import phrases
from search.evidence import mean, measurements, scales
from training.drawn import (
    LANGUAGES,
    DrawnCrops,
    fits,
    load_or_draw,
    person_in_moment,
    stated_facts,
)
from training.ml.runtime import ImageTower, encode_crops

ENCODED_AT_ONCE = 128

Encode = Callable[[Sequence[str]], np.ndarray]


@dataclass(frozen=True)
class Crowd:
    """Some drawn people: crops, and their vectors (N, dim)."""

    crops: DrawnCrops
    vectors: np.ndarray

    def part(self, start: int, stop: int) -> "Crowd":
        """Some of the crops by number; both of one person where the bounds are even."""
        some = slice(start, stop)
        crops = DrawnCrops(
            self.crops.pixels[some], self.crops.people[some], self.crops.visible[some]
        )
        return Crowd(crops, self.vectors[some])

    def thirds(self) -> tuple["Crowd", "Crowd", "Crowd"]:
        """Three crowds without a person in common."""
        size = len(self.vectors) // 6 * 2
        return self.part(0, size), self.part(size, 2 * size), self.part(2 * size, 3 * size)


def kept_crowd(image: ImageTower, seed: int, count: int, work: Path) -> Crowd:
    """`count` crops, two of each person, drawn by processes into `work` unless they are there."""
    crops = load_or_draw(seed, count, work, *image.framing.usual)
    return Crowd(crops, _encoded(image, crops, lambda: None))


def new_crowd(image: ImageTower, seed: int, count: int, beat: Callable[[], None]) -> Crowd:
    """As `kept_crowd`, drawn by this process alone: the workers' own may not have children.

    Args:
        beat: called about every second meanwhile.
    """
    height, width = image.framing.usual
    pixels = np.empty((count, height, width, 3), np.uint8)
    people, visible = [], []
    for index in range(count):
        person = person_in_moment(seed, index)
        crop = draw(person, np.random.default_rng((seed, index, 2)), height, width)
        pixels[index] = crop.pixels
        people.append(person)
        visible.append(crop.visible)
        beat()
    crops = DrawnCrops(pixels, people, visible)
    return Crowd(crops, _encoded(image, crops, beat))


def _encoded(image: ImageTower, crops: DrawnCrops, beat: Callable[[], None]) -> np.ndarray:
    parts = []
    for start in range(0, len(crops), ENCODED_AT_ONCE):
        some = np.asarray(crops.pixels[start : start + ENCODED_AT_ONCE])
        parts.append(encode_crops(image, image.prepare_all(some)))
        beat()
    return np.concatenate(parts)


def described(texts: Sequence[str], encode: Encode) -> np.ndarray:
    """The vectors (T, dim) that search asks with for descriptions: the mean over clause orders."""
    told = [phrases.orders(text) for text in texts]
    once = list(dict.fromkeys(text for some in told for text in some))
    known = dict(zip(once, encode(once), strict=True))
    return np.stack([mean(np.stack([known[text] for text in some])) for some in told])


def captions(
    crowd: Crowd, count: int, rng: np.random.Generator, language: str | None = None
) -> tuple[list[str], list[Sequence[Fact]]]:
    """Texts about what can be seen of random crops, and the facts that each states.

    Args:
        language: both in turn if None.
    """
    texts, facts = [], []
    for number in range(count):
        row = int(rng.integers(len(crowd.vectors)))
        spoken = language or LANGUAGES[number % len(LANGUAGES)]
        written = caption(crowd.crops.people[row], rng, spoken, crowd.crops.visible[row])
        texts.append(written.text)
        facts.append(written.facts)
    return texts, facts


def text_scores(
    crowd: Crowd, background: np.ndarray, encode: Encode, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Measurements of `count` texts with all boxes, impostors (P, 3) and genuine (G, 3)."""
    texts, facts = captions(crowd, count, rng)
    agree = fits(stated_facts(facts), crowd.crops.has)
    rows = measurements(described(texts, encode), crowd.vectors, background)
    return rows[~agree], rows[agree]


def picture_scores(crowd: Crowd, background: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Measurements of each box with all others, impostors (P, 3) and genuine (G, 3)."""
    people = crowd.crops.identities
    same = people[:, None] == people[None]
    rows = measurements(crowd.vectors, crowd.vectors, background)
    return rows[~same], rows[same & ~np.eye(len(people), dtype=bool)]


def phrase_shares(
    crowd: Crowd,
    background: np.ndarray,
    encode: Encode,
    language: str,
    count: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bars of `count` single phrases with every box in which the matter can be seen.

    Returns: shares (P,), cosines (P,), and whether the person has what the phrase says (P,).
    """
    texts, facts = _single_phrases(crowd, language, count, rng)
    vectors = encode(texts)
    cosines = vectors @ crowd.vectors.T
    shares = np.stack(
        [
            np.clip((row - scale.low) / (scale.high - scale.low), 0, 1)
            for row, scale in zip(cosines, scales(vectors, background), strict=True)
        ]
    )
    true = fits(stated_facts(facts), crowd.crops.has)
    fields = [frozenset(field for field, _ in some) for some in facts]
    shown = np.array([[some <= seen for seen in crowd.crops.visible] for some in fields])
    return shares[shown], cosines[shown], true[shown]


def _single_phrases(
    crowd: Crowd, language: str, count: int, rng: np.random.Generator
) -> tuple[list[str], list[Sequence[Fact]]]:
    """Captions of one or two facts that search takes for one phrase, as its bars show them."""
    names = list(FIELDS)
    texts: list[str] = []
    facts: list[Sequence[Fact]] = []
    while len(texts) < count:
        person = crowd.crops.people[int(rng.integers(len(crowd.vectors)))]
        place = int(rng.integers(len(names)))
        chosen = names[place : place + 1 + int(rng.integers(2))]
        # A colour goes with its thing; other neighbours are two phrases.
        if len(chosen) == 2 and not chosen[1].startswith(chosen[0]):
            chosen = chosen[:1]
        try:
            told = caption_of([(name, getattr(person, name)) for name in chosen], rng, language)
        except ValueError:  # no wording for these facts alone
            continue
        split = phrases.split(told.text)
        if len(split) == 1:
            texts.append(split[0])
            facts.append(told.facts)
    return texts, facts
