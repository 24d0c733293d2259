"""Who is who: people get names and splits, are found to be one person, or two."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import changes
from gallery.changes import Act
from gallery.errors import (
    BadKey,
    BadMerge,
    BadSplit,
    NothingSelected,
    SplitsDiffer,
    TooManySelected,
    UnknownIdentity,
)
from gallery.formats.records import MAX_KEY, OWN_KEY
from gallery.models import Action, Box, Dataset, Identity
from pedsite.accounts.models import User

MOST = 10_000
RENAME = gettext_noop("rename a person")
MERGE = gettext_noop("merge people")
PART = gettext_noop("part one person into two")
SPLIT = gettext_noop("set the split of people")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parted:
    """Somebody who was taken out of another person, and the action that did it."""

    identity: Identity
    action: Action


def get(pk: int, user: User | None) -> Identity:
    """A person of a dataset that the user sees. Raises: UnknownIdentity."""
    found = _visible(user).select_related("dataset").filter(pk=pk).first()
    if found is None:
        raise UnknownIdentity(pk)
    return found


def rename(identity_id: int, key: str, user: User | None) -> Action | None:
    """Give a person another key. Raises: UnknownIdentity, BadKey, MayNotCurate."""
    identity = get(identity_id, user)
    key = check_key(key)
    with changes.acting(identity.dataset, user, RENAME) as act:
        _require_free(act, key, identity.pk)
        act.update(Identity, [identity.pk], key=key)
    return act.action


def merge(
    into_id: int, others: Iterable[int], user: User | None, split: str | None = None
) -> Action:
    """Make several people one: all boxes become those of `into_id`, the others go.

    Args:
        split: in which the one is to be. Without it, the split that one or more of them have;
            where they have different ones, that is asked for.

    Raises:
        UnknownIdentity: one that there is not, or that the user may not see.
        BadMerge: of another dataset, or there is nobody to merge with.
        SplitsDiffer, BadSplit, MayNotCurate
    """
    into = get(into_id, user)
    wanted = set(others) - {into_id}
    if not wanted:
        raise BadMerge(_("Name somebody else to merge with."))
    if len(wanted) > MOST:
        raise TooManySelected(MOST)
    there = dict(_visible(user).filter(pk__in=wanted).values_list("pk", "dataset"))
    if missing := wanted - there.keys():
        raise UnknownIdentity(min(missing))
    if set(there.values()) != {into.dataset_id}:
        raise BadMerge(_("Only people of one dataset can be merged."))
    with changes.acting(into.dataset, user, MERGE) as act:
        people = act.hold(Identity, {into_id, *wanted})
        act.update(Identity, [into_id], split=_common(people) if split is None else _split(split))
        boxes = Box.objects.filter(identity__in=wanted).values_list("pk", flat=True)
        act.update(Box, boxes, identity_id=into_id)
        act.delete(Identity, wanted)
    return act.action


def part(identity_id: int, boxes: Sequence[int], user: User | None, key: str = "") -> Parted:
    """Take boxes out of a person: they become somebody new, in the same split.

    Args:
        key: of the new person; without one, the old key with a number.

    Raises:
        UnknownIdentity, NothingSelected, BadKey, MayNotCurate
        BadMerge: a box is not of this person, or none would be left.
    """
    identity = get(identity_id, user)
    wanted = set(boxes)
    if not wanted:
        raise NothingSelected
    with changes.acting(identity.dataset, user, PART) as act:
        (identity,) = act.hold(Identity, [identity_id])
        mine = set(identity.boxes.values_list("pk", flat=True))
        if strangers := wanted - mine:
            raise BadMerge(_("Box %(number)d is not of this person.") % {"number": min(strangers)})
        if wanted == mine:
            raise BadMerge(_("No box of this person would be left: rename them instead."))
        key = check_key(key) if key else _free_key(act, identity.key)
        _require_free(act, key)
        new = Identity(dataset=act.dataset, key=key, split=identity.split)
        act.create([new])
        act.update(Box, wanted, identity_id=new.pk)
    return Parted(identity=new, action=act.action)


def set_split(people: Iterable[int], split: str, user: User | None) -> list[Action]:
    """Put people into a split, "" for none; an action for each dataset.

    Raises: UnknownIdentity, NothingSelected, TooManySelected, BadSplit, MayNotCurate
    """
    split, wanted = _split(split), set(people)
    if not wanted:
        raise NothingSelected
    if len(wanted) > MOST:
        raise TooManySelected(MOST)
    found = set(_visible(user).filter(pk__in=wanted).values_list("pk", flat=True))
    if missing := wanted - found:
        raise UnknownIdentity(min(missing))
    made = []
    grouped = changes.by_dataset(Identity, wanted)
    for dataset, ids in sorted(grouped.items(), key=lambda pair: pair[0].pk):
        with changes.acting(dataset, user, SPLIT) as act:
            act.update(Identity, ids, split=split)
        made += [act.action] if act.action else []
    return made


def check_key(key: str) -> str:
    """A key that a person may be given by hand, without the spaces around it. Raises: BadKey."""
    key = key.strip()
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise BadKey(
            _("A person is named by 1 to %(most)d letters, digits or signs in one line.")
            % {"most": MAX_KEY}
        )
    if key.startswith(OWN_KEY):
        raise BadKey(
            _("“%(start)s…” names those of whom only one picture is known.") % {"start": OWN_KEY}
        )
    return key


def drop_empty(act: Act, people: Iterable[int]) -> None:
    """Remove those of some people of whom no box is left."""
    empty = act.rows(Identity).filter(pk__in=set(people), boxes=None)
    act.delete(Identity, empty.values_list("pk", flat=True))


def _visible(user: User | None):
    if user is None:
        return Identity.objects.all()
    return Identity.objects.filter(dataset__in=Dataset.objects.visible_to(user))


def _split(split: str) -> str:
    if split not in Identity.Split.values:
        raise BadSplit(_("A split is train, validation or test."))
    return split


def _common(people: Sequence[Identity]) -> str:
    """The one split that some of them have. Raises: SplitsDiffer."""
    names: dict[str, list[str]] = defaultdict(list)
    for person in people:
        if person.split:
            names[person.split].append(person.key)
    if len(names) > 1:
        raise SplitsDiffer(names)
    return next(iter(names), "")


def _require_free(act: Act, key: str, but: int | None = None) -> None:
    other = act.rows(Identity).filter(key=key).exclude(pk=but).first()
    if other is not None:
        raise BadKey(_("There is a person “%(key)s” already: merge them.") % {"key": key})


def _free_key(act: Act, key: str) -> str:
    # Of somebody of one picture the key is its hash, which the new one has no part in.
    stem = ("person" if key.startswith(OWN_KEY) else key)[: MAX_KEY - 8]
    taken = set(act.rows(Identity).filter(key__startswith=f"{stem}-").values_list("key", flat=True))
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"
