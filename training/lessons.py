"""What each recipe learns from: pictures, words, labels, and what a teacher says of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gallery import snapshots
from gallery.models import Caption, Snapshot
from training import continuing, drawn, drawn_lessons, samples, teachers, versions
from training.drawn import Drawn
from training.drawn_lessons import TaughtCrops
from training.errors import BadTrainingData, UnknownVersion
from training.ml import teacher as stores
from training.ml.config import IN_TEACHERS_SPACE, TrainConfig, room_for
from training.ml.data import ATTRIBUTES, CAPTION, CHINESE, ENGLISH, PROMPT, PairData, Probe
from training.ml.described import DescribedCrops, Description, Lesson
from training.ml.labelled import LabelledCrops
from training.ml.runtime import ImageTower, TextTower
from training.ml.teacher import Store
from training.models import ModelVersion, Teacher, TrainingRun
from training.samples import Decoded

Tell = Callable[[str], None]
Refuse = Callable[[list[tuple[str, str]]], None]

TAUGHT = ("distill", "distill_text")
_KINDS = {
    Caption.Kind.CAPTION.value: CAPTION,
    Caption.Kind.ATTRIBUTES.value: ATTRIBUTES,
    Caption.Kind.PROMPT.value: PROMPT,
}
_BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Room:
    """Where a run keeps its files on this machine, and who listens."""

    folder: Path
    tell: Tell
    refuse: Refuse


def find_teacher(name: str) -> ModelVersion | Teacher:
    """The version of this name, or the vectors that were extracted under it.

    Raises: BadTrainingData, no teacher is named; UnknownTeacher.
    """
    if not name:
        raise BadTrainingData("This recipe learns from a teacher: set teacher to a version's name.")
    try:
        return versions.get(name)
    except UnknownVersion:
        return teachers.get(name)


def partner(config: TrainConfig) -> ModelVersion:
    """The version whose image tower a text tower will be paired with.

    Raises: UnknownVersion, there is none of the name in `pair_with`; BadTrainingData, that is not
        set though the teacher is no version, or the two differ in width.
    """
    taught = find_teacher(config.teacher)
    if not config.pair_with and not isinstance(taught, ModelVersion):
        raise BadTrainingData(
            f"Teacher “{taught.name}” holds vectors and has no image tower to search with: name "
            "the version of the same model in pair_with."
        )
    found = versions.get(config.pair_with or config.teacher)
    if found.dim != taught.dim:
        raise BadTrainingData(
            f"The teacher gives {taught.dim} dimensions and {found.name} {found.dim}: name the "
            "version of the same model in pair_with."
        )
    return found


def check(config: TrainConfig) -> None:
    """Refuse at once what could not be learned.

    Raises: as `find_teacher`, `partner` and `continuing.towers`.
    """
    if config.recipe in TAUGHT:
        taught = find_teacher(config.teacher)
        if isinstance(taught, ModelVersion) and taught.is_image_only:
            raise BadTrainingData(f"Version “{taught.name}” reads no words: it cannot teach them.")
        # Crops are stretched to a size for a version; that is not what this one would see.
        if isinstance(taught, ModelVersion) and "resize" in taught.image_encoder.preprocessing:
            raise BadTrainingData(
                f"Version “{taught.name}” frames pictures in a way of its own: extract the vectors "
                "of its model with extract_teacher, and name that teacher."
            )
        _check_width(config, taught)
    if config.recipe == "distill_text":
        partner(config)
    if config.start:
        continuing.towers(config)


def _check_width(config: TrainConfig, taught: ModelVersion | Teacher) -> None:
    """Raises: BadTrainingData, a term compares with the teacher's vectors, of another width."""
    needing = [term for term in IN_TEACHERS_SPACE if getattr(config, term)]
    if config.dim == taught.dim or (config.recipe == "distill" and not needing):
        return
    otherwise = f", or {', '.join(needing)} to 0" if config.recipe == "distill" else ""
    raise BadTrainingData(
        f"Teacher “{taught.name}” gives {taught.dim} dimensions and the student {config.dim}: set "
        f"dim={taught.dim}{otherwise}."
    )


def check_drawn(config: TrainConfig) -> None:
    """Refuse at once what drawn people cannot teach. Raises: BadTrainingData."""
    needed = room_for(len(drawn.FACTS))
    if config.knows_facts and config.towers != "text" and config.dim < needed:
        raise BadTrainingData(
            f"Drawn people know {len(drawn.FACTS)} facts, which need dim={needed} or more, not "
            f"{config.dim}; with attribute_weight=0 they are not learned from."
        )


