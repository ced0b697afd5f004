"""When the scheduler (celery beat) last sent a task that was due: the system page shows it."""

import contextlib
from time import time
from typing import Any

from celery.signals import before_task_publish
from django.core.cache import cache

KEY = "beat"  # the cache's, for seconds since 1970


@before_task_publish.connect
def note_tick(headers: dict[str, Any], **_facts: object) -> None:
    """In whatever process the scheduler runs: it marks what it sends."""
    if headers.get("celery_beat_task"):
        with contextlib.suppress(Exception):  # a cache that is gone must not keep the task back
            cache.set(KEY, time(), None)


def last_tick() -> float | None:
    """Seconds since 1970, or None if there never was one."""
    return cache.get(KEY)
