"""Boxes that show the same pixels, or nearly: grouped around the one that is worth keeping.

Two crops are near where few of the bits in `looks.differences` differ. Not every pair is looked
at: bits are cut into BANDS bands, and crops that differ in fewer bits than there are bands agree
in one of them at least. What shares a band is sorted side by side and compared in numpy: 100,000
boxes take 2 to 5 s on one core where bits are even, a minute where most lean to one side. A band
on which many agree by chance says nothing, so of a run longer than CROWDED only neighbours in the
order of all bits are compared.

Groups are not chains: everybody in one is near the box that is kept, so that a person who walks
through fifty frames is not folded into one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import Count, F, IntegerField, OuterRef, Prefetch, Q, QuerySet, Subquery

from gallery import looks
from gallery.models import Box, Dataset, Quality, Review

# Bits of looks.BITS that may differ.
NEAR = 9
BANDS = NEAR + 1
CROWDED = 2000
NEIGHBOURS = 64
_BATCH = 5000
_PAIRS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The box to keep, and the boxes that look as it does, the nearest first."""

    keep: Box
    twins: list[Quality]

    @property
    def is_exact(self) -> bool:
        """Whether all of them show the very same pixels."""
        return all(one.digest == self.keep.quality.digest for one in self.twins)


def group(dataset: Dataset, beat: Callable[[], None] = lambda: None) -> dict[str, int]:
    """Find the groups of a dataset anew, among boxes that are measured and not hidden.

    Returns: how many boxes look like another one that is kept (`twins`), and of how many (`kept`).
    """
    rows = list(
        Quality.objects.of_shown(dataset)
        .order_by("pk")
        .values_list("pk", "box_id", "shorter", "longer", "sharpness", "digest", "differences")
    )
    places = {row[0]: number for number, row in enumerate(rows)}
    keepers = np.full(len(rows), -1, np.int64)
    apart = np.zeros(len(rows), np.int64)
    if rows:
        worth = np.array([_worth(*row[2:5]) for row in rows])
        codes = np.frombuffer(b"".join(bytes(row[6]) for row in rows), np.uint8)
        codes = codes.reshape(len(rows), -1)
        digests = np.unique([row[5] for row in rows], return_inverse=True)[1]
        keepers, apart = around_the_best(codes, digests, worth, beat)
    changed = []
    for row in Quality.objects.filter(pk__in=[row[0] for row in rows]).iterator(_BATCH):
        place = places[row.pk]
        keeper = int(keepers[place])
        wanted = rows[keeper][1] if keeper >= 0 else None
        bits = int(apart[place]) if keeper >= 0 else None
        if (row.twin_of_id, row.twin_bits) != (wanted, bits):
            row.twin_of_id, row.twin_bits = wanted, bits
            changed.append(row)
    with transaction.atomic():
        # Those that are gone by now are nobody's to keep.
        there = set(Box.objects.filter(image__dataset=dataset).values_list("pk", flat=True))
        changed = [row for row in changed if row.twin_of_id is None or row.twin_of_id in there]
        Quality.objects.bulk_update(changed, ["twin_of", "twin_bits"], batch_size=_BATCH)
    return {"twins": int((keepers >= 0).sum()), "kept": len(set(keepers[keepers >= 0].tolist()))}


def groups(dataset: Dataset, kind: str = "") -> QuerySet[Box]:
    """Boxes to keep with their twins, in `found`; `kind` exact or near says which twins count.

    A box that was hidden since is in no group, nor keeps one.
    """
    twins = _twins(kind).order_by("twin_bits", "pk")
    theirs = _twins(kind).filter(twin_of=OuterRef("pk"))
    counted = theirs.order_by().values("twin_of").annotate(n=Count("pk")).values("n")
    rows = Box.objects.filter(image__dataset=dataset).exclude(review=Review.HIDDEN)
    rows = rows.annotate(twin_count=Subquery(counted, output_field=IntegerField()))
    return (
        rows.filter(twin_count__gt=0)
        .select_related("image__camera", "quality")
        .prefetch_related(Prefetch("twins", twins, to_attr="found"))
    )


