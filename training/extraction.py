"""A teacher's vectors, computed in shards. Loads torch: only `run_extraction` imports it."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from gallery import crops
from gallery.errors import BadImage
from gallery.models import Box
from training import teachers
from training.errors import BadForeignModel, BadTeacher
from training.ml import foreign
from training.ml.foreign import Foreign, ForeignError, Prepared
from training.ml.runtime import TowerError
from training.ml.teacher import ABOUT, Shards, Store
from training.models import Teacher

# Boxes or texts that a process which is killed loses at most.
SHARD = 128
BATCH = 16


class Voice(Protocol):
    """Whoever is told; see `child.Voice`."""

    def progress(self, done: int, total: int, note: str) -> None: ...

    def failures(self, found: list[tuple[str, str]]) -> None: ...


def run(teacher: Teacher, voice: Voice) -> Teacher:
    """Compute what is missing, store it all, and make the teacher ready.

    Raises: BadForeignModel, the model cannot be loaded or gives no usable vectors; BadTeacher, no
        picture can be read; Stopped, with the shards that are whole kept.
    """
    boxes, texts = _items(teacher)
    voice.progress(0, len(boxes) + len(texts), "loading the model")
    try:
        model = foreign.load(
            teacher.model, revision=teacher.revision, trust_remote_code=teacher.trusted
        )
        dim = model.dim()
        return _extract(teacher, model, dim, boxes, texts, voice)
    except (ForeignError, TowerError) as exc:
        raise BadForeignModel(f"{str(exc)[:1].upper()}{str(exc)[1:]}.") from exc


def _extract(
    teacher: Teacher,
    model: Foreign,
    dim: int,
    boxes: list[int],
    texts: list[str],
    voice: Voice,
) -> Teacher:
    about = {
        "name": teacher.name,
        "model": teacher.model,
        "revision": model.revision,
        "licence": teacher.licence or model.licence,
        "dim": dim,
        "preprocessing": model.preprocessing,
    }
    home = teachers.folder(teacher)
    # A model that was changed since has shards of its own, and so have shards of another size.
    what = json.dumps([model.revision, model.preprocessing, SHARD, BATCH], sort_keys=True)
    shards = Shards(folder=home / hashlib.sha256(what.encode()).hexdigest()[:20])
    # Killed after all was merged and before it was in storage.
    if not (shards.folder / ABOUT).is_file():
        _compute(model, dim, shards, boxes, texts, voice)
        shards.merge(about, boxes=boxes, texts=texts, size=SHARD)
    store = Store.open(shards.folder)
    if not len(store.boxes):
        shutil.rmtree(home, ignore_errors=True)
        raise BadTeacher(f"No picture of {teacher.snapshot} can be read.")
    teachers.keep(teacher, store)
    shutil.rmtree(home, ignore_errors=True)
    return teacher


def _compute(
    model: Foreign,
    dim: int,
    shards: Shards,
    boxes: list[int],
    texts: list[str],
    voice: Voice,
) -> None:
    """Every shard that is not there yet."""
    total = len(boxes) + len(texts)
    done = 0
    for number, part in enumerate(_parts(boxes)):
        if not shards.has("image", number):
            rows, vectors = _pictures(model, dim, part, voice, (done, total))
            shards.keep("image", number, rows, vectors)
        done += len(part)
        voice.progress(done, total, "pictures")
    for number, part in enumerate(_parts(texts)):
        if not shards.has("text", number):
            vectors = _texts(model, part, voice, (done, total))
            shards.keep("text", number, np.arange(len(part)), vectors)
        done += len(part)
        voice.progress(done, total, "texts")


def _items(teacher: Teacher) -> tuple[list[int], list[str]]:
    """Boxes, those of one picture side by side, and every distinct text once."""
    boxes: list[tuple[int, int]] = []
    texts: dict[str, None] = {}
    for entry in teachers.entries(teacher.snapshot, teacher.split):
        boxes.append((entry["image"], entry["box"]))
        texts.update(dict.fromkeys(caption["text"] for caption in entry["captions"]))
    return [box for _image, box in sorted(boxes)], list(texts)


def _parts(items: list[Any]) -> list[list[Any]]:
    return [items[first : first + SHARD] for first in range(0, len(items), SHARD)]


def _pictures(
    model: Foreign, dim: int, numbers: Sequence[int], voice: Voice, at: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Which of these boxes can be read, as places among them, and their vectors."""
    place = {number: row for row, number in enumerate(numbers)}
    rows: list[int] = []
    vectors = [np.zeros((0, dim), np.float32)]
    for batch in _prepared(model, numbers, voice):
        rows += [place[number] for number, _prepared in batch]
        vectors.append(model.encode_pictures([prepared for _number, prepared in batch]))
        voice.progress(at[0] + len(rows), at[1], "pictures")
    gone = sorted(
        set(numbers) - set(Box.objects.filter(pk__in=numbers).values_list("pk", flat=True))
    )
    voice.failures([(f"box {number}", "It was deleted.") for number in gone])
    return np.array(rows, np.int64), np.concatenate(vectors)


def _prepared(
    model: Foreign, numbers: Sequence[int], voice: Voice
) -> Iterator[list[tuple[int, Prepared]]]:
    """Boxes with what the model reads of them, each picture decoded once, some at a time."""
    found = Box.objects.select_related("image").filter(pk__in=numbers).order_by("image_id", "pk")
    batch: list[tuple[int, Prepared]] = []
    for box, pixels in crops.load_many(found):
        if isinstance(pixels, BadImage):
            voice.failures([(f"box {box.pk}", str(pixels))])
            continue
        batch.append((box.pk, model.prepare(pixels)))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _texts(model: Foreign, texts: Sequence[str], voice: Voice, at: tuple[int, int]) -> np.ndarray:
    vectors = []
    for first in range(0, len(texts), BATCH):
        vectors.append(model.encode_texts(texts[first : first + BATCH]))
        voice.progress(at[0] + first, at[1], "texts")
    return np.concatenate(vectors)
