"""The last lines that this worker wrote: kept with a job that failed, so that nobody has to look for a log file.

A worker that is killed can save nothing; so its pulse leaves a copy in the cache, for whoever recovers the job.
"""

import logging
from collections import deque
from uuid import UUID

from django.core.cache import cache

LINES = 200
LIFETIME = 24 * 3600  # seconds


class _Ring(logging.Handler):
    """Keeps the last lines of the process."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.lines: deque[str] = deque(maxlen=LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """One more line."""
        self.lines.append(self.format(record))


_ring = _Ring()


def start() -> None:
    """From now on every line that the process logs is kept; what a run before this one left is forgotten."""
    logging.getLogger().addHandler(_ring)  # a handler is added once, however often it is asked for
    _ring.lines.clear()


def text() -> str:
    """What was logged since `start`, at most LINES lines."""
    return "\n".join([*_ring.lines])


def leave(job: UUID) -> None:
    """A copy for whoever recovers this job."""
    cache.set(f"tail:{job}", text(), LIFETIME)


def left(job: UUID) -> str:
    """The copy that the job's lost worker left, or nothing."""
    try:
        return cache.get(f"tail:{job}") or ""
    except Exception:  # a job is recovered without its log rather than not at all
        return ""
