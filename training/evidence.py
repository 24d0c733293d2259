"""Real or drawn crops that a conversion is calibrated with, and others that it is judged on."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings

from gallery import crops, datasets
from gallery.errors import BadImage
from gallery.models import Box, Review
from training.drawn import Drawn, fits, load_or_draw, stated_facts
from training.errors import BadTrainingData
from training.ml.gates import Pairs
from training.ml.runtime import ImageTower, Pixels

# People that no training saw: the seed is this module's own.
DRAWN = "drawn:90002:1000"
CALIBRATION_SHARE = 0.2
MAX_CALIBRATION = 256
MAX_PAIRS = 2_000


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """calibration: (M, H, W, 3) crops; pairs: of other people; source: where from, in words."""

    calibration: Pixels
    pairs: Pairs
    source: str


def gather(name: str, image: ImageTower) -> Evidence:
    """Crops as the tower reads them, of a dataset or of drawn people (`drawn:SEED:COUNT`).

    Raises: BadTrainingData, there are too few; UnknownDataset.
    """
    if name.startswith("drawn:"):
        return _of_drawn(name, image)
    return _of_dataset(name, image)


def _of_drawn(name: str, image: ImageTower) -> Evidence:
    try:
        wanted = Drawn.parse(name)
    except ValueError as exc:
        raise BadTrainingData(str(exc)) from exc
    work = Path(settings.PEDSITE_WORK_DIR) / "converted"
    drawn = load_or_draw(wanted.seed, wanted.count, work, *image.framing.usual)
    # Two crops a person: both on one side.
    first = max(2, int(len(drawn) * CALIBRATION_SHARE) // 2 * 2)
    rows = np.arange(first, len(drawn))
    if len(rows) < 2:
        raise BadTrainingData(f"{name} has too few crops to calibrate with some and try others.")
    texts, facts = drawn.describe(rows, np.random.default_rng((wanted.seed, 5)))
    return Evidence(
        calibration=image.prepare_all(np.asarray(drawn.pixels[:first][:MAX_CALIBRATION])),
        pairs=Pairs(
            crops=image.prepare_all(np.asarray(drawn.pixels[rows])),
            texts=texts,
            fits=fits(stated_facts(facts), drawn.has[rows]),
            people=rows // 2,
        ),
        source=f"drawn people ({name})",
    )


def _of_dataset(name: str, image: ImageTower) -> Evidence:
    dataset = datasets.get(name)
    boxes = list(
        Box.objects.filter(image__dataset=dataset)
        .exclude(review=Review.HIDDEN)
        .select_related("image")
        .prefetch_related("captions")
        .order_by("pk")
    )
    by_person: dict[str, list[Box]] = {}
    for box in boxes:
        person = f"person {box.identity_id}" if box.identity_id else f"image {box.image_id}"
        by_person.setdefault(person, []).append(box)
    if len(by_person) < 2:
        raise BadTrainingData(
            f"Dataset “{name}” shows fewer than 2 people: some calibrate, others are compared."
        )
    people = list(by_person.values())
    order = np.random.default_rng(0).permutation(len(people))
    first = max(1, int(len(people) * CALIBRATION_SHARE))
    calibrating = [box for place in order[:first] for box in people[place]]
    compared = [(box, int(place)) for place in order[first:] for box in people[place]]
    return Evidence(
        calibration=_decode(calibrating[:MAX_CALIBRATION], image, name)[1],
        pairs=_pairs(compared[:MAX_PAIRS], image, name),
        source=f"dataset {name}",
    )


def _pairs(compared: list[tuple[Box, int]], image: ImageTower, name: str) -> Pairs:
    person_of = {box.pk: person for box, person in compared}
    kept, pixels = _decode([box for box, _ in compared], image, name)
    people = np.array([person_of[box.pk] for box in kept], dtype=np.int64)
    # Words that are said of several people describe all of them.
    said: dict[str, set[int]] = {}
    for box in kept:
        for caption in box.captions.all():
            if caption.review != Review.HIDDEN and not caption.is_draft:
                said.setdefault(caption.text, set()).add(person_of[box.pk])
    texts = list(said)[:MAX_PAIRS]
    described = [np.isin(people, list(said[text])) for text in texts]
    shape = (len(texts), len(kept))
    return Pairs(
        crops=pixels,
        texts=texts,
        fits=np.array(described, dtype=bool).reshape(shape),
        people=people,
    )


def _decode(boxes: list[Box], image: ImageTower, name: str) -> tuple[list[Box], Pixels]:
    """The boxes that can be read, and their crops."""
    found = [
        (box, image.prepare(pixels))
        for box, pixels in crops.load_many(boxes)
        if not isinstance(pixels, BadImage)
    ]
    if not found:
        raise BadTrainingData(f"No picture of dataset “{name}” can be read.")
    return [box for box, _ in found], np.stack([pixels for _, pixels in found])
