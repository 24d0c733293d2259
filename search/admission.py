"""Searches at the same time: as many as the cores can serve, over all web processes together.

A few more wait their turn, first come first served, and the rest are told when to come again: a
search that shares its core with many is slow for everybody, and a queue without an end is slower.

Who searches and who waits is kept in Redis under leases, so that the place of a process that was
killed is free again after seconds. Without Redis every search is let in.
"""

import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import redis
from django.conf import settings

from search.errors import TooBusy

logger = logging.getLogger(__name__)

RUNNING, WAITING, SEEN = (f"pedsite:searches:{name}" for name in ("running", "waiting", "seen"))
# A search that takes longer no longer counts; one that was killed counts for so long.
LEASE_S = 20.0
# Who waits asks again after POLL_S, and is taken for dead after SILENCE_S.
POLL_S = 0.015
SILENCE_S = 1.0
# Nobody is kept waiting longer, and whoever is sent away is asked to stay away so long.
PATIENCE_S = 2.0
# How long they took, the waiting included, since Redis was last emptied: counts by upper bound,
# `refused`, and the sum in microseconds.
TALLY = "pedsite:searches:tally"
BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
RETRY_AFTER_S = 2

# 1: come in, 0: wait, -1: too many wait already. The server's clock counts for all hosts.
_ENTER = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local running, waiting, seen = KEYS[1], KEYS[2], KEYS[3]
local token, places, queue = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', running, '-inf', now)
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now)) do
  redis.call('ZREM', waiting, dead)
  redis.call('ZREM', seen, dead)
end
local ahead = redis.call('ZRANK', waiting, token)
local new = not ahead
if new then ahead = redis.call('ZCARD', waiting) end
if ahead < places - redis.call('ZCARD', running) then
  redis.call('ZADD', running, now + tonumber(ARGV[4]), token)
  redis.call('ZREM', waiting, token)
  redis.call('ZREM', seen, token)
  redis.call('EXPIRE', running, 600)
  return 1
end
if new then
  if ahead >= queue then return -1 end
  redis.call('ZADD', waiting, now, token)
end
redis.call('ZADD', seen, now + tonumber(ARGV[5]), token)
redis.call('EXPIRE', waiting, 600)
redis.call('EXPIRE', seen, 600)
return 0
"""


def places() -> int:
    """Searches at the same time."""
    return settings.PEDSITE_SEARCHES or 2 * (os.cpu_count() or 1)


def queue() -> int:
    """Searches that may wait for a place."""
    chosen = settings.PEDSITE_SEARCHES_WAITING
    return places() if chosen < 0 else chosen


@contextmanager
def slot() -> Iterator[None]:
    """A place among the searches at work, for as long as the block takes.

    Raises: TooBusy, too many wait already, or it was not this one's turn in time.
    """
    token, began = uuid.uuid4().hex, time.perf_counter()
    try:
        admitted = _wait(token)
    except redis.RedisError as exc:
        logger.warning("searches are not counted: %s", exc)
        admitted = False
    try:
        yield
    finally:
        if admitted:
            _leave(token, time.perf_counter() - began)


def tally() -> dict[str, int]:
    """The counts of TALLY, each bound's without those below it. Raises: RedisError."""
    return {name.decode(): int(count) for name, count in _client().hgetall(TALLY).items()}


def at_work() -> tuple[int, int]:
    """How many searches run and how many wait. Raises: RedisError."""
    now = _client().time()
    since = now[0] + now[1] / 1e6
    return _client().zcount(RUNNING, since, "+inf"), _client().zcount(SEEN, since, "+inf")


def _wait(token: str) -> bool:
    until = time.monotonic() + PATIENCE_S
    while True:
        answer = _enter(token)
        if answer == 1:
            return True
        if answer < 0 or time.monotonic() > until:
            _leave(token)
            raise TooBusy(RETRY_AFTER_S)
        time.sleep(POLL_S)


def _enter(token: str) -> int:
    keys = [RUNNING, WAITING, SEEN]
    script = _client().register_script(_ENTER)
    return int(script(keys=keys, args=[token, places(), queue(), LEASE_S, SILENCE_S]))


def _leave(token: str, seconds: float | None = None) -> None:
    """Count one off; without its seconds, as one that was refused."""
    try:
        with _client().pipeline(transaction=False) as pipeline:
            for key in (RUNNING, WAITING, SEEN):
                pipeline.zrem(key, token)
            if seconds is None:
                pipeline.hincrby(TALLY, "refused", 1)
            else:
                bound = next((each for each in BOUNDS_S if seconds <= each), "+Inf")
                pipeline.hincrby(TALLY, str(bound), 1)
                pipeline.hincrby(TALLY, "microseconds", round(seconds * 1e6))
            pipeline.execute()
    except redis.RedisError as exc:  # its lease ends by itself
        logger.warning("a search could not be counted off: %s", exc)


def _client() -> redis.Redis:
    return _connected(settings.REDIS_URL)


@lru_cache(maxsize=2)
def _connected(url: str) -> redis.Redis:
    # A pool opens connections of its own in a process that was forked.
    return redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
