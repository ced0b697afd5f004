"""What has to be written although the database is away for a moment."""

import logging
from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from django.db import close_old_connections

from generator.troubles import DATABASE_GONE

log = logging.getLogger(__name__)

T = TypeVar("T")
LONGEST_PAUSE = 2.0  # seconds between two attempts


def patiently(write: Callable[[], T], *, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> T:
    """What `write` returns, tried again while the database cannot be reached, for so many seconds.

    `write` must bear being called again although an earlier call came through and only its answer was lost.
    `meanwhile` is called between two attempts. Raises the database's error when it stays away.
    """
    end = monotonic() + seconds
    pause = 0.1
    while True:
        try:
            return write()
        except DATABASE_GONE as error:
            if monotonic() > end:
                raise
            log.warning("the database cannot be reached, trying again: %s", error)
        close_old_connections()
        meanwhile()
        sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
