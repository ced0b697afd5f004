"""The queue at one moment, worked out once for all who ask until it changes, for half a second at most.

Programs and pages ask what waits far more often than it changes, and playing a long line through takes a while.
"""

from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar

from django.db.models import Count, F, Max, Q, Sum

from accounts.prepared import Prepared
from gallery.models import Media
from generator.models import FINISHED, Hold, Job, Worker

SECONDS = 0.5  # what the queue does not say of itself (steps drawn, measured times, names) may be so old
MOST = 200  # things that are kept
Made = TypeVar("Made")


class Kept(Generic[Made]):
    """What was worked out a moment ago, by what it was worked out from. One thread at a time works anything out."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._made: dict[Hashable, tuple[float, Made]] = {}
        self._lock = Lock()

    def get(self, of: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` says of it, or has said."""
        with self._lock:
            made = self._made.get(of)
            if made is None or monotonic() - made[0] > SECONDS:
                if len(self._made) >= MOST:
                    self._made.clear()
                made = self._made[of] = (monotonic(), make())
            return made[1]


def moment() -> Hashable:
    """What changes whenever a job enters, moves, starts, ends or is seen by others, is held, or a worker changes."""
    return (*_JOBS.rows(), *_HOLDS.rows(), *map(str, _WORKERS.rows()))


def _unfinished() -> Any:
    rows = Job.objects.exclude(state__in=FINISHED).order_by().values_list("state")
    is_private = Q(visibility=Media.Visibility.PRIVATE)
    return rows.annotate(
        n=Count("pk"),
        private=Count("pk", filter=is_private),
        last=Max("created"),
        versions=Sum("version"),
        places=Sum(F("position") % 2**31),  # as they are, their sum would soon be too large
    )


_JOBS: Prepared[tuple[Any, ...]] = Prepared(_unfinished)
_HOLDS: Prepared[int] = Prepared(lambda: Hold.objects.order_by("pk").values_list("pk", flat=True))
_WORKERS: Prepared[tuple[Any, ...]] = Prepared(
    lambda: Worker.objects.order_by("pk").values_list(
        "pk", "is_paused", "device", "memory", "kinds", "families", "loaded"
    )
)
