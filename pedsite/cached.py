"""What stands in the cache, by name: Django's own way of clearing it would take the queue along."""

from collections.abc import Iterable, Iterator

import redis
from django.conf import settings

PREFIX = settings.CACHES["default"]["KEY_PREFIX"]


def forget(kinds: Iterable[str] = ("",)) -> int:
    """Delete what is cached under names that begin with one of these; how many there were."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return sum(int(client.delete(key)) for key in list(_keys(client, kinds)))


def _keys(client: redis.Redis, kinds: Iterable[str]) -> Iterator[bytes]:
    # PREFIX:VERSION:NAME
    for kind in kinds:
        yield from client.scan_iter(f"{PREFIX}:*:{kind}*", count=1000)
