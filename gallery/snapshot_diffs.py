"""What differs between two snapshots of a dataset: boxes, captions and judgements, by split."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gallery import snapshots
from gallery.errors import NotOneDataset
from gallery.models import Snapshot

Row = dict[str, Any]
# What can differ, in the order of a page's table.
KINDS = (
    "boxes_added",
    "boxes_removed",
    "boxes_changed",
    "captions_added",
    "captions_removed",
    "confirmed_added",
    "confirmed_removed",
    "rejected_added",
    "rejected_removed",
)
# Changed boxes that are told one by one.
TOLD = 200


@dataclass(frozen=True, kw_only=True)
class Change:
    """One box that differs.

    kind: added, removed or changed. what: in which way, as (kind, text).
    """

    box: int
    split: str
    kind: str
    what: tuple[tuple[str, str], ...] = ()


@dataclass(kw_only=True)
class Difference:
    """counts: split -> kind -> how many; a box that moved counts in the split it is in now.

    changes: the first TOLD boxes that differ. more: how many others do.
    """

    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    more: int = 0

    @property
    def is_empty(self) -> bool:
        return not self.counts

    def count(self, split: str, kind: str, number: int = 1) -> None:
        if number:
            mine = self.counts.setdefault(split, dict.fromkeys(KINDS, 0))
            mine[kind] += number

    def tell(self, change: Change) -> None:
        if len(self.changes) < TOLD:
            self.changes.append(change)
        else:
            self.more += 1


def compare(old: Snapshot, new: Snapshot) -> Difference:
    """What came, went and changed from one snapshot to another.

    Raises: NotOneDataset, they are of two.
    """
    if old.dataset_id != new.dataset_id:
        raise NotOneDataset
    found = Difference()
    if old.fingerprint == new.fingerprint:
        return found
    for before, after in _beside(snapshots.read(old), snapshots.read(new)):
        _compare_box(found, before, after)
    found.counts = dict(sorted(found.counts.items()))
    return found


def _beside(old: Iterator[Row], new: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """The rows of each box; both come in the order of their boxes."""
    before, after = next(old, None), next(new, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before["box"] < after["box"]):
            yield before, None
            before = next(old, None)
        elif before is None or after["box"] < before["box"]:
            yield None, after
            after = next(new, None)
        else:
            yield before, after
            before, after = next(old, None), next(new, None)


def _compare_box(found: Difference, before: Row | None, after: Row | None) -> None:
    row = after or before
    assert row is not None
    split = row["split"]
    texts = _texts(before), _texts(after)
    what = []
    for kind in ("captions", "confirmed", "rejected"):
        was, now = texts[0][kind], texts[1][kind]
        for way, those in (("added", now - was), ("removed", was - now)):
            found.count(split, f"{kind}_{way}", len(those))
            what += [(f"{kind}_{way}", text) for text in sorted(those)]
    if before is None or after is None:
        kind = "removed" if after is None else "added"
    else:
        moved = [name for name in ("bbox", "identity", "split") if before[name] != after[name]]
        what = [(name, f"{_said(before[name])} → {_said(after[name])}") for name in moved] + what
        kind = "changed"
        if not what:
            return
    found.count(split, f"boxes_{kind}")
    found.tell(Change(box=row["box"], split=split, kind=kind, what=tuple(what)))


def _texts(row: Row | None) -> dict[str, set[str]]:
    texts: dict[str, set[str]] = {"captions": set(), "confirmed": set(), "rejected": set()}
    for one in row["captions"] if row else ():
        is_judged = one.get("source") == snapshots.CONFIRMED
        texts["confirmed" if is_judged else "captions"].add(one["text"])
    texts["rejected"] |= {one["text"] for one in (row or {}).get("rejected", ())}
    return texts


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value) if value not in ("", None) else "–"
