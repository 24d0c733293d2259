"""Taking an action back: exactly what it changed, but for what was changed since.

Rows that it deleted come back with the ids they had, rows that it changed get the values they
had, rows that it made go. The undo is an action itself, and can be undone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ForeignKey, Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import changes
from gallery.change_models import Action, Change
from gallery.changes import MODELS, Act, State
from gallery.errors import NothingToUndo, UnknownAction
from gallery.models import Image
from gallery.querysets import unreferenced
from pedsite.accounts.models import User

UNDO = gettext_noop("undo")
# Reasons that are told one by one.
TOLD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A row that an undo leaves as it is, and why."""

    model: str
    row: int
    reason: str

    @property
    def model_name(self) -> str:
        """What such a row is called, in the language in force."""
        return str(MODELS[self.model]._meta.verbose_name)


@dataclass(slots=True, kw_only=True)
class Undone:
    """What an undo did: `action` is the undo itself."""

    action: Action | None = None
    restored: int = 0
    left: list[Left] = field(default_factory=list)


def get(pk: int, user: User) -> Action:
    """An action in a dataset that the user may see. Raises: UnknownAction."""
    found = Action.objects.visible_to(user).with_context().filter(pk=pk).first()
    if found is None:
        raise UnknownAction(pk)
    return found


def undo(action: Action, user: User | None) -> Undone:
    """Take an action back, but for the rows that were changed since: they are told.

    Raises:
        NothingToUndo: it was undone already, or all of it was changed since; nothing is done.
        MayNotCurate, UnknownDataset
    """
    done = Undone()
    with changes.acting(action.dataset, user, UNDO, undoes=action) as act:
        if Action.objects.filter(undoes=action).exists():
            raise NothingToUndo(_("It was undone already."))
        _Undo(act, action, done.left).run()
        done.restored = act.touched
        if not done.restored:
            reasons = {one.reason for one in done.left}
            raise NothingToUndo(" ".join(sorted(reasons)) or _("Nothing of it is left to undo."))
    done.action = act.action
    return done


class _Undo:
    """The steps of one undo; what owns others comes back before them and goes after them."""

    def __init__(self, act: Act, action: Action, left: list[Left]) -> None:
        self._act = act
        self._left = left
        self._changes: dict[type[Model], list[Change]] = {model: [] for model in MODELS.values()}
        for change in action.changes.order_by("pk"):
            self._changes[MODELS[change.model]].append(change)

    def run(self) -> None:
        for model, found in self._changes.items():
            self._bring_back(model, [one for one in found if one.after is None])
        for model, found in self._changes.items():
            self._set_back(model, [one for one in found if one.before and one.after])
        for model, found in reversed(self._changes.items()):
            self._take_away(model, [one for one in found if one.before is None])

    def _bring_back(self, model: type[Model], found: list[Change]) -> None:
        rows = model.objects.filter(pk__in=[one.row for one in found])
        there = set(rows.values_list("pk", flat=True))
        good = []
        for one in self._with_owners(model, found):
            if model is Image:
                self._leave(one, _("A deleted picture does not come back: its file is gone."))
            elif one.row in there:
                self._leave(one, _("It is there again."))
            else:
                good.append(one)
        self._each(good, lambda some: self._act.create([_row(model, one) for one in some]))

    def _set_back(self, model: type[Model], found: list[Change]) -> None:
        there = self._act.rows(model).in_bulk([one.row for one in found])
        good = []
        for one in self._with_owners(model, found):
            if self._is_same(one, there.get(one.row)):
                good.append(one)
        self._each(
            good,
            lambda some: self._act.edit(
                model, {one.row: _values(model, one.before or {}) for one in some}
            ),
        )

    def _take_away(self, model: type[Model], found: list[Change]) -> None:
        there = self._act.rows(model).in_bulk([one.row for one in found])
        same = [one for one in found if self._is_same(one, there.get(one.row))]
        used = _used(model, [one.row for one in same])
        for one in same:
            if one.row in used:
                self._leave(one, _("It is used by now."))
        self._act.delete(model, [one.row for one in same if one.row not in used])

    def _is_same(self, one: Change, row: Model | None) -> bool:
        """Whether a row is as the action left it."""
        if row is None:
            self._leave(one, _("It is not there any more."))
            return False
        now, after = changes.state_of(row), one.after or {}
        if any(now[name] != value for name, value in after.items()):
            self._leave(one, _("It was changed since."))
            return False
        return True

    def _with_owners(self, model: type[Model], found: list[Change]) -> Iterable[Change]:
        """Those whose picture, box or person of before is there."""
        missing: dict[str, set[int]] = {}
        for column in _owners(model):
            wanted = {(one.before or {}).get(column.attname) for one in found} - {None}
            there = column.related_model.objects.filter(pk__in=wanted)
            missing[column.attname] = wanted - set(there.values_list("pk", flat=True))
        for one in found:
            gone = [name for name, ids in missing.items() if (one.before or {}).get(name) in ids]
            if gone:
                self._leave(one, _("What it belonged to is not there any more."))
            else:
                yield one

    def _each(self, some: list[Change], write: Callable[[list[Change]], Any]) -> None:
        """All at once, or one by one where some meets another row that has its place by now."""
        if not some:
            return
        kept = self._act.mark()
        try:
            with transaction.atomic():
                write(some)
        except IntegrityError:
            self._act.back_to(kept)
            if len(some) == 1:
                self._leave(some[0], _("Another has its place or its name by now."))
                return
            for one in some:
                self._each([one], write)

    def _leave(self, one: Change, reason: str) -> None:
        self._left.append(Left(model=one.model, row=one.row, reason=reason))


def _owners(model: type[Model]) -> list[ForeignKey]:
    return [each for each in model._meta.concrete_fields if isinstance(each, ForeignKey)]


def _row(model: type[Model], one: Change) -> Model:
    return model(pk=one.row, **_values(model, one.before or {}))


def _values(model: type[Model], state: State) -> State:
    """Fields as a row has them, from what JSON kept."""
    by_column = {each.attname: each for each in model._meta.concrete_fields}
    return {name: by_column[name].to_python(value) for name, value in state.items()}


def _used(model: type[Model], ids: list[int]) -> set[int]:
    """Of rows that were made by an action, those that something else refers to by now."""
    found = model.objects.filter(pk__in=ids)
    free = found.filter(unreferenced(model, ()))
    return set(ids) - set(free.values_list("pk", flat=True))