def needs_words(config: TrainConfig) -> bool:
    """Whether a dataset without captions can teach this config nothing."""
    return config.towers != "image"


def check_snapshot(config: TrainConfig, snapshot: Snapshot) -> None:
    """Refuse at once boxes that are too few, before any is decoded. Raises: BadTrainingData."""
    if needs_words(config) and not snapshot.caption_count:
        raise BadTrainingData(
            f"Dataset “{snapshot.dataset.name}” has no captions: there are no words to learn from."
        )
    samples.refuse_few(_chosen(config, snapshot))


def _chosen(config: TrainConfig, snapshot: Snapshot) -> list[samples.Sample]:
    """What a snapshot gives to train on, then to select by."""
    entries, name = snapshots.read(snapshot), snapshot.dataset.name
    if config.towers != "image":
        return samples.select(samples.samples(entries, name, refused=_judged(config) > 0))
    by_pictures = config.held_out == "pictures"
    return samples.select(samples.named(entries, name, hold_out_pictures=by_pictures))


def _judged(config: TrainConfig) -> int:
    """Refused texts that join each batch, of a recipe that learns from them."""
    return config.judged if config.recipe == "clip" and config.rejection_weight else 0


def prepare(run: TrainingRun, config: TrainConfig, room: Room) -> tuple[PairData, Probe]:
    """Data to train on and a probe of others to select by.

    Raises: BadTrainingData; UnknownVersion, UnknownTeacher, TeacherNotReady, CorruptArtifact.
    """
    if run.snapshot is None:
        return _of_drawn(Drawn.parse(run.drawn), config, room)
    if config.towers == "image":
        return _labelled(run.snapshot, config, room)
    if config.recipe in TAUGHT:
        return _taught(run.snapshot, config, room)
    prepared = samples.prepare(
        run.snapshot,
        room.folder,
        height=config.height,
        width=config.width,
        judged=_judged(config),
        tell=room.tell,
    )
    room.refuse(prepared.refused)
    return prepared.data, prepared.probe


def _labelled(snapshot: Snapshot, config: TrainConfig, room: Room) -> tuple[PairData, Probe]:
    decoded = samples.decode(
        _chosen(config, snapshot),
        room.folder,
        height=config.height,
        width=config.width,
        tell=room.tell,
    )
    room.refuse(decoded.refused)
    first, people = decoded.first, decoded.people
    data = LabelledCrops(decoded.pixels[:first], people[:first], negatives=config.negatives)
    held_out = LabelledCrops(decoded.pixels[first:], people[first:])
    probe = held_out.probe(np.arange(len(held_out)))
    if not (probe.positive.sum(axis=1) > 1).any():
        raise BadTrainingData(
            "No two pictures to select by show the same: give identities more pictures, or set "
            "held_out=pictures."
        )
    return data, probe


def _taught(snapshot: Snapshot, config: TrainConfig, room: Room) -> tuple[PairData, Probe]:
    taught = find_teacher(config.teacher)
    chosen = _chosen(config, snapshot)
    size = {"height": config.height, "width": config.width}
    decoded = samples.decode(chosen, room.folder, **size, tell=room.tell)
    room.refuse(decoded.refused)
    if isinstance(taught, Teacher):
        store = teachers.store(taught)
    else:
        store = _store_of(taught, chosen, room)
    first = decoded.first
    data = _described(decoded, slice(None, first), store, config)
    held_out = _described(decoded, slice(first, None), store, config)
    rows = np.arange(min(len(held_out), samples.PROBE_ROWS))
    by_teacher = config.towers == "text"
    probe = held_out.probe(rows, np.random.default_rng(0), by_teacher=by_teacher)
    if not len(probe.texts):
        raise BadTrainingData("The teacher knows none of the pictures to select by.")
    return data, probe


