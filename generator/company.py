"""How many pictures of a kind one call of the engine should make: measured by this worker, for as long as it lives."""

import logging
from collections import defaultdict
from dataclasses import dataclass, field

from django.conf import settings

log = logging.getLogger(__name__)

WORTH = 0.05  # of the time of a picture that more of them in one call must save
TRIES = 2  # measurements of a size before it is given up: the machine may have been busy

Kind = tuple[str, int]  # Job.loads, pixels of a picture


@dataclass
class Measured:
    """Calls with so many pictures: how often, and the least seconds of one step of one picture."""

    seconds: float = float("inf")
    times: int = 0


@dataclass
class Room:
    """Grows from what people ask for alone, twofold each time, for as long as that saves time and fits into memory."""

    sizes: dict[Kind, dict[int, Measured]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Measured)))
    limits: dict[Kind, int] = field(default_factory=dict)

    def pictures(self, kind: Kind) -> int:
        """How many the next call may make; 0 until one was measured."""
        sizes = self.sizes[kind]
        if not sizes:
            return 0
        best = largest = max(sizes)
        best = min(sizes)
        for size in sorted(sizes):
            if sizes[size].seconds < sizes[best].seconds * (1 - WORTH):
                best = size
        if best == largest:
            best = 2 * largest
        elif sizes[largest].times < TRIES:
            best = largest
        return min(best, self.limits.get(kind, settings.TOGETHER_PICTURES))

    def note(self, kind: Kind, pictures: int, seconds: float) -> None:
        """A call that made so many pictures took so long for each of its steps."""
        measured = self.sizes[kind][pictures]
        measured.seconds = min(measured.seconds, seconds / pictures)
        measured.times += 1

    def does_not_fit(self, kind: Kind, pictures: int) -> None:
        """So many were too many."""
        self.limits[kind] = pictures // 2
        log.warning("%d pictures of %s at once were too many: at most %d from now on", pictures, kind, pictures // 2)


room = Room()
