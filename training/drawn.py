"""Drawn people as training data: crops drawn once into a memory map, captions always new.

`drawn:SEED:COUNT` names such data: COUNT crops of COUNT / 2 people, no rows in the database.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gallery.synthetic.attributes import (
    ANY,
    FACTS,
    FIELDS,
    MOMENT_FIELDS,
    NONE,
    Fact,
    Person,
    draw_person,
)
from gallery.synthetic.captions import caption
from gallery.synthetic.crops import draw
from training.ml.data import Batch, Flags, Pixels, Probe, Rows, Stated, new_pixels

CROPS_EACH = 2  # pictures of one person
PROBE_CROPS = 1000
PROBE_TEXTS = 400
LANGUAGES = ("en", "zh")
# 30 gigabytes at the usual size; more is a slip of the keyboard.
MOST_CROPS = 1_000_000
_CHUNK = 200

_FACT_ROW: dict[Fact, int] = {fact: row for row, fact in enumerate(FACTS)}
_FIELD_NAMES = tuple(FIELDS)


@dataclass(frozen=True)
class Drawn:
    """A name `drawn:SEED:COUNT`, taken apart.

    Raises: ValueError, it is not of that form, or the count is below 2 or above MOST_CROPS.
    """

    seed: int
    count: int

    @classmethod
    def parse(cls, name: str) -> "Drawn":
        parts = name.split(":")
        if len(parts) != 3 or parts[0] != "drawn" or not all(p.isdigit() for p in parts[1:]):
            raise ValueError(f"{name!r} is not drawn:SEED:COUNT, such as drawn:1:40000")
        drawn = cls(seed=int(parts[1]), count=int(parts[2]))
        if drawn.count < 2:
            raise ValueError(f"{name!r} asks for {drawn.count} crops; at least 2 are needed")
        if drawn.count > MOST_CROPS:
            raise ValueError(f"{name!r} asks for {drawn.count} crops; {MOST_CROPS} are the most")
        return drawn


def person_in_moment(seed: int, index: int) -> Person:
    """The person in crop `index`: crops of one person share all but pose and viewpoint."""
    person = draw_person(np.random.default_rng((seed, index // CROPS_EACH)))
    rng = np.random.default_rng((seed, index // CROPS_EACH, 1 + index % CROPS_EACH))
    moment = {field: getattr(draw_person(rng), field) for field in MOMENT_FIELDS}
    return replace(person, **moment)


def _draw_some(
    seed: int, indices: Sequence[int], height: int, width: int
) -> tuple[Pixels, list[tuple[dict[str, str], list[str]]]]:
    pixels = np.empty((len(indices), height, width, 3), np.uint8)
    people = []
    for place, index in enumerate(indices):
        person = person_in_moment(seed, index)
        crop = draw(person, np.random.default_rng((seed, index, 2)), height, width)
        pixels[place] = crop.pixels
        people.append((person.to_dict(), sorted(crop.visible)))
    return pixels, people


class DrawnCrops:
    """Drawn crops in a folder, with who is in each and what can be seen of them.

    pixels: (N, H, W, 3) memory map. people: N. visible: N sets of field names.
    """

    fields: list[slice]
    teacher_dim = 0

    def __init__(self, pixels: Pixels, people: list[Person], visible: list[frozenset[str]]) -> None:
        self.pixels = pixels
        self.people = people
        self.visible = visible
        self.has = np.zeros((len(people), len(FACTS)), dtype=bool)
        # What is hidden counts too: who cannot see it is to learn how common it is.
        self.attributes = np.empty((len(people), len(FIELDS)), dtype=np.int64)
        for row, person in enumerate(people):
            for column, (field, value) in enumerate(person.to_dict().items()):
                self.has[row, _FACT_ROW[field, value]] = True
                self.attributes[row, column] = FIELDS[field].index(value)
        starts = np.cumsum([0, *(len(values) for values in FIELDS.values())])
        self.fields = [slice(int(start), int(stop)) for start, stop in pairwise(starts)]
        self.identities = np.arange(len(people), dtype=np.int64) // CROPS_EACH
        self.classes = int(self.identities.max(initial=-1)) + 1

    def __len__(self) -> int:
        return len(self.people)

    def batch(self, rows: Rows, texts: int, rng: np.random.Generator) -> Batch:
        written, facts = self.describe(rows[:texts], rng)
        stated = stated_facts(facts)
        return Batch(
            pixels=self.pixels[rows],
            texts=written,
            positive=fits(stated, self.has[rows]),
            attributes=self.attributes[rows],
            stated=stated,
            identities=self.identities[rows],
            text_identities=self.identities[rows[:texts]],
            described=np.arange(len(written)),
        )

    def pictures(self, rows: Rows) -> Pixels:
        return self.pixels[rows]

    def texts(self, rows: Rows, gallery: Rows, rng: np.random.Generator) -> tuple[list[str], Flags]:
        written, facts = self.describe(rows, rng)
        return written, fits(stated_facts(facts), self.has[gallery])

    def probe(self, rows: Rows, texts: int, rng: np.random.Generator) -> Probe:
        """These rows, and texts about the first of them that state 2 to 5 facts."""
        written, facts = self.describe(rows[:texts], rng, between=(2, 5))
        positive = fits(stated_facts(facts), self.has[rows])
        return Probe(pixels=self.pixels[rows], texts=written, positive=positive)

    def describe(
        self, rows: Rows, rng: np.random.Generator, between: tuple[int, int] | None = None
    ) -> tuple[list[str], list[Sequence[Fact]]]:
        """A caption of what can be seen in each row, in either language, and its facts."""
        texts: list[str] = []
        facts: list[Sequence[Fact]] = []
        for row in rows:
            language = LANGUAGES[int(rng.integers(2))]
            count = None if between is None else int(rng.integers(between[0], between[1] + 1))
            written = caption(
                self.people[row], rng, language, visible=self.visible[row], facts=count
            )
            texts.append(written.text)
            facts.append(written.facts)
        return texts, facts


def stated_facts(facts: Sequence[Sequence[Fact]]) -> Stated:
    """(T, P) int8, which of FACTS each text states (1) and denies (-1).

    Whoever is said to have any hat is denied to have none.
    """
    stated = np.zeros((len(facts), len(FACTS)), dtype=np.int8)
    for row, all_ in enumerate(facts):
        for field, value in all_:
            known = (field, NONE) if value == ANY else (field, value)
            stated[row, _FACT_ROW[known]] = -1 if value == ANY else 1
    return stated


def fits(stated: Stated, has: Flags) -> Flags:
    """(T, I) text i states nothing that person j lacks, and denies nothing that they have."""
    missing = (stated > 0).astype(np.float32) @ (~has).astype(np.float32).T
    denied = (stated < 0).astype(np.float32) @ has.astype(np.float32).T
    result: Flags = missing + denied == 0
    return result


def prepare(
    drawn: Drawn, folder: Path, *, height: int, width: int, processes: int = 2, report=None
) -> tuple[DrawnCrops, Probe]:
    """The crops to train on and a probe of other people; drawn into the folder unless there.

    Args:
        report: called with (crops done, crops in all) while they are drawn.
    """
    total = drawn.count + PROBE_CROPS
    crops = load_or_draw(drawn.seed, total, folder, height, width, processes, report)
    inside = part(crops, drawn.count)
    rows = np.arange(drawn.count + drawn.count % CROPS_EACH, total)
    return inside, crops.probe(rows, PROBE_TEXTS, np.random.default_rng((drawn.seed, 3)))


def part(crops: DrawnCrops, count: int) -> DrawnCrops:
    """The first `count` crops."""
    return DrawnCrops(crops.pixels[:count], crops.people[:count], crops.visible[:count])


def load_or_draw(
    seed: int, count: int, folder: Path, height: int, width: int, processes: int = 2, report=None
) -> DrawnCrops:
    """`count` crops, read from the folder where they are complete, else drawn with processes."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"drawn-{seed}-{count}-{height}x{width}"
    pixels_path, people_path = folder / f"{name}.npy", folder / f"{name}.json"
    if not people_path.exists():
        _draw_all(seed, count, pixels_path, people_path, (height, width), processes, report)
    entries = json.loads(people_path.read_text("utf-8"))
    pixels: npt.NDArray[np.uint8] = np.load(pixels_path, mmap_mode="r")
    people = [Person.from_dict(values) for values, _ in entries]
    return DrawnCrops(pixels, people, [frozenset(visible) for _, visible in entries])


def _draw_all(
    seed: int,
    count: int,
    pixels_path: Path,
    people_path: Path,
    size: tuple[int, int],
    processes: int,
    report,
) -> None:
    pixels = new_pixels(pixels_path, (count, *size, 3))
    people: list[tuple[dict[str, str], list[str]]] = []
    chunks = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    # Spawned, not forked: the caller may hold threads or a database connection.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_draw_some, seed, chunk, *size) for chunk in chunks]
        try:
            for chunk, future in zip(chunks, futures, strict=True):
                drawn, some = future.result()
                pixels[chunk.start : chunk.stop] = drawn
                people += some
                if report is not None:
                    report(chunk.stop, count)
        except BaseException:
            # Whoever stops it does not want to wait for what has not begun.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    pixels.flush()
    # Written last: it says that the pixels are complete.
    partial = people_path.with_suffix(".partial")
    partial.write_text(json.dumps(people), "utf-8")
    partial.replace(people_path)
