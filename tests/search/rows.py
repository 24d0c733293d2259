"""Many boxes with known vectors, and the naive search that every faster one must agree with."""

import io
from dataclasses import dataclass

import numpy as np
from django.db import transaction

from gallery.models import Box, Camera, Dataset, Image
from pedsite.jobs import work
from pedsite.jobs.models import Job
from search import calibration, enrollment, serving, vectors
from search.models import ServingVersion
from tests import world
from training.models import Encoder


@dataclass(frozen=True, kw_only=True)
class Known:
    """Boxes (N,) and their vectors (N, dim), as half precision keeps them."""

    box_ids: np.ndarray
    vectors: np.ndarray

    def nearest(self, query: np.ndarray, allowed: np.ndarray | None = None) -> list[int]:
        """Box ids by rising cosine distance to a query, one pair at a time; ties by id."""
        ranked = []
        for box_id, vector in zip(self.box_ids, self.vectors, strict=True):
            if allowed is not None and box_id not in allowed:
                continue
            cosine = float(vector @ query) / np.linalg.norm(vector) / np.linalg.norm(query)
            ranked.append((round(1 - cosine, 6), int(box_id)))
        return [box_id for _, box_id in sorted(ranked)]

    def vector(self, box_id: int) -> np.ndarray:
        return self.vectors[np.flatnonzero(self.box_ids == box_id)[0]]


def unit_vectors(count: int, dim: int, seed: int = 0, clusters: int = 40) -> np.ndarray:
    """Unit rows (count, dim) around some centres, as embeddings of people are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(clusters, dim))
    rows = centres[rng.integers(clusters, size=count)] + 0.6 * rng.normal(size=(count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def measured(scores: np.ndarray, background: np.ndarray | None = None) -> calibration.Measured:
    """Text impostors with these standard deviations (P,), and nothing else known of them."""
    return calibration.Measured(
        background=np.eye(16) if background is None else background,
        impostors={"text": np.stack([0 * scores, scores, 0 * scores], axis=1)},
        genuine={},
    )


def make_boxes(image: Image, count: int) -> list[Box]:
    """Boxes of one pixel column each, all in one picture that must be wide enough."""
    return Box.objects.bulk_create(
        Box(image=image, left=n, top=0, right=n + 1, bottom=1, source=Box.Source.ANNOTATED)
        for n in range(count)
    )


def make_image_row(dataset: Dataset, camera: Camera | None = None, **fields) -> Image:
    """An image whose file nobody will open."""
    number = Image.objects.count()
    defaults = {"name": f"row{number}.png", "width": 100_000, "height": 1, "file": "none.png"}
    return Image.objects.create(
        dataset=dataset, camera=camera, sha256=f"{number:064x}", **defaults | fields
    )


def make_known(
    dataset: Dataset,
    encoder: Encoder,
    rows: np.ndarray,
    image: Image | None = None,
    load: int = 0,
) -> Known:
    """A box and its embedding for each row, in one image (default: one without camera or time)."""
    boxes = make_boxes(image or make_image_row(dataset), len(rows))
    ids = [box.pk for box in boxes]
    with transaction.atomic():
        vectors.write(dataset, encoder, list(zip(ids, rows, strict=True)), load)
    kept = rows.astype(np.float16).astype(np.float32)
    return Known(box_ids=np.array(ids), vectors=kept)


def make_serving(version=None, **fields):
    """The version, answering all it can without asking whether anything is enrolled."""
    version = version or world.make_version(**fields)
    for kind in serving.kinds_of(version):
        ServingVersion.objects.create(version=version, query_kind=kind)
    return version


def enroll(dataset: Dataset, version) -> Job:
    """Enroll a dataset as `manage.py enroll` does; the finished job."""
    job = enrollment.request(dataset, version, queue=False)
    return work.run_here(job, enrollment.step, io.StringIO())
