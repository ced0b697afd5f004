"""How often somebody may do something: counted in the cache that all web processes share, in windows of one length."""

import functools
from dataclasses import dataclass
from time import time

from django.core.cache import cache
from redis import Redis


@dataclass(frozen=True)
class Rate:
    """Where somebody stands in the current window: `limit` times in it, `used` so far, `reset` seconds to its end."""

    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        """How often it may still be done."""
        return max(0, self.limit - self.used)

    @property
    def is_exceeded(self) -> bool:
        """Whether this was once too often."""
        return self.used > self.limit


def count(what: str, *, times: int, seconds: int) -> Rate:
    """Counts one try of `what`, of which `times` in each window of `seconds` are allowed."""
    now = int(time())
    reset = seconds - now % seconds
    return Rate(limit=times, used=_another(f"tries.{what}.{now // seconds}", reset + 1), reset=reset)


def _another(name: str, seconds: int) -> int:
    """How often with this time, by Redis' own INCR: Django's asks first whether there is something to count on."""
    key = cache.make_and_validate_key(name)
    used = _redis().incr(key)
    if used == 1:
        _redis().expire(key, seconds)
    return used


@functools.cache
def _redis() -> Redis:
    """One client, for all threads: making it takes as long as asking it."""
    return cache._cache.get_client(write=True)
