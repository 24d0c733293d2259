"""Vectors of boxes to files of other systems, and from them.

Going out, vectors are those that the boxes were enrolled with. Coming in, they must be those of a
registered version: its dimensions, boxes that the dataset has, and for some of the boxes the very
vector that the version gives for them now. A vector that is there already stays.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import crops, datasets, exports
from gallery.errors import BadImage, BadSource, UnknownFormat
from gallery.formats.features import FEATURE_FORMATS, Feature, FeatureFormat, Found, cut_from
from gallery.formats.records import Refusal, Unreadable, Written
from gallery.formats.target import Target
from gallery.models import Box, Caption, Dataset, Image
from pedsite.accounts.models import User
from pedsite.jobs import work as jobs
from pedsite.jobs.models import Job
from search import compact, encoders, engines, index, tuning, vectors
from search.errors import ForeignVectors
from search.models import Embedding
from training import versions
from training.models import ModelVersion

EXPORT, IMPORT = gettext_noop("export features"), gettext_noop("import features")
EXPORT_TASK, IMPORT_TASK = "search.export_features", "search.import_features"
CHUNK, CHUNK_S = 500, 2.5
# Boxes that are encoded anew to see whose vectors a file holds, and how alike they must be: other
# ways to decode and to resize change a vector by less, another model by far more.
CHECKED, ALIKE = 8, 0.9
TOLD = 20


@dataclass(slots=True)
class Report:
    """What an import or an export would do."""

    good: int = 0
    refused: int = 0
    refusals: list[tuple[str, str]] = field(default_factory=list)

    def refuse(self, item: str, reason: str) -> None:
        self.refused += 1
        self.refusals = [*self.refusals, (item, reason)][:TOLD]


def request_export(
    format: str,
    path: str,
    dataset: Dataset,
    version: ModelVersion,
    user: User | None = None,
    *,
    queue: bool = True,
) -> Job:
    """A job that writes a dataset's vectors of a version to the new folder `path`.

    Raises:
        UnknownFormat, BadTarget: nothing was written.
    """
    _format(format)
    params = _params(format, str(exports.target_at(path, "check").path), dataset, version)
    total = _enrolled(dataset, version).count()
    return jobs.request(
        EXPORT, task=EXPORT_TASK, params=params, user=user, total=total, queue=queue
    )


class Exporter:
    """The step of an export; one object keeps the files open from chunk to chunk."""

    def __init__(self) -> None:
        self._target: Target | None = None
        self._outcomes: Iterator[Written] = iter(())

    def __call__(self, at: jobs.Work) -> bool:
        """Write for a while; True while more remains. Raises: BadTarget, UnknownDataset."""
        if self._target is None:
            dataset = datasets.get(at.params["dataset_name"])
            version = versions.get(at.params["version"])
            kind = _format(at.params["format"])
            self._target = exports.target_at(at.params["path"], str(at.job.pk))
            self._target.begin()
            self._outcomes = kind.write(self._target, _found(dataset, version, kind))
            at.plan(_enrolled(dataset, version).count())
        began, done = time.monotonic(), 0
        while time.monotonic() - began < CHUNK_S:
            at.beat()
            if next(self._outcomes, None) is None:
                exports.commit(self._target)
                at.advance(done)
                return False
            done += 1
        at.advance(done)
        return True

    def close(self) -> None:
        """Remove what an export that did not end has left."""
        close = getattr(self._outcomes, "close", None)
        if close:
            close()
        if self._target is not None:
            self._target.discard()


def request_import(
    format: str,
    path: str,
    dataset: Dataset,
    version: ModelVersion,
    user: User | None = None,
    *,
    queue: bool = True,
) -> Job:
    """A job that gives boxes of a dataset the vectors of a version that a file holds.

    Raises:
        UnknownFormat, BadSource, ForeignVectors: nothing was written.
    """
    kind, path = _format(format), str(Path(path).absolute())
    total = _total(kind, path)
    check(kind, path, dataset, version)
    params = _params(format, path, dataset, version)
    return jobs.request(
        IMPORT, task=IMPORT_TASK, params=params, user=user, total=total, queue=queue
    )


class Importer:
    """The step of an import; one object keeps the file open from chunk to chunk."""

    def __init__(self) -> None:
        self._entries: Iterator[Feature | Refusal] | None = None

    def __call__(self, at: jobs.Work) -> bool:
        """Take one chunk in; at the end build the index. True while more remains.

        Raises:
            BadSource, UnknownDataset: the file or the dataset is gone.
        """
        dataset = datasets.get(at.params["dataset_name"])
        version = versions.get(at.params["version"])
        only = frozenset(at.params.get("only", ()))
        if self._entries is None:
            done = at.job.result.get("mark", 0)
            read = _read(_format(at.params["format"]), at.params["path"])
            self._entries = (entry for entry in read if int(str(entry.mark)) > done)
        chunk = list(islice(self._entries, CHUNK))
        if not chunk:
            building = partial(at.beat, _("Building the vector index"))
            engines.current().ensure(version.image_encoder, building)
            tuning.ensure(version.image_encoder, partial(at.beat, _("Measuring the vector index")))
            compact.ensure(version.image_encoder, partial(at.beat, _("Learning and writing codes")))
            return False
        wanted = [entry for entry in chunk if not only or entry.item in only]
        rows, failures = _placed(dataset, version, wanted)
        with transaction.atomic():
            vectors.write(dataset, version.image_encoder, rows)
            at.keep(mark=chunk[-1].mark)
            at.advance(len(rows), failures)
        engines.current().follow(version.image_encoder)
        index.refresh_estimates()
        return True


def dry_run(format: str, path: str, dataset: Dataset, version: ModelVersion) -> Report:
    """Read and check everything that an import would, and write nothing. Raises: as it."""
    kind, report = _format(format), Report()
    _total(kind, path)
    check(kind, path, dataset, version)
    for chunk in _batches(_read(kind, path), CHUNK):
        rows, failures = _placed(dataset, version, chunk)
        report.good += len(rows)
        for item, reason in failures:
            report.refuse(item, reason)
    return report


def check(kind: FeatureFormat, path: str, dataset: Dataset, version: ModelVersion) -> None:
    """Whether a file holds vectors of a version, by some boxes that can be read.

    Raises:
        ForeignVectors: they are of another model, or nothing can be compared.
    """
    tower, cosines = encoders.image_tower(version.image_encoder), []
    for chunk in _batches(_read(kind, path), CHUNK):
        rows = dict(_placed(dataset, version, chunk)[0])
        boxes = Box.objects.select_related("image").filter(pk__in=list(rows)[: 2 * CHECKED])
        for box, pixels in crops.load_many(boxes.order_by("image_id", "pk")):
            if not isinstance(pixels, BadImage) and len(cosines) < CHECKED:
                own = tower.encode(tower.prepare(pixels)[None])[0]
                cosines.append(float(own @ rows[box.pk]))
        if len(cosines) >= CHECKED:
            break
    if not cosines:
        raise ForeignVectors(
            _("No vector of %(path)s fits a box of “%(dataset)s” and has %(dim)d dimensions.")
            % {"path": path, "dataset": dataset, "dim": version.dim}
        )
    if float(np.median(cosines)) < ALIKE:
        raise ForeignVectors(
            _(
                "These are not vectors of “%(version)s”: for %(count)d boxes its own have a "
                "cosine of %(cosine).2f to them."
            )
            % {"version": version, "count": len(cosines), "cosine": float(np.median(cosines))}
        )


def _params(format: str, path: str, dataset: Dataset, version: ModelVersion) -> dict[str, Any]:
    about = {"dataset": dataset.pk, "dataset_name": dataset.name, "version": version.name}
    return {"format": format, "path": path} | about


def _enrolled(dataset: Dataset, version: ModelVersion) -> Any:
    rows = Embedding.objects.filter(encoder=version.image_encoder_id, dataset=dataset)
    return rows.findable()


def _found(dataset: Dataset, version: ModelVersion, kind: FeatureFormat) -> Iterator[Found]:
    rows = _enrolled(dataset, version).select_related("box__image", "box__identity")
    rows = rows.order_by("box__image_id", "box_id")
    for batch in _batches(rows.iterator(chunk_size=CHUNK), CHUNK):
        said = _said([row.box_id for row in batch], version) if kind.with_texts else {}
        for row in batch:
            box, image = row.box, row.box.image
            yield Found(
                item=f"box {box.pk}: {image.name}",
                name=image.name,
                bounds=box.bounds,
                whole=box.bounds == (0, 0, image.width, image.height),
                vector=_unit(np.asarray(row.vector)),
                split=box.identity.split if box.identity else "",
                score=box.score,
                texts=tuple(said.get(box.pk, ())),
            )


def _said(boxes: list[int], version: ModelVersion) -> dict[int, list[tuple[str, np.ndarray]]]:
    """Captions of some boxes with their vectors; none for a version without words."""
    if version.text_encoder is None:
        return {}
    rows = Caption.objects.filter(box__in=boxes, kind=Caption.Kind.CAPTION)
    shown = list(rows.stated().order_by("pk"))
    if not shown:
        return {}
    encoded = encoders.text_tower(version.text_encoder).encode([one.text for one in shown])
    found: dict[int, list[tuple[str, np.ndarray]]] = {}
    for one, vector in zip(shown, encoded, strict=True):
        found.setdefault(one.box_id, []).append((one.text, vector))
    return found


def _placed(
    dataset: Dataset, version: ModelVersion, entries: list[Feature | Refusal]
) -> tuple[list[tuple[int, np.ndarray]], list[tuple[str, str]]]:
    """Vectors by the boxes they are of, and (item, reason) of what was refused."""
    rows, failures = [], []
    boxes = _boxes(dataset, [entry for entry in entries if isinstance(entry, Feature)])
    for entry in entries:
        if isinstance(entry, Refusal):
            failures.append((entry.item, entry.reason))
            continue
        box = boxes.get(entry.item)
        if box is None:
            reason = _("The dataset has no such picture or box; import the pictures first.")
        elif entry.vector.shape != (version.dim,):
            reason = _("It has %(dim)d dimensions.") % {"dim": len(entry.vector)}
        elif not np.isfinite(entry.vector).all() or not entry.vector.any():
            reason = _("It is zero, or not finite.")
        else:
            rows.append((box, _unit(entry.vector)))
            continue
        failures.append((entry.item, reason))
    return rows, failures


def _boxes(dataset: Dataset, features: list[Feature]) -> dict[str, int]:
    """Box of each item, found by the picture's name and the place in it."""
    names = {feature.name for feature in features}
    stems = {cut[0] for cut in map(cut_from, names) if cut}
    images: dict[str, Image] = {}
    for image in Image.objects.filter(dataset=dataset).filter(name__in=names).order_by("pk"):
        images.setdefault(image.name, image)
    whole = _by_stem(dataset, stems)
    places: dict[str, tuple[int, tuple[int, int, int, int]]] = {}
    for feature in features:
        image, bounds = images.get(feature.name), feature.bounds
        cut = cut_from(feature.name)
        if image is None and cut and bounds is None:
            image, bounds = whole.get(cut[0]), cut[1]
        if image is not None:
            places[feature.item] = (image.pk, bounds or (0, 0, image.width, image.height))
    rows = Box.objects.filter(image__in={image for image, _bounds in places.values()})
    there = {(box.image_id, box.bounds): box.pk for box in rows}
    return {item: there[place] for item, place in places.items() if place in there}


def _by_stem(dataset: Dataset, stems: set[str]) -> dict[str, Image]:
    """Images by name without ending, of the stems that are asked for."""
    found: dict[str, Image] = {}
    for some in _batches(sorted(stems), 100):
        wanted = Image.objects.none()
        for stem in some:
            wanted = wanted | Image.objects.filter(dataset=dataset, name__startswith=f"{stem}.")
        for image in wanted.order_by("pk"):
            found.setdefault(image.name.rpartition(".")[0], image)
    return found


def _unit(vector: np.ndarray) -> np.ndarray:
    found = np.asarray(vector, dtype=np.float32)
    return found / np.linalg.norm(found)


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch


def _read(kind: FeatureFormat, path: str) -> Iterator[Feature | Refusal]:
    try:
        yield from kind.read(path)
    except Unreadable as exc:
        raise BadSource(str(exc)) from exc


def _total(kind: FeatureFormat, path: str) -> int:
    try:
        return kind.total(path)
    except Unreadable as exc:
        raise BadSource(str(exc)) from exc


def _format(name: str) -> FeatureFormat:
    if name not in FEATURE_FORMATS:
        raise UnknownFormat(name, list(FEATURE_FORMATS))
    return FEATURE_FORMATS[name]
