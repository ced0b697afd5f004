"""Training in slices, so that whoever waits for the device is not kept waiting for the end of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from generator.diffusion.spec import Cancelled

SLICE = 60.0  # seconds


class SliceOver(Cancelled):
    """What is learned is to be saved, and the rest left for another slice."""


def limit(seconds: float, should_yield: Callable[[], bool]) -> Callable[[], None]:
    """What is to be called between two steps from now on: raises SliceOver after `seconds`, or when asked to yield."""
    deadline = time.monotonic() + seconds

    def may_stop() -> None:
        if time.monotonic() >= deadline or should_yield():
            raise SliceOver

    return may_stop
