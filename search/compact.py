"""Compact codes: an encoder's vectors in a tenth of the memory, for galleries that outgrow it.

A file in storage holds a code of some bytes for each vector up to a number (LOPQ,
`search.neighbours`); every process that searches with it maps a local copy. Codes only propose:
the database compares what they propose exactly, under the filters and grants of the search, with
all rows that came since. So nothing is found that was hidden, deleted or not granted, though the
code of a deleted box stays in the file until it is built again.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from pedsite.jobs import work as jobs
from search import index, tuning
from search.errors import TooFewForCodes
from search.models import CompactIndex, Embedding
from search.querysets import EmbeddingQuerySet
from search.scope import Scope
from training import artifacts, versions
from training.errors import CorruptArtifact
from training.models import Encoder, ModelVersion

if TYPE_CHECKING:
    from search.neighbours import Quantizer, Scan

KIND = gettext_noop("build_compact")
TASK = "search.build_compact"
# Candidates that are compared exactly: at least so many, and so many for each hit wanted.
CANDIDATES, OVERFETCH = 400, 8
# More are not worth asking for one by one.
MOST_CANDIDATES = 10_000
# Learned and built anew once so large a share of the rows came or went since.
GROWN = 0.2
LEAST = 256
CHUNK = 10_000
BELIEVED_S = 1.0

_believed: dict[int, tuple[float, CompactIndex | None]] = {}
_loaded: dict[str, "Loaded"] = {}

Ranked = list[tuple[float, int]]
Beat = Callable[[], None]


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A file in memory. boxes, datasets: (N,) of the codes as they lie."""

    scan: "Scan"
    boxes: np.ndarray
    datasets: np.ndarray

    def inside(self, dataset_ids: tuple[int, ...]) -> np.ndarray | None:
        """(N,) which codes are of these datasets; None if all are."""
        allowed = np.isin(self.datasets, dataset_ids)
        return None if allowed.all() else allowed


