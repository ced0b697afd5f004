"""What goes wrong, when. Everything is drawn from one seed."""

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.site import LEASE, Part, Site

WEIGHTS = {
    "kill worker": 14,
    "stop worker": 9,
    "kill web": 8,
    "kill redis": 8,
    "kill postgres": 8,
    "fill disk": 7,
    "cut network": 6,
}
LONG_FULL = 20.0  # seconds: longer than all pauses between the tries of a job


@dataclass
class Fault:
    """One thing that went wrong from `start` to `end` (seconds since the epoch). `pid` of the worker that it hit."""

    kind: str
    start: float
    end: float = 0.0
    pids: list[int] = field(default_factory=list)


class Plan:
    """Draws faults and brings them about, one after the other."""

    def __init__(self, site: Site, seed: int, count: int) -> None:
        self.site = site
        self.random = random.Random(seed)
        kinds = [kind for kind, weight in WEIGHTS.items() for _n in range(weight)]
        self.kinds = [kinds[n % len(kinds)] for n in range(count)] if count >= len(kinds) else []
        if not self.kinds:  # a small run: each kind at least once
            self.kinds = [*WEIGHTS, *self.random.choices(kinds, k=max(0, count - len(WEIGHTS)))]
        self.random.shuffle(self.kinds)
        self.happened: list[Fault] = []
        self._filled_long = False

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind have happened."""
        return dict(Counter(fault.kind for fault in self.happened))

    def bring_about(self, kind: str) -> None:
        """One fault, and its end."""
        fault = Fault(kind, time.time())
        self.happened.append(fault)
        getattr(self, kind.replace(" ", "_"))(fault)
        fault.end = time.time()

    def kill_worker(self, fault: Fault, part: Part | None = None) -> None:
        """SIGKILL; another one is started a moment later."""
        part = part or self.random.choice(self.site.workers)
        fault.pids = [part.pids[-1]]
        part.kill()
        time.sleep(self.random.uniform(0, 1.5))
        part.start()

    def stop_worker(self, fault: Fault) -> None:
        """SIGSTOP until its lease has run out and been taken over, then SIGCONT: it must notice."""
        part = self.random.choice(self.site.workers)
        fault.pids = [part.pids[-1]]
        part.send(signal.SIGSTOP)
        time.sleep(LEASE + self.random.uniform(2, 6))
        part.send(signal.SIGCONT)

    def kill_web(self, fault: Fault) -> None:
        """SIGKILL of the web server."""
        self.site.web.kill()
        time.sleep(self.random.uniform(0, 1.5))
        self.site.web.start()

    def kill_redis(self, fault: Fault) -> None:
        """SIGKILL of broker, cache and channel layer, all in one."""
        self.site.redis.kill()
        time.sleep(self.random.uniform(0.5, 4))
        self.site.redis.start()

    def kill_postgres(self, fault: Fault) -> None:
        """SIGKILL of the database, away for less or for more than a lease."""
        self.site.postgres.kill()
        time.sleep(self.random.uniform(0.5, LEASE + 4))
        self.site.start_postgres()

    def fill_disk(self, fault: Fault) -> None:
        """Not a byte is free where pictures are kept. Once for so long that jobs must fail."""
        seconds = self.random.uniform(2, 7) if self._filled_long else LONG_FULL
        self._filled_long = True
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:  # again and again: what a failed job removes must not make room
                self.site.fill()
                time.sleep(0.05)
        finally:
            self.site.empty()

    def cut_network(self, fault: Fault) -> None:
        """The second worker reaches neither database nor broker."""
        fault.pids = [self.site.workers[1].pids[-1]]
        self.site.cut(off=True)
        time.sleep(LEASE + self.random.uniform(1, 6))
        self.site.cut(off=False)
