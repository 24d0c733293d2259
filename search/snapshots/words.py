"""What pages call the splits, outcomes and differences of snapshots."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from gallery.snapshots import WITHHELD
from search.snapshots import verdicts

SPLITS = {
    "train": _("train"),
    "validation": _("validation"),
    "test": _("test"),
    WITHHELD: _("withheld"),
    "": _("no split"),
}
OUTCOMES = {
    "confirmed": _("confirmed"),
    "rejected": _("rejected"),
    verdicts.DISPUTED: _("disputed: nobody decided yet"),
    verdicts.UNSURE: _("nobody is sure"),
    verdicts.LIKE: _("asked with a box: no caption"),
    verdicts.NOT_PLAIN: _("with words that must or must not show: no caption"),
}
KINDS = {
    "boxes_added": _("boxes added"),
    "boxes_removed": _("boxes removed"),
    "boxes_changed": _("boxes changed"),
    "captions_added": _("captions added"),
    "captions_removed": _("captions removed"),
    "confirmed_added": _("confirmed, new"),
    "confirmed_removed": _("confirmed, gone"),
    "rejected_added": _("rejected, new"),
    "rejected_removed": _("rejected, gone"),
    "bbox": _("bounds"),
    "identity": _("identity"),
    "split": _("split"),
    "added": _("added"),
    "removed": _("removed"),
    "changed": _("changed"),
}
MEASURES = {
    "first_hit": _("First hit shows who was asked for"),
    "reciprocal": _("Mean reciprocal rank of the first right hit"),
    "judged": _("Rejected below confirmed, of words that were judged"),
}


def named(names: Mapping[str, Any], counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Counts under the names that a reader knows, in the order of the names."""
    return [(str(label), counts[key]) for key, label in names.items() if key in counts]
