"""The chain of hashes: entries cannot be changed or taken out of the middle without its breaking.

Writers never wait for it: each entry is one INSERT that takes no lock but its own, in the order in
which transactions commit. One process at a time, under an advisory lock, then links what waits: a
worker every few seconds, and whoever verifies or exports, first of all. Until an entry is linked,
only the trigger guards it; `verify` tells how many those are and how old the oldest is.

The end of a chain can be cut off by whoever owns the database: note its head (`verify_audit` and
the page print it) elsewhere, and have it looked for with `--head`.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from pedsite.audit.models import Entry, Link, Waiting

BATCH = 2000
ROOT = "0" * 64


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a look at the whole chain found."""

    linked: int
    head: str  # NUMBER:HASH of the last link; "" where there is none
    waiting: int
    oldest_waiting: datetime | None
    # Of the first entry or link that is not as it was written, and what is wrong; "" where all is.
    broken: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.broken


def link() -> int:
    """Link all entries that wait; how many. 0 too while another process is at it."""
    linked = 0
    while some := _link_some():
        linked += some
    return linked


def head() -> Link | None:
    """The last link."""
    return Link.objects.order_by("-number").first()


def verify(expected: str = "", watch: Callable[[int], None] = lambda count: None) -> Verdict:
    """Compare every entry with the chain.

    Args:
        expected: NUMBER:HASH, a head that was noted earlier and has to be in the chain.
        watch: told of every batch how many links it had.
    """
    link()
    last = head()
    broken = _first_break(last.number if last else 0, watch) or _cut_off(expected) or _unlinked()
    waiting = Entry.objects.filter(pk__in=Waiting.objects.values("pk")).order_by("at")
    return Verdict(
        linked=last.number if last else 0,
        head=str(last) if last else "",
        waiting=waiting.count(),
        oldest_waiting=waiting.values_list("at", flat=True).first(),
        broken=broken,
    )


def _link_some() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('audit:chain'))")
        if not cursor.fetchone()[0]:
            return 0
        waiting = list(Waiting.objects.order_by("pk").values_list("pk", flat=True)[:BATCH])
        last, links = head(), []
        number, hashed = (last.number, last.hash) if last else (0, ROOT)
        for entry in Entry.objects.filter(pk__in=waiting).order_by("pk"):
            number += 1
            hashed = _hash(number, hashed, entry)
            links.append(Link(number=number, entry_id=entry.pk, hash=hashed))
        Link.objects.bulk_create(links)
        Waiting.objects.filter(pk__in=waiting).delete()
    return len(links)


def _hash(number: int, before: str, entry: Entry) -> str:
    told = [
        number,
        before,
        entry.pk,
        entry.at.astimezone(UTC).isoformat(),
        entry.user_id,
        entry.username,
        entry.key,
        entry.via,
        entry.address,
        entry.action,
        entry.about,
        entry.text,
        entry.purpose,
        entry.version,
        entry.results,
        entry.detail,
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _first_break(last: int, watch: Callable[[int], None]) -> str:
    hashed = ROOT
    for number, links in _links(last):
        entries = Entry.objects.in_bulk([each.entry_id for each in links])
        for expected, each in enumerate(links, start=number):
            if each.number != expected:
                return f"link {expected} is missing"
            entry = entries.get(each.entry_id)
            if entry is None:
                return f"entry {each.entry_id} is missing (link {each.number})"
            hashed = _hash(each.number, hashed, entry)
            if hashed != each.hash:
                return f"entry {each.entry_id} is not what was written (link {each.number})"
        watch(len(links))
    return ""


def _links(last: int) -> Iterator[tuple[int, list[Link]]]:
    """Batches, each with the number that its first link should have."""
    number = 0
    while number < last:
        rest = Link.objects.filter(number__gt=number, number__lte=last).order_by("number")
        some = list(rest[:BATCH])
        yield number + 1, some
        number = some[-1].number


def _cut_off(expected: str) -> str:
    if not expected:
        return ""
    number, _colon, hashed = expected.partition(":")
    found = Link.objects.filter(number=int(number)).first() if number.isdigit() else None
    return "" if found and found.hash == hashed else f"the chain has no link {expected}"


def _unlinked() -> str:
    """An entry that neither has a link nor waits for one: its note was taken away."""
    linked = Link.objects.filter(entry_id=OuterRef("pk"))
    waits = Waiting.objects.filter(pk=OuterRef("pk"))
    entry = Entry.objects.filter(~Exists(linked), ~Exists(waits)).order_by("pk").first()
    return f"entry {entry.pk} was never linked" if entry else ""
