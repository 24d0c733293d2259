"""Whether somebody is gone: looked for where they were, after everything was done."""

import datetime as dt
from typing import Any

from gallery import snapshots
from gallery.models import Addition, Box, Identity, Image, Snapshot
from search.cases.models import CaseHit
from search.engines import collections
from search.forgetting import people
from search.forgetting.models import Removal
from search.models import CompactIndex, Mirror

# Numbers that Milvus is asked for at once.
RANGE = 10_000


def all_of(removal: Removal) -> list[dict[str, Any]]:
    """Each place, and how much of them is left there."""
    boxes = set(removal.plan["boxes"])
    names = removal.plan["people"]
    left: dict[str, int] = {"boxes": Box.objects.filter(pk__in=boxes).count()}
    for relation in Box._meta.related_objects:
        rows = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": boxes})
        left[str(relation.related_model._meta.model_name)] = rows.count()
    left["people"] = Identity.objects.filter(pk__in=[pk for pk, _key in names], boxes=None).count()
    left["frames with their boxes"] = Image.objects.filter(boxes__in=boxes).count()
    left["results of cases"] = CaseHit.objects.filter(box_number__in=boxes).count()
    left["notes of imports"] = Addition.objects.filter(
        kind=Addition.Kind.BOX, row__in=boxes
    ).count()
    left["stored files"] = len(people.stored(removal.plan["files"]))
    left["lines of snapshots"] = _lines(removal, boxes)
    left["compact codes"] = CompactIndex.objects.filter(
        encoder__in=removal.plan["encoders"],
        built_at__lt=dt.datetime.fromisoformat(removal.plan["emptied_at"]),
    ).count()
    left["Milvus"] = sum(_mirrored(each, sorted(boxes)) for each in Mirror.objects.all())
    return [{"what": what, "left": count} for what, count in left.items()]


def _lines(removal: Removal, boxes: set[int]) -> int:
    kept = Snapshot.objects.filter(pk__in=removal.plan["snapshots"])
    return sum(entry["box"] in boxes for one in kept for entry in snapshots.read(one))


def _mirrored(mirror: Mirror, boxes: list[int]) -> int:
    found, at = 0, 0
    while at < len(boxes):
        first = boxes[at]
        there = collections.listing(mirror.collection, first, first + RANGE - 1)
        while at < len(boxes) and boxes[at] < first + RANGE:
            found += boxes[at] in there
            at += 1
    return found
