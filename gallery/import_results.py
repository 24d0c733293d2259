"""The result file of an import: every box and picture that it added, and every refusal."""

import csv
import json
from collections.abc import Callable, Iterator
from typing import Any

from gallery.models import Addition, Box, Image, Import

COLUMNS = (
    "outcome", "item", "image", "sha256", "box", "left", "top", "right", "bottom", "person",
    "split", "captions", "reason",
)  # fmt: skip
BATCH = 1000
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows(found: Import) -> Iterator[dict[str, Any]]:
    """Added boxes, added pictures without a box, then refusals; of a check only refusals.

    A row that was removed since is left out.
    """
    job = found.job
    if job is not None:
        added = Addition.objects.filter(job=job)
        boxes = Box.objects.filter(pk__in=added.filter(kind=Addition.Kind.BOX).values("row"))
        boxes = boxes.select_related("image", "identity").prefetch_related("captions")
        for box in boxes.order_by("pk").iterator(BATCH):
            yield _box(box)
        bare = Image.objects.filter(pk__in=added.filter(kind=Addition.Kind.IMAGE).values("row"))
        for image in bare.filter(boxes=None).order_by("pk").iterator(BATCH):
            yield _image(image)
    told = job or found.check_job
    if told is not None:
        for item, reason in told.failures.values_list("item", "reason").iterator(BATCH):
            yield {"outcome": "refused", "item": item, "reason": reason}


def as_csv(found: Import) -> Iterator[str]:
    writer = csv.DictWriter(_Echo(), COLUMNS, restval="")
    yield "\ufeff"
    yield writer.writeheader()
    for row in rows(found):
        flat = {**row, "captions": " | ".join(row.get("captions", ()))}
        yield writer.writerow({name: _harmless(value) for name, value in flat.items()})


def as_json(found: Import) -> Iterator[str]:
    job = found.job
    head = {
        "import": found.pk,
        "name": found.name,
        "dataset": found.dataset_name,
        "format": found.format,
        "job": job.pk if job else None,
        "state": job.state if job else found.stage,
        "counts": {
            name: value
            for name, value in (job.result if job else found.report).items()
            if isinstance(value, int)
        },
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "rows": ['
    separator = "\n"
    for row in rows(found):
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"
    yield "\n]}\n"


WRITERS: dict[str, tuple[Callable[[Import], Iterator[str]], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "json": (as_json, "application/json"),
}


class _Echo:
    """What a csv writer writes to, to have the line back."""

    def write(self, line: str) -> str:
        return line


def _box(box: Box) -> dict[str, Any]:
    return {
        **_image(box.image),
        "box": box.pk,
        "left": box.left,
        "top": box.top,
        "right": box.right,
        "bottom": box.bottom,
        "person": box.identity.key if box.identity else "",
        "split": box.identity.split if box.identity else "",
        "captions": [caption.text for caption in box.captions.all()],
    }


def _image(image: Image) -> dict[str, Any]:
    return {
        "outcome": "imported",
        "item": image.name,
        "image": image.pk,
        "sha256": image.sha256,
    }


def _harmless(value: Any) -> Any:
    text = isinstance(value, str) and value.startswith(_FORMULA)
    return f"'{value}" if text else value
