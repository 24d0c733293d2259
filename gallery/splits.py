"""Training, validation and test apart by person: nobody is in two, and what is set stays."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import changes
from gallery.errors import BadSplit
from gallery.models import Action, Dataset, Identity
from pedsite.accounts.models import User

ASSIGN = gettext_noop("share people out over the splits")
NAMES = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """How many people each split has now, and how many of them came into it by this."""

    people: dict[str, int]
    new: dict[str, int]
    action: Action | None


def assign(
    dataset: Dataset, shares: Mapping[str, float], user: User | None, *, seed: int = 0
) -> Shared:
    """Put everybody who has no split into one, so that the splits come near to their shares.

    Who is in a split already stays there and counts. The same seed gives the same, in whichever
    order people were imported.

    Args:
        shares: of each split, in any unit: 70, 10 and 20, or 0.8 and 0.2.

    Raises: BadSplit, MayNotCurate, UnknownDataset
    """
    wanted = _checked(shares)
    with changes.acting(dataset, user, ASSIGN) as act:
        there = counts(dataset)
        free = list(act.rows(Identity).filter(split="").values_list("pk", "key"))
        free.sort(key=lambda row: hashlib.sha256(f"{seed}:{row[1]}".encode()).digest())
        room = _room(wanted, there, len(free))
        new, start = {}, 0
        for name in NAMES:
            ids = [pk for pk, _key in free[start : start + room[name]]]
            start += room[name]
            new[name] = act.update(Identity, ids, split=name)
    return Shared(people=counts(dataset), new=new, action=act.action)


def counts(dataset: Dataset) -> dict[str, int]:
    """People of a dataset by split, "" for none."""
    rows = Identity.objects.filter(dataset=dataset).order_by().values_list("split")
    return {"": 0, **dict.fromkeys(NAMES, 0), **dict(rows.annotate(Count("pk")))}


def _checked(shares: Mapping[str, float]) -> dict[str, float]:
    if unknown := sorted(set(shares) - set(NAMES)):
        raise BadSplit(
            _("“%(name)s” is no split; there are train, validation and test.")
            % {"name": unknown[0]}
        )
    total = sum(shares.values())
    if any(not 0 <= share < float("inf") for share in shares.values()) or not total > 0:
        raise BadSplit(_("Shares are numbers from 0 on, and not all of them 0."))
    return {name: shares.get(name, 0) / total for name in NAMES}


def _room(shares: dict[str, float], there: dict[str, int], free: int) -> dict[str, int]:
    """How many of the `free` go into each split; one that has more than its share gets none."""
    everyone = free + sum(there[name] for name in NAMES)
    lacks = {name: max(0.0, shares[name] * everyone - there[name]) for name in NAMES}
    total = sum(lacks.values())
    if not total:
        return dict.fromkeys(NAMES, 0)
    exact = {name: free * lacks[name] / total for name in NAMES}
    room = {name: int(exact[name]) for name in NAMES}
    # The rest to whoever was rounded down most.
    rest = sorted(NAMES, key=lambda name: room[name] - exact[name])
    for name in rest[: free - sum(room.values())]:
        room[name] += 1
    return room
