"""Teachers: a foreign model's vectors of a dataset, asked for, computed, stored and opened.

They are computed by `training.extraction`, in a process of its own; nothing here loads torch.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_noop

from gallery import snapshots
from gallery.models import Dataset, Snapshot
from pedsite.accounts.models import User
from pedsite.jobs import work as jobs
from pedsite.jobs.work import Work
from training import artifacts, child, samples, versions
from training.errors import (
    BadTeacher,
    CorruptArtifact,
    ExtractionFailed,
    NameTaken,
    TeacherNotReady,
    UnknownTeacher,
)
from training.ml import teacher as stores
from training.ml.teacher import Store, StoreError
from training.models import Evaluation, Teacher

KIND = gettext_noop("extract")
SPLITS = ("", *Evaluation.Split.values)
# Where stores lie in storage, one folder each.
PLACE = "teachers"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")


def get(name: str) -> Teacher:
    """The teacher of this name with its snapshot and job. Raises: UnknownTeacher."""
    try:
        return Teacher.objects.with_context().get(name=name)
    except Teacher.DoesNotExist:
        raise UnknownTeacher(name) from None


@transaction.atomic
def request(
    model: str,
    dataset: Dataset,
    *,
    name: str = "",
    split: str = "",
    revision: str = "",
    trusted: bool = False,
    licence: str = "",
    user: User | None = None,
    queue: bool = True,
) -> Teacher:
    """Freeze a dataset and have a model's vectors of its boxes and captions computed.

    Asked again for the same, one that is there or on its way is returned, and one that was
    interrupted goes on from its shards.

    Args:
        model: an id of the hub, or a folder that `transformers` saved.
        name: of the teacher; default from the model's and the dataset's.
        split: of the boxes; all if empty.
        revision: of the hub; default the newest.
        trusted: whether Python code that comes with the model may run.
        licence: of the model; default what its card says.

    Raises: BadTeacher, BadVersionName, NameTaken, UnknownDataset.
    """
    if split not in SPLITS:
        raise BadTeacher(f"“{split}” is no split: there is {', '.join(SPLITS[1:])}.")
    model = _model(model)
    name = versions.check_name(name or _name(model, dataset, split))
    snapshot = snapshots.freeze(dataset, user)
    if next(entries(snapshot, split), None) is None:
        raise BadTeacher(f"Dataset “{dataset.name}” has no boxes in the split “{split or 'all'}”.")
    asked = {"model": model, "split": split, "trusted": trusted}
    found = Teacher.objects.select_for_update(of=("self",)).filter(name=name).first()
    if found is not None:
        _refuse_other(found, snapshot, asked)
        unchanged = found.snapshot_id == snapshot.pk
        if found.is_ready or (unchanged and found.job is not None and not found.job.is_over):
            return found
    else:
        found = Teacher(name=name, revision=revision, licence=licence, **asked)
    found.snapshot = snapshot
    found.job = jobs.request(
        KIND,
        task="training.extract",
        params={"teacher": name, "model": model, "dataset": dataset.name, "split": split},
        user=user,
        queue=queue,
    )
    found.save()
    transaction.on_commit(sweep)
    return found


def _model(model: str) -> str:
    """A folder by its whole path, an id as it is. Raises: BadTeacher."""
    path = Path(model).expanduser()
    if path.is_dir() or model.startswith(("/", ".", "~")) or model.count("/") > 1:
        if not path.is_dir():
            raise BadTeacher(f"There is no folder {model}.")
        if not (path / "config.json").is_file():
            raise BadTeacher(f"{model} holds no config.json: transformers saved no model there.")
        return str(path.resolve())
    if not HUB_ID.fullmatch(model) or len(model) > 200:
        raise BadTeacher(f"“{model[:200]}” is neither a folder nor an id of the hub.")
    return model


def _name(model: str, dataset: Dataset, split: str) -> str:
    words = "-".join(part for part in (Path(model).name, dataset.name, split) if part)
    return re.sub(r"[^A-Za-z0-9_.-]", "-", words).lstrip("_.-")[:100]


def _refuse_other(found: Teacher, snapshot: Snapshot, asked: dict[str, Any]) -> None:
    same = found.snapshot.dataset_id == snapshot.dataset_id
    if not same or any(getattr(found, key) != value for key, value in asked.items()):
        raise NameTaken(
            f"The teacher “{found.name}” is {found.model} on {found.snapshot.dataset.name}: "
            "choose another name."
        )
    if found.is_ready and found.snapshot_id != snapshot.pk:
        raise NameTaken(
            f"The teacher “{found.name}” has seen {found.snapshot}, and the dataset has changed "
            "since: choose another name, or remove it first (remove_teacher)."
        )


def entries(snapshot: Snapshot, split: str) -> Iterator[dict[str, Any]]:
    """The boxes of a snapshot, as `snapshots.read` gives them, of a split or all."""
    for entry in snapshots.read(snapshot):
        together = entry["identity"] or f"image {entry['image']}"
        its = entry["split"] or samples.split_of(snapshot.dataset.name, together)
        if split in ("", its):
            yield entry


def step(work: Work, *, turn_s: float | None = None) -> bool:
    """Has the vectors of the job's teacher computed; True if it was interrupted and can go on.

    Args:
        turn_s: see `child.watch`.

    Raises: ExtractionFailed, with what the process said last; UnknownTeacher.
    """
    teacher = get(work.params["teacher"])
    if not teacher.is_ready:
        log = folder(teacher).with_suffix(".log")
        command = ["run_extraction", str(teacher.pk)]
        ended = child.watch(work, command, log, what="The extraction process", turn_s=turn_s)
        if ended.stopped:
            return True
        if "teacher" not in ended.said:
            raise ExtractionFailed(ended.said.get("error") or ended.reason)
        log.unlink(missing_ok=True)
    work.advance(note="")
    work.keep(teacher=teacher.name)
    return False


def folder(teacher: Teacher) -> Path:
    """Where the shards of a teacher lie on this machine until they are all there.

    Made from what is computed, not from the teacher's number: who asks for the same again goes
    on from what is there.
    """
    frozen = teacher.snapshot.fingerprint
    what = [teacher.model, teacher.revision, teacher.trusted, teacher.split, frozen]
    key = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:20]
    return Path(settings.PEDSITE_WORK_DIR) / "extractions" / key


def keep(teacher: Teacher, store: Store) -> Teacher:
    """Put a whole store into storage; from then on the teacher is ready."""
    key = artifacts.sha256_of(store.folder / stores.ABOUT)[:12]
    files = {}
    for name in stores.FILES:
        path = store.folder / name
        target = f"{PLACE}/{teacher.pk}-{key}/{name}"
        # Left by a process that was killed before the row knew of it.
        default_storage.delete(target)
        with path.open("rb") as stream:
            stored = default_storage.save(target, File(stream))
        size = path.stat().st_size
        files[name] = {"name": stored, "sha256": artifacts.sha256_of(path), "size": size}
    about = store.about
    teacher.files = files
    teacher.dim = store.dim
    teacher.image_count, teacher.text_count = len(store.boxes), len(store.keys)
    teacher.revision = about.get("revision", "")
    teacher.licence = teacher.licence or about.get("licence", "")
    teacher.preprocessing = about.get("preprocessing", {})
    teacher.save()
    return teacher


def store(teacher: Teacher) -> Store:
    """The vectors of a teacher, memory-mapped from a local copy.

    Raises: TeacherNotReady; CorruptArtifact, a stored file is gone or is not the one kept.
    """
    if not teacher.is_ready:
        raise TeacherNotReady(f"The vectors of the teacher “{teacher.name}” are not computed yet.")
    return _opened(json.dumps(teacher.files, sort_keys=True))


@lru_cache(maxsize=2)
def _opened(files: str) -> Store:
    try:
        return Store.open(_local(json.loads(files)))
    except StoreError as exc:
        raise CorruptArtifact(str(exc)) from exc


def _local(files: dict[str, Any]) -> Path:
    """A folder of this machine with the stored files: storage's own, or checked copies."""
    home = Path(files[stores.ABOUT]["name"]).parent.name
    try:
        place = Path(default_storage.path(files[stores.ABOUT]["name"])).parent
    # So Django's storages say that their files are not on this machine, such as those of S3: not
    # swallowed, the files are fetched.
    except NotImplementedError:
        place = Path(settings.PEDSITE_WORK_DIR) / PLACE / home
        _fetch(files, place)
    for name, kept in files.items():
        path = place / name
        if not path.is_file() or path.stat().st_size != kept["size"]:
            raise CorruptArtifact(f"The stored file {kept['name']} of a teacher is gone or cut.")
    return place