def code_bytes(dim: int) -> int:
    """Bytes of a code that lose little: a sixteenth of the vector at full precision, or 64."""
    return min(dim, max(64, dim // 8))


def request(
    version: ModelVersion,
    *,
    length: int | None = None,
    instead_of_index: bool = False,
    queue: bool = True,
) -> Any:
    """Ask for the codes of a version's vectors to be built, anew if there are some.

    Args:
        length: bytes of a code.
        instead_of_index: drop the vector index, which is then not built again, and let every
            search that is not exact go by the codes.

    Raises: TooFewForCodes, or the length is out of range.
    """
    length = code_bytes(version.dim) if length is None else length
    rows = Embedding.objects.filter(encoder_id=version.image_encoder_id)
    if not 1 <= length <= version.dim or rows[:LEAST].count() < LEAST:
        raise TooFewForCodes(LEAST, version.dim)
    params = {"version": version.name, "bytes": length, "instead_of_index": instead_of_index}
    return jobs.request(KIND, task=TASK, params=params, queue=queue)


def step(work: jobs.Work) -> bool:
    """All of it. Raises: TooFewForCodes, UnknownVersion."""
    encoder = versions.get(work.params["version"]).image_encoder
    made = build(
        encoder,
        work.params["bytes"],
        replaces_index=work.params["instead_of_index"],
        beat=partial(work.beat, _("Learning and writing codes")),
    )
    work.plan(made.rows)
    work.advance(made.rows, note="")
    if made.replaces_index:
        index.drop(encoder, work.beat)
    return False


def newest(encoder: Encoder) -> CompactIndex | None:
    """The codes in force."""
    return CompactIndex.objects.filter(encoder_id=encoder.pk).order_by("-pk").first()


def known(encoder: Encoder) -> CompactIndex | None:
    """As `newest`, a second old at most."""
    found = _believed.get(encoder.pk)
    if found is None or time.monotonic() - found[0] > BELIEVED_S:
        found = _believed[encoder.pk] = (time.monotonic(), newest(encoder))
    return found[1]


def ensure(encoder: Encoder, beat: Beat = lambda: None) -> CompactIndex | None:
    """Build codes that are there anew if many rows came or went since; None if it is not due."""
    last = newest(encoder)
    if last is None:
        return None
    rows = Embedding.objects.filter(encoder_id=encoder.pk)
    came = rows.filter(pk__gt=last.newest).count()
    gone = last.rows - rows.filter(pk__lte=last.newest).count()
    if max(came, gone) <= GROWN * last.rows or rows[:LEAST].count() < LEAST:
        return None
    return build(encoder, last.code_bytes, replaces_index=last.replaces_index, beat=beat)


def build(
    encoder: Encoder,
    length: int,
    *,
    replaces_index: bool = False,
    seed: int = 0,
    beat: Beat = lambda: None,
) -> CompactIndex:
    """Learn codes of some bytes from an encoder's vectors, write all of them, put them in force.

    Raises: TooFewForCodes; and what `beat` raises, after which the codes before are in force.
    """
    from search import neighbours

    last = _settled(beat)
    rows = Embedding.objects.filter(encoder_id=encoder.pk, pk__lte=last)
    numbers = np.array(rows.order_by("pk").values_list("pk", flat=True), dtype=np.int64)
    if len(numbers) < LEAST:
        raise TooFewForCodes(LEAST, encoder.dim)
    rng = np.random.default_rng(seed)
    few = np.sort(rng.permutation(numbers)[: neighbours.MOST_LEARNED])
    sample = np.concatenate([vectors for _boxes, _sets, vectors in _read(rows, few, beat)])
    learned = jobs.beside(
        partial(
            neighbours.fit,
            sample,
            neighbours.LOPQ,
            length,
            seed=seed,
            cells=neighbours.cells_for(len(numbers)),
        ),
        beat,
    )
    parts = []
    for boxes, datasets, vectors in _read(rows, numbers, beat):
        parts.append((boxes, datasets, *neighbours.code(learned, vectors)))
    boxes, datasets, cells, codes = (np.concatenate(column) for column in zip(*parts, strict=True))
    laid = neighbours.lay(learned, cells, codes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "codes"
        _write(path, learned, laid, boxes[laid.rows], datasets[laid.rows])
        return _put_in_force(encoder, path, learned, len(boxes), last, replaces_index)


def drop(encoder: Encoder) -> bool:
    """Forget an encoder's codes; True if there were any."""
    old = list(CompactIndex.objects.filter(encoder_id=encoder.pk))
    _remove(old)
    _believed.pop(encoder.pk, None)
    return bool(old)


def nearest(
    rows: EmbeddingQuerySet,
    scope: Scope,
    encoder: Encoder,
    codes: CompactIndex,
    query: np.ndarray,
    wanted: int,
    left: int | None,
) -> Ranked:
    """The nearest `wanted` of `rows`, nearly always; empty where comparing all is better.

    Args:
        rows: the embeddings that may be found.
        scope: that they are inside of.
        left: about how many vectors the scope leaves; the planner is asked where None.
    """
    left = index.estimate(scope.vectors(encoder)) if left is None else left
    if left <= tuning.exact_rows(encoder):
        return []
    try:
        loaded = _load(codes)
    except CorruptArtifact:
        return []  # built anew, or lost: what remains is slower and right
    allowed = loaded.inside(scope.dataset_ids)
    there = len(loaded.boxes) if allowed is None else int(allowed.sum())
    enough = max(CANDIDATES, OVERFETCH * wanted)
    # What other filters than by dataset drop has to be proposed as well.
    asked = int(enough * max(1.0, there / max(1, left)))
    covered = rows.filter(pk__lte=codes.newest)
    while asked <= MOST_CANDIDATES:
        places, _scores = loaded.scan.nearest(query, asked, allowed)
        boxes = loaded.boxes[places].tolist()
        found = list(
            covered.filter(box_id__in=boxes)
            .nearest_exactly(query, encoder)
            .values_list("distance", "box_id")
        )
        if len(found) >= enough // 2 and len(found) >= wanted:
            fresh = rows.filter(pk__gt=codes.newest).nearest_exactly(query, encoder)
            found += fresh.values_list("distance", "box_id")[:wanted]
            return sorted(found)
        asked *= 4
    return []


def _settled(beat: Beat) -> int:
    """A row's number up to which no row will come any more: numbers are dealt before commits."""
    last = Embedding.objects.aggregate(last=Max("pk"))["last"] or 0
    writing = _writers()
    while writing & _writers():
        beat()
        time.sleep(0.1)
    return last


def _writers() -> set[str]:
    """Transactions of others that may have written vectors."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT virtualtransaction FROM pg_locks WHERE relation = %s::regclass AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND mode = 'RowExclusiveLock' AND pid <> pg_backend_pid()",
            [Embedding._meta.db_table],
        )
        return {name for (name,) in cursor.fetchall()}


def _read(rows: EmbeddingQuerySet, numbers: np.ndarray, beat: Beat):
    """Boxes, datasets and unit vectors (n, dim) of rows by their numbers, a chunk at a time."""
    for first in range(0, len(numbers), CHUNK):
        some = rows.filter(pk__in=numbers[first : first + CHUNK].tolist())
        read = list(some.order_by("pk").values_list("box_id", "dataset_id", "vector"))
        beat()
        if read:
            vectors = np.array([vector for _box, _dataset, vector in read], dtype=np.float32)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            about = np.array([row[:2] for row in read], dtype=np.int64)
            yield about[:, 0], about[:, 1], vectors / np.maximum(lengths, 1e-12)


def _write(path: Path, learned: "Quantizer", laid: Any, boxes: Any, datasets: Any) -> None:
    """Arrays one after another, so that the long ones at the end can be mapped."""
    small = boxes.max(initial=0) < 2**32 and datasets.max(initial=0) < 2**32
    number = np.uint32 if small else np.int64
    with path.open("wb") as file:
        for array in (
            learned.centres,
            learned.rotations.astype(np.float16),
            learned.pieces,
            laid.starts,
            boxes.astype(number),
            datasets.astype(number),
            laid.codes,
        ):
            np.save(file, array, allow_pickle=False)


def _put_in_force(
    encoder: Encoder,
    path: Path,
    learned: "Quantizer",
    rows: int,
    last: int,
    replaces_index: bool,
) -> CompactIndex:
    sha256 = artifacts.sha256_of(path)
    with path.open("rb") as file:
        name = default_storage.save(f"compact/{encoder.pk}-{sha256[:16]}.codes", File(file))
    old = list(CompactIndex.objects.filter(encoder_id=encoder.pk))
    made = CompactIndex.objects.create(
        encoder=encoder,
        file=name,
        sha256=sha256,
        rows=rows,
        newest=last,
        code_bytes=learned.code_bytes,
        cells=len(learned.centres),
        byte_size=path.stat().st_size,
        replaces_index=replaces_index,
    )
    _remove(old)
    _believed.pop(encoder.pk, None)
    with connection.cursor() as cursor:
        # Whether codes are worth asking goes by what the planner expects.
        cursor.execute(f"ANALYZE {Embedding._meta.db_table}")
    return made


def _remove(old: list[CompactIndex]) -> None:
    """Files go once the rows are gone. A process that has one mapped keeps what it has."""
    with transaction.atomic():
        CompactIndex.objects.filter(pk__in=[one.pk for one in old]).delete()
        for one in old:
            transaction.on_commit(partial(default_storage.delete, one.file))


def _load(codes: CompactIndex) -> Loaded:
    """The file, mapped; read once a process. Raises: CorruptArtifact."""
    found = _loaded.get(codes.sha256)
    if found is None:
        folder = Path(settings.PEDSITE_WORK_DIR) / "compact"
        found = _opened(artifacts.fetch(codes.file, codes.sha256, folder))
        in_force = set(CompactIndex.objects.values_list("sha256", flat=True))
        for left in folder.glob("*.codes"):
            # Whoever has it mapped keeps what they have.
            if left.stem not in in_force:
                left.unlink(missing_ok=True)
        for old in set(_loaded) - in_force:
            _loaded.pop(old, None)
        _loaded[codes.sha256] = found
    return found


def _opened(path: Path) -> Loaded:
    # It brings faiss, which a process without codes has no use for.
    from search import neighbours

    with path.open("rb") as file:
        centres, rotations, pieces, starts = (np.load(file, allow_pickle=False) for _n in range(4))
        boxes, datasets, codes = (_mapped(path, file) for _n in range(3))
    learned = neighbours.Quantizer(
        centres=centres, rotations=rotations.astype(np.float32), pieces=pieces
    )
    laid = neighbours.Codes(codes=codes, starts=starts, rows=np.arange(len(codes)))
    return Loaded(scan=neighbours.Scan(learned, laid), boxes=boxes, datasets=datasets)


def _mapped(path: Path, file: Any) -> np.ndarray:
    """The array that begins here; the file moves on behind it."""
    if np.lib.format.read_magic(file) != (1, 0):
        raise CorruptArtifact(f"{path} is not what was written.")
    shape, _order, dtype = np.lib.format.read_array_header_1_0(file)
    found = np.memmap(path, dtype=dtype, mode="r", offset=file.tell(), shape=shape)
    file.seek(found.nbytes, 1)
    return found
