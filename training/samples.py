"""A snapshot as training data: crops decoded once into a memory map, captions, who is who.

An identity that the dataset gives no split gets one from a hash of its name, so that it never
changes sides between two snapshots of a dataset, whatever was added to it in between.

What reviewers confirmed is in a snapshot as captions; what they refused is held against the box:
of the boxes to train on, also of those that have no other words.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.storage import default_storage
from PIL import Image

from gallery import pictures, snapshots
from gallery.errors import BadImage
from gallery.models import Snapshot
from training.errors import BadTrainingData
from training.ml.data import CaptionedCrops, Pixels, Probe, Rows, new_pixels

TRAIN, VALIDATION, TEST = "train", "validation", "test"
# Shares of the identities that come without a split.
VALIDATION_SHARE = 0.1
TEST_SHARE = 0.1
# More pictures to select checkpoints by cost time and change no choice.
PROBE_ROWS = 1000

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Sample:
    """One captioned box of a snapshot.

    person: equal for boxes of one identity. bbox: left, top, right, bottom, as frozen.
    notes: (kind, language) of each caption, as the gallery calls them.
    rejected: texts of which reviewers said that they do not describe it.
    confirmed: captions that reviewers made of searches.
    """

    box: int
    person: str
    split: str
    file: str
    bbox: tuple[int, int, int, int]
    captions: tuple[str, ...]
    notes: tuple[tuple[str, str], ...] = ()
    rejected: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()

    @property
    def is_only_refused(self) -> bool:
        """Nothing is known of it but what it is not."""
        return bool(self.rejected) and not self.captions


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the engine reads, and the boxes left out as (box, reason)."""

    data: CaptionedCrops
    probe: Probe
    refused: list[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Crops of the training identities, then of those to select by.

    samples: N. pixels: (N, H, W, 3). people: (N,) numbers of identities. first: how many train.
    refused: the boxes left out as (box, reason).
    """

    samples: list[Sample]
    pixels: Pixels
    people: Rows
    first: int
    refused: list[tuple[str, str]]


def prepare(
    snapshot: Snapshot,
    folder: Path,
    *,
    height: int,
    width: int,
    judged: int = 0,
    tell: Tell = lambda note: None,
) -> Prepared:
    """Captioned crops to learn from, and of other identities to select by.

    Args:
        judged: how many refused texts join each batch; 0 leaves what was refused out.

    Raises: as `decode`.
    """
    found_all = samples(snapshots.read(snapshot), snapshot.dataset.name, refused=judged > 0)
    chosen = select(found_all)
    found = decode(chosen, folder, height=height, width=width, tell=tell)
    captions = [sample.captions for sample in found.samples]
    first, people, pixels = found.first, found.people, found.pixels
    rejected = [sample.rejected for sample in found.samples]
    confirmed = frozenset(text for sample in found.samples for text in sample.confirmed)
    held_out = CaptionedCrops(
        pixels[first:], people[first:], captions[first:], rejected[first:], confirmed=confirmed
    )
    rows = np.arange(min(len(held_out), PROBE_ROWS))
    return Prepared(
        data=CaptionedCrops(
            pixels[:first],
            people[:first],
            captions[:first],
            rejected[:first],
            judged=judged,
            confirmed=confirmed,
        ),
        probe=held_out.probe(rows, np.random.default_rng(0)),
        refused=found.refused,
    )


def decode(
    chosen: list[Sample], folder: Path, *, height: int, width: int, tell: Tell = lambda note: None
) -> Decoded:
    """Crops of what `select` chose; test identities are not even decoded.

    Crops are resized as `runtime.ImageTower` does it, and kept in the folder for the next start
    of the same run.

    Raises: BadTrainingData, fewer than two boxes to train on, or to select by.
    """
    path = folder / f"crops-{height}x{width}.npy"
    index = path.with_suffix(".json")
    if not index.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _decode(chosen, path, index, height, width, tell)
    stored = json.loads(index.read_text("utf-8"))
    kept = [_read(sample) for sample in stored["samples"]]
    numbers = {person: number for number, person in enumerate(sorted({s.person for s in kept}))}
    first = sum(sample.split == TRAIN for sample in kept)
    refuse_few(kept)
    return Decoded(
        samples=kept,
        pixels=np.load(path, mmap_mode="r")[: len(kept)],
        people=np.array([numbers[sample.person] for sample in kept], dtype=np.int64),
        first=first,
        refused=[(box, reason) for box, reason in stored["refused"]],
    )


def refuse_few(chosen: list[Sample]) -> None:
    """Raises: BadTrainingData, fewer than two boxes to train on, or to select by."""
    first = sum(sample.split == TRAIN and not sample.is_only_refused for sample in chosen)
    held_out = sum(sample.split == VALIDATION for sample in chosen)
    if first < 2 or held_out < 2:
        raise BadTrainingData(
            f"{first} boxes to train on and {held_out} to select by are "
            "too few: at least 2 of each, of different people, are needed. Boxes of the split "
            "test are left out."
        )


def _read(stored: dict[str, Any]) -> Sample:
    # JSON knows no tuples.
    return Sample(
        **stored
        | {
            "notes": tuple((kind, language) for kind, language in stored["notes"]),
            "rejected": tuple(stored.get("rejected", ())),
            "confirmed": tuple(stored.get("confirmed", ())),
        }
    )


def samples(
    entries: Iterable[dict[str, Any]], dataset: str, *, refused: bool = False
) -> list[Sample]:
    """The captioned boxes of a snapshot, each with its person and split.

    A caption of which reviewers said that it does not describe the box is left out.

    Args:
        refused: with what reviewers refused, and with the boxes that have nothing else. Without,
            what they confirmed is left out of boxes that have other words: it fits others as well,
            and whoever is not told so learns the contrary.
    """
    found = []
    for entry in entries:
        rejected = tuple(one["text"] for one in entry.get("rejected", ()))
        captions: dict[str, tuple[str, str]] = {}
        own = [one for one in entry["captions"] if "source" not in one]
        for one in entry["captions"] if refused else own or entry["captions"]:
            # What comes twice counts once.
            if one["text"] not in rejected:
                captions.setdefault(one["text"], (one["kind"], one["language"]))
        if not captions and not (refused and rejected):
            continue
        # Nobody said who is in such a box: it is a person of its own, but boxes of one picture
        # stay on one side.
        person = entry["identity"] or f"box {entry['box']}"
        together = entry["identity"] or f"image {entry['image']}"
        split = entry["split"] or split_of(dataset, together)
        sample = _sample(entry, person, split)
        found.append(
            replace(
                sample,
                captions=tuple(captions),
                notes=tuple(captions.values()),
                rejected=rejected if refused else (),
                confirmed=tuple(
                    one["text"]
                    for one in entry["captions"]
                    if "source" in one and one["text"] in captions
                ),
            )
        )
    return found


def named(
    entries: Iterable[dict[str, Any]], dataset: str, *, hold_out_pictures: bool
) -> list[Sample]:
    """The boxes of a snapshot whose identity is known, with or without words.

    Args:
        hold_out_pictures: of each training identity one picture in ten validates, and at least
            two where there are four, instead of one identity in ten: where the same classes will
            be asked for that were trained.
    """
    found = []
    for entry in entries:
        person = entry["identity"]
        if not person:
            continue
        split = entry["split"] or (TRAIN if hold_out_pictures else split_of(dataset, person))
        found.append(_sample(entry, person, split))
    return _pictures_held_out(found, dataset) if hold_out_pictures else found


def _pictures_held_out(found: list[Sample], dataset: str) -> list[Sample]:
    of_person: dict[str, list[Sample]] = {}
    for sample in found:
        if sample.split == TRAIN:
            of_person.setdefault(sample.person, []).append(sample)
    held_out = set()
    for own in of_person.values():
        own.sort(key=lambda sample: _place(dataset, f"box {sample.box}"))
        count = max(2, round(VALIDATION_SHARE * len(own))) if len(own) >= 4 else 0
        held_out |= {sample.box for sample in own[:count]}
    return [_moved(one, VALIDATION) if one.box in held_out else one for one in found]


def _sample(entry: dict[str, Any], person: str, split: str) -> Sample:
    return Sample(
        box=entry["box"],
        person=person,
        split=split,
        file=entry["file"],
        bbox=tuple(entry["bbox"]),
        captions=(),
    )


def split_of(dataset: str, person: str) -> str:
    """The split of somebody who has none: one in ten validates, one in ten tests."""
    place = _place(dataset, person)
    if place < TEST_SHARE:
        return TEST
    return VALIDATION if place < TEST_SHARE + VALIDATION_SHARE else TRAIN


def _place(dataset: str, person: str) -> float:
    """A number in [0, 1) that is always the same for a person of a dataset."""
    digest = hashlib.sha256(f"{dataset}\n{person}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def select(found: list[Sample]) -> list[Sample]:
    """Training samples, then validation samples; ordered by file within each.

    Those without words of their own come last among the training ones, and validate nothing. A
    small dataset may leave nobody to select by: then the people whose hashes come first are
    taken from training, as few as give two boxes.
    """
    refused = [sample for sample in found if sample.is_only_refused and sample.split == TRAIN]
    found = [sample for sample in found if not sample.is_only_refused]
    training = [sample for sample in found if sample.split == TRAIN]
    held_out = [sample for sample in found if sample.split == VALIDATION]
    for person in sorted({s.person for s in training}, key=lambda person: _place("", person)):
        if len(held_out) >= 2:
            break
        held_out += [sample for sample in training if sample.person == person]
        training = [sample for sample in training if sample.person != person]
    by_file = attrgetter("file", "box")
    selecting = {sample.person for sample in held_out}
    refused = [sample for sample in refused if sample.person not in selecting]
    training = sorted(training, key=by_file) + sorted(refused, key=by_file)
    training = [_moved(sample, TRAIN) for sample in training]
    # By hash, so that the rows that the probe takes are a fair choice.
    held_out = sorted(held_out, key=lambda sample: _place("", f"{sample.person} {sample.box}"))
    held_out = sorted(held_out[:PROBE_ROWS], key=by_file)
    return training + [_moved(sample, VALIDATION) for sample in held_out]


def _moved(sample: Sample, split: str) -> Sample:
    return Sample(**{**vars(sample), "split": split})


def _decode(
    chosen: list[Sample], path: Path, index: Path, height: int, width: int, tell: Tell
) -> None:
    """Each file opened once; the index is written last and says that the crops are complete."""
    shape = (max(1, len(chosen)), height, width, 3)
    pixels = new_pixels(path, shape)
    kept: list[Sample] = []
    refused: list[tuple[str, str]] = []
    for (_split, file), group in groupby(chosen, key=attrgetter("split", "file")):
        picture = _open(file)
        for sample in group:
            if isinstance(picture, BadImage):
                refused.append((f"box {sample.box}", str(picture)))
                continue
            cut = picture.crop(sample.bbox)
            pixels[len(kept)] = np.asarray(cut.resize((width, height), Image.Resampling.BILINEAR))
            kept.append(sample)
        tell(f"decoding {len(kept) + len(refused)} of {len(chosen)} boxes")
    pixels.flush()
    draft = index.with_suffix(".part")
    stored = {"samples": [asdict(sample) for sample in kept], "refused": refused}
    draft.write_text(json.dumps(stored), "utf-8")
    draft.replace(index)


def _open(file: str) -> Image.Image | BadImage:
    try:
        with default_storage.open(file, "rb") as stored:
            return pictures.open_upright(stored.read())
    except BadImage as exc:
        return exc
    except OSError as exc:
        return BadImage(f"The stored file {file} cannot be read: {exc}")