def _fetch(files: dict[str, Any], place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for name, kept in files.items():
        path = place / name
        # Megabytes to gigabytes: hashed as they come, not at every start.
        if not path.is_file() or path.stat().st_size != kept["size"]:
            copy = artifacts.fetch(kept["name"], kept["sha256"])
            copy.replace(path)


def box_vectors(
    teacher: Teacher, numbers: list[int]
) -> tuple[list[int], np.ndarray, list[tuple[str, str]]]:
    """Boxes that have a vector, those (n, dim), and the others as (item, reason)."""
    found = store(teacher)
    rows = found.image_rows(numbers)
    kept = [number for number, row in zip(numbers, rows, strict=True) if row >= 0]
    lost = [number for number, row in zip(numbers, rows, strict=True) if row < 0]
    reason = "The teacher has no vector of it."
    return kept, found.images[rows[rows >= 0]], [(f"box {number}", reason) for number in lost]


def text_vectors(teacher: Teacher, texts: list[str]) -> tuple[list[str], np.ndarray]:
    """Texts that have a vector, and those (n, dim)."""
    found = store(teacher)
    rows = found.text_rows(texts)
    kept = [text for text, row in zip(texts, rows, strict=True) if row >= 0]
    return kept, found.texts[rows[rows >= 0]]


def remove(teacher: Teacher) -> None:
    """Remove a teacher with its files and the evaluations of it. Raises: BadTeacher."""
    if teacher.job is not None and not teacher.job.is_over:
        raise BadTeacher(f"“{teacher.name}” is being computed: cancel job {teacher.job_id} first.")
    shutil.rmtree(folder(teacher), ignore_errors=True)
    teacher.delete()
    sweep()


def sweep() -> None:
    """Delete stored vectors that belong to no teacher any more, as when a dataset is deleted."""
    try:
        found, _files = default_storage.listdir(PLACE)
    except FileNotFoundError:
        return
    alive = {str(pk) for pk in Teacher.objects.values_list("pk", flat=True)}
    for home in found:
        if home.split("-")[0] not in alive:
            for name in stores.FILES:
                default_storage.delete(f"{PLACE}/{home}/{name}")
            default_storage.delete(f"{PLACE}/{home}")
