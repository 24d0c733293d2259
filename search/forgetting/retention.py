"""How long the pictures of a dataset are kept, and the removal of those that are too old."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.models import Box, Dataset, Image
from pedsite.audit.journal import Action, record
from search.forgetting import removal
from search.forgetting.errors import NotForgettable
from search.forgetting.models import Removal, RetentionRule

if TYPE_CHECKING:
    from pedsite.accounts.models import User

MOST_DAYS = 36_500
# One removal takes so many pictures; the rest go with the next round.
MOST_IMAGES = 5000
Since = RetentionRule.Since


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a rule would remove now."""

    rule: RetentionRule
    images: int
    boxes: int
    before: dt.datetime


@transaction.atomic
def set_rule(
    dataset: Dataset, days: int | None, since: str = Since.TAKEN, user: "User | None" = None
) -> RetentionRule | None:
    """Keep pictures of a dataset for some days; None is for ever.

    Raises: MayNotRemove; NotForgettable, the days are out of range.
    """
    removal.require_remover(user)
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise NotForgettable(_("Give from 1 to %(most)d days.") % {"most": MOST_DAYS})
    about = f"retention of dataset {dataset.pk}"
    record(Action.CHANGE, user=user, about=about, days=days, since=since)
    if days is None:
        RetentionRule.objects.filter(dataset=dataset).delete()
        return None
    told = {"days": days, "since": since, "set_by": user}
    return RetentionRule.objects.update_or_create(dataset=dataset, defaults=told)[0]


def due(rule: RetentionRule, now: dt.datetime | None = None) -> Due:
    """What a rule would remove, and nothing removed."""
    images = _old(rule, now)
    return Due(
        rule=rule,
        images=images.count(),
        boxes=Box.objects.filter(image__in=images.values("pk")).count(),
        before=_before(rule, now),
    )


def apply(rule: RetentionRule, user: "User | None" = None, queue: bool = True) -> Removal | None:
    """Have the oldest pictures removed that a rule keeps no longer; None if there are none.

    None too while a removal for the same rule is on its way.

    Raises: MayNotRemove.
    """
    removal.require_remover(user)
    with transaction.atomic():
        Dataset.objects.select_for_update(no_key=True).get(pk=rule.dataset_id)
        waiting = Removal.objects.filter(
            why=Removal.Why.RETENTION, dataset=rule.dataset, finished_at=None
        )
        # One whose job failed is gone on with, so that what is left does not pile up.
        for held in waiting.select_related("job"):
            if held.job is None or held.job.is_over:
                return removal.again(held, user, queue=queue)
            return None
        images = list(_old(rule).order_by("pk").values_list("pk", flat=True)[:MOST_IMAGES])
        if not images:
            return None
        boxes = list(Box.objects.filter(image__in=images).values_list("pk", flat=True))
        return removal.request(
            rule.dataset,
            Removal.Why.RETENTION,
            user,
            boxes=boxes,
            images=images,
            purpose=f"{rule.days} days, {rule.since}",
            queue=queue,
        )


def apply_all() -> list[Removal]:
    """Every rule; the removals that were asked for."""
    rules = RetentionRule.objects.select_related("dataset")
    return [made for rule in rules if (made := apply(rule)) is not None]


def _before(rule: RetentionRule, now: dt.datetime | None) -> dt.datetime:
    return (now or timezone.now()) - dt.timedelta(days=rule.days)


def _old(rule: RetentionRule, now: dt.datetime | None = None) -> QuerySet[Image]:
    before = _before(rule, now)
    imported = Q(created_at__lt=before)
    old = imported
    if rule.since == Since.TAKEN:
        old = Q(taken_at__lt=before) | Q(taken_at=None) & imported
    return Image.objects.filter(old, dataset=rule.dataset_id)
