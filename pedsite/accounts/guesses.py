"""Keys that do not exist, tried from one address: after some, none is looked at for a while.

A key that worked from the address lately goes on working, so that one program that guesses does
not shut out its neighbours; unless it is that very key which is guessed at.
"""

from django.conf import settings
from django.core.cache import cache

WINDOW_S = 15 * 60
KNOWN_S = 24 * 3600


def is_shut(address: str, prefix: str) -> bool:
    """Whether keys of this prefix are not looked at that come from this address."""
    found = cache.get_many([_address(address), _key(address, prefix), _known(address, prefix)])
    if found.get(_key(address, prefix), 0) >= settings.KEY_FAILURE_LIMIT:
        return True
    if _known(address, prefix) in found:
        return False
    return found.get(_address(address), 0) >= settings.KEY_FAILURE_LIMIT


def missed(address: str, prefix: str) -> None:
    """A key was wrong."""
    for name in (_address(address), _key(address, prefix)):
        # The window begins with the first miss.
        cache.add(name, 0, WINDOW_S)
        try:
            cache.incr(name)
        except ValueError:  # it ended just now
            cache.set(name, 1, WINDOW_S)


def hit(address: str, prefix: str) -> None:
    """A key was right."""
    cache.add(_known(address, prefix), 1, KNOWN_S)


def _address(address: str) -> str:
    return f"key-misses:{address}"


def _key(address: str, prefix: str) -> str:
    return f"key-misses:{address}:{_plain(prefix)}"


def _known(address: str, prefix: str) -> str:
    return f"key-known:{address}:{_plain(prefix)}"


def _plain(prefix: str) -> str:
    # Whatever was sent: only letters and digits can be a prefix.
    return "".join(letter for letter in prefix[:12] if letter.isalnum())
