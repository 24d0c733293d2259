"""Every change that a person makes to pictures, boxes, people and captions, written down.

All writers go through `acting`: it holds the dataset, so that one action at a time changes it,
reads each row as it is then, and stores what was before and after in the same transaction.
What differs in what a model sees (`Box.bounds`) takes its vectors along, in the database.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

from gallery import datasets
from gallery.change_models import Action, Change
from gallery.errors import GoneMeanwhile, MayNotCurate, UnknownDataset
from gallery.models import Box, Caption, Dataset, Identity, Image
from pedsite.accounts.models import User
from pedsite.audit import journal
from pedsite.audit.journal import record

# What is recorded, owners before what they own, and the path from a row to its dataset.
TREE: dict[type[Model], str] = {
    Image: "dataset",
    Identity: "dataset",
    Box: "image__dataset",
    Caption: "box__image__dataset",
}
MODELS = {model._meta.model_name: model for model in TREE}
BATCH = 2000

State = dict[str, Any]


def state_of(row: Model) -> State:
    """All fields of a row but its id, as JSON has them."""
    return {
        field.attname: plain(field.value_from_object(row))
        for field in row._meta.concrete_fields
        if not field.primary_key
    }


def plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


class Act:
    """An action on its way: each method changes rows of its dataset and remembers how they were.

    Rows are named by id. One that is not there, or is another dataset's, is refused before
    anything is changed by that call (`GoneMeanwhile`). Values go by column: `identity_id`.
    """

    def __init__(self, dataset: Dataset, user: User | None) -> None:
        self.dataset = dataset
        self.user = user
        self.action: Action | None = None
        self._found: dict[tuple[str, int], tuple[State | None, State | None]] = {}

    @property
    def touched(self) -> int:
        """How many rows are other than they were."""
        return len(self._found)

    def rows(self, model: type[Model]) -> QuerySet:
        """The rows of a model in this dataset."""
        return model.objects.filter(**{TREE[model]: self.dataset})

    def hold(self, model: type[Model], ids: Iterable[int]) -> list[Model]:
        """Those rows as they are now, by rising id; they stay so until the action is over.

        Raises: GoneMeanwhile
        """
        wanted = set(ids)
        held = self.rows(model).select_for_update(of=("self",), no_key=True)
        found = list(held.filter(pk__in=wanted).order_by("pk"))
        if missing := wanted - {row.pk for row in found}:
            raise GoneMeanwhile(model, min(missing))
        return found

    def update(self, model: type[Model], ids: Iterable[int], **values: Any) -> int:
        """Give rows the same values; how many had others. Raises: GoneMeanwhile."""
        changed = 0
        for some in _batches(sorted(set(ids))):
            differ = [row for row in self.hold(model, some) if self._note_edit(row, values)]
            model.objects.filter(pk__in=[row.pk for row in differ]).update(**values)
            changed += len(differ)
        return changed

    def edit(self, model: type[Model], wanted: Mapping[int, Mapping[str, Any]]) -> int:
        """Give each row values of its own; how many had others. Raises: GoneMeanwhile."""
        changed = 0
        for some in _batches(sorted(wanted)):
            differ = [row for row in self.hold(model, some) if self._note_edit(row, wanted[row.pk])]
            names = {name for row in differ for name in wanted[row.pk]}
            for row in differ:
                for name, value in wanted[row.pk].items():
                    setattr(row, name, value)
            if differ:
                model.objects.bulk_update(differ, sorted(names), batch_size=BATCH)
            changed += len(differ)
        return changed

    def create(self, rows: Sequence[Model]) -> None:
        """Insert rows of one model, with the id that a row has already."""
        for some in _batches(rows):
            model = type(some[0])
            # An insert writes the present moment over a time that a row comes back with.
            times = {row.pk: row.created_at for row in some if getattr(row, "created_at", None)}
            model.objects.bulk_create(some)
            for row in some:
                if row.pk in times:
                    row.created_at = times[row.pk]
            if times:
                model.objects.bulk_update(
                    [row for row in some if row.pk in times], ["created_at"], batch_size=BATCH
                )
            for row in some:
                self._note(row, None, state_of(row))

    def delete(self, model: type[Model], ids: Iterable[int]) -> None:
        """Remove rows, and the captions of boxes with them. Raises: GoneMeanwhile."""
        for some in _batches(sorted(set(ids))):
            found = self.hold(model, some)
            if model is Box:
                words = Caption.objects.filter(box__in=found)
                self.delete(Caption, words.values_list("pk", flat=True))
            for row in found:
                self._note(row, state_of(row), None)
            model.objects.filter(pk__in=[row.pk for row in found]).delete()

    def write_off(self, model: type[Model], ids: Iterable[int]) -> list[Model]:
        """Note rows as removed that the caller removes now. Raises: GoneMeanwhile."""
        found = self.hold(model, ids)
        for row in found:
            self._note(row, state_of(row), None)
        return found

    def mark(self) -> dict[tuple[str, int], Any]:
        """What was done so far, for `back_to` when a savepoint was rolled back."""
        return dict(self._found)

    def back_to(self, mark: dict[tuple[str, int], Any]) -> None:
        self._found = mark

    def write(self, kind: str, undoes: Action | None = None) -> Action | None:
        """Store what was done; None where nothing was."""
        if not self._found:
            return None
        self.action = Action.objects.create(
            dataset=self.dataset,
            kind=kind,
            rows=len(self._found),
            made_by=self.user,
            undoes=undoes,
        )
        Change.objects.bulk_create(
            (
                Change(action=self.action, model=model, row=row, before=before, after=after)
                for (model, row), (before, after) in self._found.items()
            ),
            batch_size=BATCH,
        )
        record(
            journal.Action.CHANGE,
            user=self.user,
            about=f"dataset {self.dataset.pk}, action {self.action.pk}",
            what=kind,
            rows=self.action.rows,
            undoes=undoes.pk if undoes else None,
        )
        return self.action

    def _note_edit(self, row: Model, values: Mapping[str, Any]) -> bool:
        before = {name: plain(getattr(row, name)) for name in values}
        after = {name: plain(value) for name, value in values.items()}
        differ = [name for name in values if before[name] != after[name]]
        if differ:
            self._note(row, {n: before[n] for n in differ}, {n: after[n] for n in differ})
        return bool(differ)

    def _note(self, row: Model, before: State | None, after: State | None) -> None:
        place = (row._meta.model_name, row.pk)
        if place in self._found:
            first, last = self._found[place]
            # The row as it was before the action began, and as it is after all of it.
            before = None if first is None else {**(before or {}), **first}
            after = None if after is None else {**(last or {}), **after}
        if before is None and after is None:
            del self._found[place]
        else:
            self._found[place] = before, after


@contextmanager
def acting(
    dataset: Dataset, user: User | None, kind: str, *, undoes: Action | None = None
) -> Iterator[Act]:
    """One action on a dataset; what is done in the block is stored and undone together.

    Args:
        user: who acts; None is a command, which may do all.
        kind: what it is, in English, marked with `gettext_noop`.

    Raises:
        MayNotCurate: the user is no curator.
        UnknownDataset: it was deleted, or is not shared with the user.
    """
    require_curator(dataset, user)
    with transaction.atomic():
        act = Act(datasets.lock(dataset.pk), user)
        yield act
        act.write(kind, undoes)


def require_curator(dataset: Dataset, user: User | None) -> None:
    """Raises: MayNotCurate, UnknownDataset."""
    if user is None:
        return
    if not Dataset.objects.visible_to(user).filter(pk=dataset.pk).exists():
        raise UnknownDataset(dataset.name)
    if not user.curates:
        raise MayNotCurate


def of_row(row: Model) -> QuerySet[Change]:
    """What was changed of one row, newest first."""
    found = Change.objects.filter(model=row._meta.model_name, row=row.pk)
    return found.select_related("action__made_by", "action__undoes").order_by("-pk")


def by_dataset(model: type[Model], ids: Iterable[int]) -> dict[Dataset, list[int]]:
    """Ids of rows by the dataset that they are in, for an action on each."""
    path = TREE[model]
    found: dict[int, list[int]] = defaultdict(list)
    for pk, dataset in model.objects.filter(pk__in=set(ids)).values_list("pk", f"{path}_id"):
        found[dataset].append(pk)
    there = Dataset.objects.in_bulk(found)
    return {there[pk]: sorted(rows) for pk, rows in found.items()}


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    listed = list(items)
    for start in range(0, len(listed), BATCH):
        yield listed[start : start + BATCH]
