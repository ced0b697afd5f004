"""How often somebody may do something: counted in the cache that all web processes share, in windows of one length."""

from dataclasses import dataclass
from time import time

from django.core.cache import cache


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
    key, reset = f"tries.{what}.{now // seconds}", seconds - now % seconds
    return Rate(limit=times, used=_another(key) or _first(key, reset + 1) or _another(key) or 1, reset=reset)


def _another(key: str) -> int:
    """How often with this time; 0 where nobody has begun to count."""
    try:
        return cache.incr(key)
    except ValueError:
        return 0


def _first(key: str, seconds: int) -> int:
    """1; or 0 where somebody has begun to count in between."""
    return int(cache.add(key, 1, seconds))
