"""A drawn day: people who walk past four street cameras, with captions. Needs no files.

The path is "SEED:IDENTITIES" (or "SEED", for 250): the same path always gives the same pictures,
people and words. Everyone is in the split test, because nobody here was drawn for training.
"""

import multiprocessing
import multiprocessing.connection
import os
import re
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from gallery.formats.records import (
    BoxRecord,
    CaptionRecord,
    Entry,
    Format,
    Mark,
    Record,
    Unreadable,
)
from gallery.synthetic.attributes import MOMENT_FIELDS, Person, draw_person
from gallery.synthetic.captions import attribute_string, caption
from gallery.synthetic.scene import CAMERAS, Placement, draw_frame

IDENTITIES = 250
MOST_IDENTITIES = 100_000
DAY = datetime(2024, 5, 14, tzinfo=UTC)
# Hours between which people are out, and from one camera to the next.
FIRST_HOUR, LAST_HOUR = 6.5, 21.5
GAP_HOURS = (0.08, 0.9)
# How often one person is seen, and how many people are in one frame.
SIGHTINGS = (4, 5, 5)
CROWD = (3, 4, 4, 5, 5, 6)
QUALITY = 92
# Starting more processes takes as long as drawing this many frames.
WORTH_PROCESSES = 12
PROCESSES = 2
_PATH = re.compile(r"(\d{1,9})(?::(\d{1,6}))?")


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame to draw: which people pass which camera at which hour of the day."""

    number: int
    camera: int
    hour: float
    people: tuple[int, ...]


def read(path: str, images: str | None = None, *, after: Mark | None = None) -> Iterator[Entry]:
    """The frames of the day, in the order of their numbers.

    Raises:
        Unreadable: the path is not SEED:IDENTITIES.
    """
    seed, identities = parse(path)
    begin = after + 1 if isinstance(after, int) else 0
    yield from _drawn(seed, plan(seed, identities)[begin:])


def total(path: str, images: str | None = None) -> int:
    """How many frames the day has.

    Raises:
        Unreadable: the path is not SEED:IDENTITIES.
    """
    return len(plan(*parse(path)))


def parse(path: str) -> tuple[int, int]:
    """Seed and number of people.

    Raises:
        Unreadable: the path is not SEED:IDENTITIES.
    """
    found = _PATH.fullmatch(path)
    identities = int(found[2] or IDENTITIES) if found else 0
    if found is None or not 0 < identities <= MOST_IDENTITIES:
        raise Unreadable(f"“{path}” is not SEED:IDENTITIES, such as 7:250.")
    return int(found[1]), identities


def plan(seed: int, identities: int) -> list[Shot]:
    """Who is seen where and when: everyone some times, at one camera after the other."""
    rng = np.random.default_rng((seed, 0))
    sightings: list[tuple[int, float, int]] = []
    for person in range(identities):
        gaps = rng.uniform(*GAP_HOURS, int(rng.choice(SIGHTINGS)))
        hour = float(rng.uniform(FIRST_HOUR, LAST_HOUR - gaps.sum()))
        camera = int(rng.integers(len(CAMERAS)))
        for gap in gaps:
            sightings.append((camera, hour, person))
            hour += float(gap)
            camera = (camera + int(rng.integers(1, len(CAMERAS)))) % len(CAMERAS)
    groups: list[list[tuple[int, float, int]]] = []
    room = 0
    for sighting in sorted(sightings):
        camera, _hour, person = sighting
        here = groups[-1] if groups else []
        apart = not here or here[0][0] != camera or person in [other[2] for other in here]
        if room == 0 or apart:
            groups.append([])
            room = int(rng.choice(CROWD))
        groups[-1].append(sighting)
        room -= 1
    # In the order of the day, so that an import cut short has all cameras.
    groups.sort(key=lambda group: group[-1][1])
    return [
        Shot(number, group[0][0], group[-1][1], tuple(person for _, _, person in group))
        for number, group in enumerate(groups)
    ]


def identity(seed: int, number: int) -> Person:
    """The person of a number, as they look all day."""
    return draw_person(np.random.default_rng((seed, 1, number)))


def draw(seed: int, shot: Shot) -> Record:
    """One frame with its boxes and captions; the same arguments give the same bytes."""
    rng = np.random.default_rng((seed, 2, shot.number))
    people = []
    for number in shot.people:
        moment = draw_person(rng)
        now = {field: getattr(moment, field) for field in MOMENT_FIELDS}
        people.append(replace(identity(seed, number), **now))
    camera = CAMERAS[shot.camera]
    frame = draw_frame(people, camera, shot.hour, rng)
    good, coded = cv2.imencode(
        ".jpg", frame.pixels[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    )
    if not good:
        raise RuntimeError("OpenCV could not encode a JPEG")
    taken_at = DAY + timedelta(seconds=round(shot.hour * 3600))
    slug = camera.name.lower().replace(" ", "-")
    return Record(
        item=f"frame {shot.number}",
        name=f"{slug}-{taken_at:%H%M%S}-{shot.number:05d}.jpg",
        content=coded.tobytes(),
        mark=shot.number,
        boxes=tuple(_box(seed, shot, people, one, rng) for one in frame.placements),
        camera=camera.name,
        taken_at=taken_at,
    )


def _box(
    seed: int, shot: Shot, people: list[Person], one: Placement, rng: np.random.Generator
) -> BoxRecord:
    person = people[one.person_index]
    texts = [
        CaptionRecord(text=caption(person, rng, "en", one.visible).text, language="en"),
        CaptionRecord(text=caption(person, rng, "zh", one.visible).text, language="zh"),
        CaptionRecord(text=attribute_string(person, one.visible), kind="attributes", language="en"),
    ]
    return BoxRecord(
        bounds=one.box,
        # With the seed, so that two days in one dataset have different people.
        identity=f"{seed}-{shot.people[one.person_index]}",
        split="test",
        captions=tuple(one for one in texts if one.text),
    )


def _drawn(seed: int, shots: list[Shot]) -> Iterator[Record]:
    # A daemonic process, as a pool's worker is, may not have children.
    alone = multiprocessing.current_process().daemon or (os.cpu_count() or 1) < 2
    if alone or len(shots) < WORTH_PROCESSES:
        yield from (draw(seed, shot) for shot in shots)
        return
    pool = ProcessPoolExecutor(
        PROCESSES, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
    )
    try:
        waiting: deque[Future[Record]] = deque()
        for shot in shots:
            waiting.append(pool.submit(draw, seed, shot))
            # Some ahead, so that nobody waits while a chunk is stored.
            if len(waiting) > 8 * PROCESSES:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """In a drawing process: leave Ctrl-C to the parent, and end when it ends, however it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()

    def follow() -> None:
        if parent is not None:
            multiprocessing.connection.wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


FORMAT = Format(read=read, total=total, caption_source="drawn")
