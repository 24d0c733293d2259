"""Texts that stand for what people ask: to measure an index with, and to compare versions on."""

import numpy as np
from django.db.models import Max, Min, QuerySet

from gallery.models import Caption
from training import versions
from training.models import Encoder


def stored(count: int, encoder: Encoder) -> list[str]:
    """Up to `count` different texts: captions of the gallery, then the text tower's golden ones.

    The same as long as the captions stay.

    Raises: CorruptArtifact, the golden texts are missing or changed.
    """
    captions = Caption.objects.filter(kind=Caption.Kind.CAPTION).stated()
    numbers = spread(captions, count)
    texts = captions.filter(pk__in=numbers).order_by("pk").values_list("text", flat=True)
    found = dict.fromkeys(texts)
    found |= dict.fromkeys(versions.golden_texts(encoder))
    return list(found)[:count]


def spread(rows: QuerySet, count: int) -> list[int]:
    """Numbers of up to `count` rows, evenly chosen over all of them, without reading the rest."""
    ends = rows.order_by().aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return []
    starts = np.linspace(ends["first"], ends["last"], count, dtype=np.int64)
    found = (
        rows.filter(pk__gte=int(start)).order_by("pk").values_list("pk", flat=True).first()
        for start in starts
    )
    return list(dict.fromkeys(number for number in found if number is not None))
