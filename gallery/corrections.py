"""Rows corrected and taken away, as the administration does it; all is written down."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext_noop

from gallery import changes, images
from gallery.models import Box, Identity, Image
from pedsite.accounts.models import User

CORRECT = {
    Image: gettext_noop("correct a picture"),
    Identity: gettext_noop("correct a person"),
}
DELETE = {
    Image: gettext_noop("delete pictures"),
    Identity: gettext_noop("delete people"),
}


def correct(row: Model, values: Mapping[str, Any], user: User) -> None:
    """Give a picture or a person other values, by column.

    Raises: MayNotCurate, UnknownDataset, GoneMeanwhile
    """
    model = type(row)
    for dataset, ids in changes.by_dataset(model, [row.pk]).items():
        with changes.acting(dataset, user, CORRECT[model]) as act:
            act.edit(model, dict.fromkeys(ids, values))


def delete(model: type[Model], ids: Iterable[int], user: User) -> None:
    """Take people or pictures away.

    The boxes of a person become nobody's. A picture goes with its boxes and its file, and is what
    an undo does not bring back.

    Raises: as `correct`.
    """
    with transaction.atomic():
        for dataset, mine in _in_order(changes.by_dataset(model, ids)):
            with changes.acting(dataset, user, DELETE[model]) as act:
                if model is Image:
                    images.delete(act.write_off(Image, mine))
                    continue
                if model is Identity:
                    boxes = act.rows(Box).filter(identity__in=mine)
                    act.update(Box, boxes.values_list("pk", flat=True), identity_id=None)
                act.delete(model, mine)


def _in_order(grouped: Mapping[Any, list[int]]) -> list[tuple[Any, list[int]]]:
    # Several datasets are held one after the other: always in one order.
    return sorted(grouped.items(), key=lambda pair: pair[0].pk)