def _described(decoded: Decoded, part: slice, store: Store, config: TrainConfig) -> DescribedCrops:
    kept = decoded.samples[part]
    descriptions = [
        [
            Description(text, _KINDS[kind], CHINESE if language == "zh" else ENGLISH)
            for text, (kind, language) in zip(sample.captions, sample.notes, strict=True)
        ]
        for sample in kept
    ]
    lesson = Lesson(
        images=store.images,
        image_rows=store.image_rows(sample.box for sample in kept),
        texts=store.texts,
        text_rows=[store.text_rows(sample.captions) for sample in kept],
    )
    kinds = [
        kind
        for kind, wanted in ((ATTRIBUTES, config.attributes), (PROMPT, config.prompts))
        if wanted
    ]
    return DescribedCrops(
        decoded.pixels[part],
        decoded.people[part],
        descriptions,
        lesson,
        kinds=kinds,
        bilingual=config.towers == "text",
        target=config.text_target,
    )


def _store_of(version: ModelVersion, chosen: list[samples.Sample], room: Room) -> Store:
    """The vectors that a version's towers give, computed once into the run's folder."""
    folder = room.folder / "lesson"
    if (folder / stores.ABOUT).exists():
        return Store.open(folder)
    image, text = _towers(version)
    decoded = samples.decode(
        chosen, room.folder, height=image.height, width=image.width, tell=room.tell
    )
    vectors = []
    for start in range(0, len(decoded.samples), _BATCH):
        vectors.append(image.encode(np.asarray(decoded.pixels[start : start + _BATCH])))
        room.tell(f"the teacher looks at {start} of {len(decoded.samples)} pictures")
    texts = sorted({text for sample in decoded.samples for text in sample.captions})
    said = []
    for start in range(0, len(texts), _BATCH):
        said.append(text.encode(texts[start : start + _BATCH]))
        room.tell(f"the teacher reads {start} of {len(texts)} texts")
    return stores.write(
        folder,
        {"name": version.name, "model": version.name, "dim": version.dim},
        boxes=[sample.box for sample in decoded.samples],
        images=np.concatenate(vectors),
        texts=texts,
        vectors=np.concatenate(said),
    )


def _towers(version: ModelVersion) -> tuple[ImageTower, TextTower]:
    if version.text_encoder is None:
        raise BadTrainingData(f"Version “{version.name}” reads no words: it cannot teach them.")
    return versions.image_tower(version.image_encoder), versions.text_tower(version.text_encoder)


def _of_drawn(wanted: Drawn, config: TrainConfig, room: Room) -> tuple[PairData, Probe]:
    size = {"height": config.height, "width": config.width}

    def report(done: int, count: int) -> None:
        room.tell(f"drawing {done} of {count} people")

    if config.recipe in TAUGHT:
        return _taught_drawn(wanted, config, room, report)
    data, probe = drawn.prepare(wanted, room.folder, **size, report=report)
    if config.towers == "image":
        people = np.arange(len(probe.pixels)) // drawn.CROPS_EACH
        labelled = LabelledCrops(data.pixels, data.identities, negatives=config.negatives)
        return labelled, LabelledCrops(probe.pixels, people).probe(np.arange(len(people)))
    return data, probe


def _taught_drawn(
    wanted: Drawn, config: TrainConfig, room: Room, report: Callable[[int, int], None]
) -> tuple[PairData, Probe]:
    taught = find_teacher(config.teacher)
    if isinstance(taught, Teacher):
        raise BadTrainingData(
            f"“{taught.name}” holds vectors of a dataset: people that are drawn have none. "
            "Train on the dataset, or name a version as the teacher."
        )
    image, text = _towers(taught)
    total = wanted.count + drawn.PROBE_CROPS
    seen = drawn.load_or_draw(
        wanted.seed, total, room.folder, image.height, image.width, report=report
    )
    images = drawn_lessons.taught_images(
        seen, image.encode, room.folder / "lesson-images.npy", room.tell
    )
    text_only = config.towers == "text"
    size = (image.height, image.width) if text_only else (config.height, config.width)
    crops = drawn.load_or_draw(wanted.seed, total, room.folder, *size, report=report)
    inside = drawn.part(crops, wanted.count)
    data = TaughtCrops(
        inside,
        images[: wanted.count],
        text,
        attributes=config.attributes,
        bilingual=text_only,
        target=config.text_target,
    )
    rows = np.arange(wanted.count + wanted.count % drawn.CROPS_EACH, total)
    if text_only:
        return data, drawn_lessons.taught_probe(crops, rows, images, wanted.seed)
    rng = np.random.default_rng((wanted.seed, 3))
    return data, crops.probe(rows, drawn.PROBE_TEXTS, rng)
