"""Which saved searches found somebody new: told to their owners' webhooks, each match once."""

from django.db import transaction

from pedsite.audit.journal import Via, origin
from pedsite.webhooks import outbox
from pedsite.webhooks.models import Event
from search import saved
from search.models import SavedSearch

# Ids that were told are kept for so many; matches are among far fewer.
REMEMBERED = 10 * saved.WATCHED
_EVENT = Event.SEARCH_MATCHED


def tell_all() -> int:
    """Ask every saved search of an owner who listens. Returns: how many found somebody new."""
    with origin(Via.WORKER):
        return _tell_all()


def _tell_all() -> int:
    owners = outbox.listeners(_EVENT).values("owner")
    wanted = SavedSearch.objects.filter(owner__in=owners).order_by("pk")
    return sum(tell(pk) for pk in wanted.values_list("pk", flat=True))


@transaction.atomic
def tell(pk: int) -> bool:
    """Write one message with all that is new and was not told; True if there is any.

    The row is locked from the look until what was told is stored with the message: of two workers
    the second looks when the first is done, and a match is told once between them.
    """
    kept = SavedSearch.objects.select_for_update(of=("self",))
    found = kept.select_related("owner").filter(pk=pk).first()
    if found is None:
        return False
    news = saved.news(found)
    known = set(found.told)
    fresh = [hit.box.pk for hit in news.new if hit.box.pk not in known]
    if not fresh:
        return False
    data = {
        "search": found.pk,
        "new": len(fresh),
        "boxes": fresh,
        "version": news.version,
        "url": f"/api/v1/searches/{found.pk}",
    }
    hear = outbox.listeners(_EVENT).filter(owner=found.owner)
    outbox.announce(_EVENT, hear, f"search:{found.pk}:{found.told_count}", data)
    found.told = [*found.told, *fresh][-REMEMBERED:]
    found.told_count += len(fresh)
    found.save(update_fields=["told", "told_count"])
    return True
