"""Looking things up in the log."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone


class EntryQuerySet(models.QuerySet):
    def matching(
        self,
        *,
        who: str = "",
        action: str = "",
        words: str = "",
        purpose: str = "",
        after: dt.date | None = None,
        before: dt.date | None = None,
    ) -> Self:
        """Entries that fit all that is given; both days count, in the current time zone.

        Args:
            who: a user's whole name, or the prefix of a key.
            words: somewhere in what was searched for, or in what it is about.
        """
        wanted = Q()
        if who:
            wanted &= Q(username=who) | Q(key=who)
        if action:
            wanted &= Q(action=action)
        if words:
            wanted &= Q(text__icontains=words) | Q(about__icontains=words)
        if purpose:
            wanted &= Q(purpose__icontains=purpose)
        if after is not None:
            wanted &= Q(at__gte=_midnight(after))
        if before is not None and before != dt.date.max:
            wanted &= Q(at__lt=_midnight(before + dt.timedelta(days=1)))
        return self.filter(wanted)


def _midnight(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time.min))