def _twins(kind: str) -> QuerySet[Quality]:
    shown = Quality.objects.exclude(twin_of=None).exclude(box__review=Review.HIDDEN)
    same = Q(digest=F("twin_of__quality__digest"))
    return shown.filter({"exact": same, "near": ~same}.get(kind, Q()))


def told(box: Box) -> Group:
    """A box of `groups` with its twins."""
    return Group(keep=box, twins=box.found)


def around_the_best(
    codes: np.ndarray,
    digests: np.ndarray,
    worth: np.ndarray,
    beat: Callable[[], None] = lambda: None,
) -> tuple[np.ndarray, np.ndarray]:
    """For each crop the place of the one that is kept for it, -1 for itself, and bits between.

    Args:
        codes: uint8 (N, bytes) of bits. digests: (N,) numbers, equal for equal pixels.
        worth: (N,) the more, the rather kept; ties go to the first.
    """
    order = np.lexsort((np.arange(len(worth)), -worth))
    near: dict[int, list[tuple[int, int]]] = {}
    for first, second, bits in _near(codes, digests, beat):
        near.setdefault(first, []).append((second, bits))
        near.setdefault(second, []).append((first, bits))
    keepers, apart = np.full(len(codes), -1, np.int64), np.zeros(len(codes), np.int64)
    taken = np.zeros(len(codes), dtype=bool)
    for place in order.tolist():
        if taken[place]:
            continue
        taken[place] = True
        for other, bits in near.get(place, ()):
            if not taken[other]:
                taken[other] = True
                keepers[other], apart[other] = place, bits
    return keepers, apart


def _worth(shorter: int, longer: int, sharpness: float) -> float:
    """How much a crop shows: pixels, as far as they are sharp."""
    return shorter * longer * min(sharpness, 0.2)


def _near(
    codes: np.ndarray, digests: np.ndarray, beat: Callable[[], None]
) -> Iterator[tuple[int, int, int]]:
    """Pairs of places, each once, with the bits in which they differ: NEAR at the most."""
    bits = np.unpackbits(codes, axis=1)
    packed = np.ascontiguousarray(codes).view(np.uint64)
    seen: set[int] = set()
    bands = np.array_split(np.arange(looks.BITS), BANDS)
    keys = [np.packbits(bits[:, band], axis=1) for band in bands]
    # Equal pixels are equal bits too, but are not left to a band that is crowded.
    for key in [digests.astype(">i8")[:, None].view(np.uint8), *keys]:
        for first, second in _side_by_side(key, codes):
            beat()
            apart = np.bitwise_count(packed[first] ^ packed[second]).sum(axis=1)
            good = np.flatnonzero(apart <= NEAR)
            for a, b, between in zip(
                first[good].tolist(), second[good].tolist(), apart[good].tolist(), strict=True
            ):
                low, high = min(a, b), max(a, b)
                pair = low * len(codes) + high
                if pair not in seen:
                    seen.add(pair)
                    yield low, high, int(between)


def _side_by_side(key: np.ndarray, codes: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of places whose keys are equal, some at a time."""
    # Within a key by all bits, so that in a crowded one the alike are neighbours.
    columns = [codes[:, place] for place in reversed(range(codes.shape[1]))]
    order = np.lexsort([*columns, *(key[:, place] for place in reversed(range(key.shape[1])))])
    ranked = key[order]
    starts = np.flatnonzero(np.r_[True, (ranked[1:] != ranked[:-1]).any(axis=1)])
    lengths = np.diff(np.r_[starts, len(order)])
    reach = np.where(lengths > CROWDED, NEIGHBOURS, lengths - 1)
    # How far each place in the order may look ahead within its run.
    run = np.repeat(np.arange(len(starts)), lengths)
    left = starts[run] + lengths[run] - 1 - np.arange(len(order))
    ahead = np.minimum(left, reach[run])
    for low, high in _pieces(ahead):
        counts = ahead[low:high]
        first = np.repeat(np.arange(low, high), counts)
        offset = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
        if len(first):
            yield order[first], order[first + 1 + offset]


def _pieces(ahead: np.ndarray) -> Iterator[tuple[int, int]]:
    """Stretches of the order with about _PAIRS pairs each."""
    total = np.cumsum(ahead)
    low = 0
    while low < len(ahead):
        done = total[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(total, done + _PAIRS, side="right")))
        yield low, high
        low = high
