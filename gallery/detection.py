"""People found in a dataset's pictures become boxes, as a job; and detectors by their name."""

import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from gallery import crops, datasets
from gallery.detectors import Detector
from gallery.detectors.found import Found, overlaps
from gallery.detectors.hog import HogDetector
from gallery.detectors.onnx_file import OnnxDetector
from gallery.errors import BadDetector, BadImage
from gallery.models import Box, Image
from pedsite.accounts.models import User
from pedsite.jobs import work
from pedsite.jobs.models import Job

KIND = gettext_noop("detect")
TASK = "gallery.detect_people"
CHUNK_S = 2.5
CHUNK_IMAGES = 100
# A find that covers a box as much as this is the person in it, whoever drew it.
SAME_PERSON = 0.6


@lru_cache(maxsize=4)
def detector(spec: str, threshold: float | None = None) -> Detector:
    """A detector by its name, loaded once a process.

    Args:
        spec: "hog", the path of an ONNX file, or of a `transformers` object-detection folder.
        threshold: the least score of a find, 0 to 1; None for the detector's own.

    Raises:
        BadDetector: it does not load, or its outputs have no known layout.
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise BadDetector(f"The threshold {threshold} is not between 0 and 1.")
    if spec == "hog":
        return HogDetector(threshold)
    path = Path(spec)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise BadDetector(f"{spec} holds no object detector: there is no config.json in it.")
        # Lazy, because it loads torch: only workers and commands are to be given such a folder.
        from gallery.detectors.transformers_folder import TransformersDetector

        return TransformersDetector(path, threshold)
    if not path.is_file():
        raise BadDetector(f"There is no detector {spec}: it is no file, no folder, and not “hog”.")
    return OnnxDetector(path, threshold, threads=settings.PEDSITE_INFERENCE_THREADS)


def request(
    dataset: str,
    spec: str = "",
    threshold: float | None = None,
    user: User | None = None,
    *,
    queue: bool = True,
) -> Job:
    """A job that finds the people in all pictures of a dataset.

    Args:
        spec: as `detector` takes it; empty for the deployment's PEDSITE_DETECTOR.

    Raises:
        UnknownDataset, BadDetector: nothing was written.
    """
    spec = spec or settings.PEDSITE_DETECTOR
    found = datasets.get(dataset)
    if Path(spec).suffix == ".onnx" or spec == "hog" or not Path(spec).is_dir():
        detector(spec, threshold)
    params = {
        "dataset": found.pk,
        "dataset_name": found.name,
        "detector": spec if spec == "hog" else str(Path(spec).absolute()),
        "threshold": threshold,
    }
    total = found.images.count()
    return work.request(KIND, task=TASK, params=params, user=user, total=total, queue=queue)


def step(at: work.Work) -> bool:
    """Find the people in the next pictures; True while some remain.

    What is found where a box is already stays one box, so a second run doubles nobody.

    Raises:
        BadDetector, UnknownDataset: nothing more can be found.
    """
    finder = detector(at.params["detector"], at.params["threshold"])
    rows = _remaining(at)
    found: list[tuple[Image, list[Found]]] = []
    failures: list[tuple[str, str]] = []
    began = time.monotonic()
    for image in rows[:CHUNK_IMAGES]:
        at.beat()
        try:
            found.append((image, finder.detect(np.asarray(crops.picture(image)))))
        except BadImage as exc:
            failures.append((f"image {image.pk}: {image.name}"[:500], str(exc)))
        last = image.pk
        if time.monotonic() - began > CHUNK_S:
            break
    if not found and not failures:
        return False
    with transaction.atomic():
        datasets.lock(at.params["dataset"])
        boxes = at.job.result.get("boxes", 0) + _store(found)
        at.keep(last_image=last, boxes=boxes)
        at.advance(len(found), failures, note=f"{boxes} people")
    return True


def _remaining(at: work.Work):
    rows = Image.objects.filter(dataset=at.params["dataset"]).order_by("pk")
    rows = rows.filter(pk__gt=at.job.result.get("last_image", 0))
    if only := at.params.get("only"):
        # Items are named "image 17: its name".
        rows = rows.filter(pk__in=[int(item.split()[1].rstrip(":")) for item in only])
        if at.job.total is None:
            at.plan(len(only))
    return rows


def _store(found: Sequence[tuple[Image, list[Found]]]) -> int:
    """Make boxes of the finds that are none yet; how many. With the dataset locked."""
    ids = set(
        Image.objects.filter(pk__in=[image.pk for image, _ in found]).values_list("pk", flat=True)
    )
    # The picture as a whole is no person's outline: people in it are found beside it.
    there = Box.objects.filter(image__in=ids).exclude(source=Box.Source.WHOLE)
    known: dict[int, list[tuple[int, int, int, int]]] = {}
    for box in there:
        known.setdefault(box.image_id, []).append(box.bounds)
    new = [
        Box(image_id=image.pk, source=Box.Source.DETECTED, **one._asdict())
        for image, people in found
        if image.pk in ids
        for one in people
        if not _is_known(one, known.get(image.pk, []))
    ]
    # A find may have exactly the bounds of a whole picture's box.
    before = Box.objects.filter(image__in=ids).count()
    Box.objects.bulk_create(new, ignore_conflicts=True)
    return Box.objects.filter(image__in=ids).count() - before


def _is_known(one: Found, boxes: list[tuple[int, int, int, int]]) -> bool:
    return bool(boxes) and overlaps(one[:4], np.array(boxes, dtype=np.float64)).max() >= SAME_PERSON
