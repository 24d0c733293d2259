"""Drawn people with a teacher: its vectors of the pictures, and of captions as they are written."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from gallery.synthetic.captions import attribute_string, caption, caption_of
from training.drawn import PROBE_TEXTS, DrawnCrops, fits, stated_facts
from training.ml.data import (
    ATTRIBUTES,
    CAPTION,
    CHINESE,
    ENGLISH,
    Batch,
    Flags,
    Pixels,
    Probe,
    Rows,
    Stated,
    Vectors,
)

_BATCH = 64


class TextReader(Protocol):
    """What a teacher's text tower does."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """(N, E) unit vectors."""


class PictureReader(TextReader, Protocol):
    """What a teacher's image tower does."""


class TaughtCrops:
    """Drawn crops with a teacher's vectors.

    Args:
        images: (N, E) the teacher's unit vectors of the crops. reader: its text tower.
        attributes: whether each crop's attributes come beside its caption.
        bilingual: an English caption of each crop and a Chinese one that states the same, and
            nothing else.
        target: of a Chinese caption: the teacher's vector of the English one (`english`), or of
            itself (`own`).
    """

    def __init__(
        self,
        crops: DrawnCrops,
        images: Vectors,
        reader: TextReader,
        *,
        attributes: bool,
        bilingual: bool = False,
        target: str = "english",
    ) -> None:
        if len(crops) != len(images):
            raise ValueError(f"{len(crops)} crops, {len(images)} vectors of the teacher")
        self._crops = crops
        self._images = images
        self._reader = reader
        self._attributes = attributes
        self._bilingual = bilingual
        self._target = target
        self.fields: list[slice] = []
        self.classes = crops.classes
        self.identities = crops.identities
        self.teacher_dim = int(images.shape[1])

    def __len__(self) -> int:
        return len(self._crops)

    def pictures(self, rows: Rows) -> Pixels:
        return self._crops.pictures(rows)

    def texts(self, rows: Rows, gallery: Rows, rng: np.random.Generator) -> tuple[list[str], Flags]:
        return self._crops.texts(rows, gallery, rng)

    def batch(self, rows: Rows, texts: int, rng: np.random.Generator) -> Batch:
        asked = rows[:texts]
        if self._bilingual:
            written, stated, learned = self._in_both(asked, rng)
            repeats = 2
            kinds = np.full(2 * len(asked), CAPTION, np.int64)
            languages = np.repeat(np.array([ENGLISH, CHINESE]), len(asked))
        else:
            written, facts = self._crops.describe(asked, rng)
            stated = stated_facts(facts)
            kinds, repeats = np.full(len(asked), CAPTION, np.int64), 1
            if self._attributes:
                said = [self._attributes_of(int(row), rng) for row in asked]
                written = written + said
                # All that shows is stated, which nobody else need fit.
                stated = np.concatenate([stated, self._crops.has[asked].astype(np.int8)])
                kinds, repeats = np.concatenate([kinds, np.full_like(kinds, ATTRIBUTES)]), 2
            learned = self._reader.encode(written)
            languages = np.array([_language(text) for text in written], dtype=np.int64)
        described = np.tile(np.arange(len(asked)), repeats)
        people = self.identities[rows]
        positive = fits(stated, self._crops.has[rows]) | (
            described[:, None] == np.arange(len(rows))[None, :]
        )
        return Batch(
            pixels=self._crops.pixels[rows],
            texts=written,
            positive=positive,
            identities=people,
            text_identities=people[described],
            described=described,
            kinds=kinds,
            languages=languages,
            teacher_image=np.asarray(self._images[rows], np.float32),
            teacher_image_known=np.ones(len(rows), bool),
            teacher_text=learned,
            teacher_text_known=np.ones(len(written), bool),
        )

    def _in_both(self, rows: Rows, rng: np.random.Generator) -> tuple[list[str], Stated, Vectors]:
        """English captions and the same in Chinese, what both state, and what both learn."""
        english, chinese, facts = [], [], []
        for row in rows:
            person, visible = self._crops.people[row], self._crops.visible[row]
            written = caption(person, rng, "en", visible=visible)
            english.append(written.text)
            chinese.append(caption_of(written.facts, rng, "zh").text)
            facts.append(written.facts)
        learned = self._reader.encode(english)
        own = learned if self._target == "english" else self._reader.encode(chinese)
        stated = stated_facts(facts)
        return (
            english + chinese,
            np.concatenate([stated, stated]),
            np.concatenate([learned, own]),
        )

    def _attributes_of(self, row: int, rng: np.random.Generator) -> str:
        parts = attribute_string(self._crops.people[row], self._crops.visible[row]).split(",")
        return ",".join(parts[place] for place in rng.permutation(len(parts)))


def _language(text: str) -> int:
    return CHINESE if any("\u4e00" <= character <= "\u9fff" for character in text) else ENGLISH


def taught_images(
    crops: DrawnCrops,
    encode: Callable[[Pixels], Vectors],
    path: Path,
    tell: Callable[[str], None],
) -> Vectors:
    """(N, E) a teacher's vectors of drawn crops, read from the file where it is whole.

    Args:
        crops: drawn as the teacher reads them. encode: (B, H, W, 3) -> (B, E).
    """
    if not path.exists():
        parts = []
        for start in range(0, len(crops), _BATCH):
            parts.append(encode(np.asarray(crops.pixels[start : start + _BATCH])))
            tell(f"the teacher looks at {min(start + _BATCH, len(crops))} of {len(crops)} pictures")
        draft = path.with_suffix(".part.npy")
        np.save(draft, np.concatenate(parts))
        draft.replace(path)
    vectors: Vectors = np.load(path, mmap_mode="r")
    return vectors


def taught_probe(crops: DrawnCrops, rows: Rows, images: Vectors, seed: int) -> Probe:
    """Texts against the teacher's vectors of these crops."""
    probe = crops.probe(rows, PROBE_TEXTS, np.random.default_rng((seed, 3)))
    return Probe(
        pixels=probe.pixels[:0],
        texts=probe.texts,
        positive=probe.positive,
        vectors=np.asarray(images[rows], np.float32),
    )
