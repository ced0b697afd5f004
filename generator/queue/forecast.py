"""What will be claimed when, if nothing else is asked for: the claim's rules played through in memory.

Each worker takes the job whose turn it is when it becomes free, prefers warm work within the stated bound, loads the
model first where it must, and needs as long as its kind of device was measured to need.
"""

import heapq
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from generator.models import Hold, Job, State, Worker
from generator.queue.affinity import LOOK_AHEAD
from generator.queue.capabilities import Ability, ability_of
from generator.queue.pace import Duration, Paces
from generator.queue.tree import Node, Tree

ASKS = ("kind", "family", "memory", "loads")
SIZE = ("generation__width", "generation__height", "steps", "generation__count", "cost")
ROOM = 2  # models that a worker keeps warm at least, where they fit into its memory
OVERDUE = 0.1  # a job that takes longer than expected is taken to have this part of its time left


@dataclass(frozen=True)
class Start:
    """How many claims come before a job's, and when that is: seconds from now and their standard deviation.

    `ahead` is the cost of what its team is served before it.
    """

    position: int
    seconds: float | None = None
    deviation: float = 0.0
    ahead: float = 0.0


@dataclass(slots=True)
class Waiting:
    """A waiting job, as far as the claim looks at it. Times are seconds from now."""

    pk: Any
    account: int
    kind: str
    family: str
    memory: int
    loads: str
    size: tuple[Any, ...]
    passed: int
    passed_since: float | None
    due: float

    def is_due(self, now: float) -> bool:
        """Whether nobody may pass it over again."""
        too_long = self.passed_since is not None and now - self.passed_since >= settings.QUEUE_AFFINITY_SECONDS
        return too_long or self.passed >= settings.QUEUE_AFFINITY_CLAIMS


@dataclass(slots=True)
class Bench:
    """A worker: when it is free, how sure that is, what it has loaded, and for whom it works until then."""

    ability: Ability
    device: str
    warm: tuple[str, ...]
    room: int
    variance: float = 0.0
    owner: tuple[Any, Any] | None = None

    def load(self, loads: str) -> None:
        """What it has in memory after a job with this model."""
        if loads:
            self.warm = (loads, *(one for one in self.warm if one != loads))[: self.room]


def seconds_of(paces: Paces, loads: str, size: tuple[Any, ...], device: str = "") -> Duration:
    """The time of a job on a device. What is no generation was asked for with its seconds as cost."""
    width, height, steps, count, cost = size
    if width is None or not loads:  # what draws nothing is paced by its way, which its cost has in it already
        return Duration(cost, 0.5)
    return paces.work(loads, width * height, steps, count, device)


class Forecast:
    """One reading of the whole queue. `starts` says what becomes of every waiting job."""

    def __init__(self, waiting: QuerySet[Job], now: datetime, room: int = ROOM) -> None:
        """Reads waiting and running jobs, workers, holds, shares and measured times: some ten queries."""
        self.now, self.room = now, room
        self.paces = Paces.read()
        self.lines: dict[int, list[Waiting]] = defaultdict(list)
        rows = waiting.order_by("account", "position").values_list(
            "pk", "account", *ASKS, *SIZE, "passed", "passed_since", "not_before"
        )
        for pk, account, kind, family, memory, loads, w, h, steps, n, cost, passed, since, not_before in rows:
            ago = (since - now).total_seconds() if since else None
            due = max(0.0, (not_before - now).total_seconds()) if not_before else 0.0
            self.lines[account].append(
                Waiting(pk, account, kind, family, memory, loads, (w, h, steps, n, cost), passed, ago, due)
            )
        self.tree = Tree([*self.lines])
        self.running: Counter[Any] = Counter()
        self.events: list[tuple[float, int, Bench]] = []
        self._read_workers()
        self._read_holds()
        self.starts: dict[Any, Start] = {}
        self.served: dict[int, float] = defaultdict(float)  # cost, by team
        self._play()

    def _read_workers(self) -> None:
        busy = {}
        running = Job.objects.filter(state=State.RUNNING).order_by()
        for worker, started, team, owner, loads, *size in running.values_list(
            "worker", "started", "team", "owner", "loads", *SIZE
        ):
            busy[worker] = (started, (team, owner), loads, tuple(size))
            self.running[team, owner] += 1
        for number, row in enumerate(Worker.objects.alive().filter(is_paused=False)):
            bench = Bench(ability_of(row), row.device, tuple(row.loaded), max(self.room, len(row.loaded)))
            free = 0.0
            if row.pk in busy:
                started, bench.owner, loads, size = busy[row.pk]
                took = seconds_of(self.paces, loads, size, row.device)
                total = took.seconds + (0 if loads in ("", *bench.warm) else self.paces.load(loads, row.device))
                gone = (self.now - started).total_seconds() if started else 0.0
                free = max(total - gone, total * OVERDUE * math.exp(-max(0.0, gone / max(total, 1e-6) - 1)))
                bench.variance = (took.spread * took.seconds * min(1.0, free / max(total, 1e-6))) ** 2
                bench.load(loads)
            heapq.heappush(self.events, (free, number, bench))
        for (team, owner), n in Counter(one[1] for name, one in busy.items()).items():
            self.running[team, owner] = max(self.running[team, owner], n)

    def _read_holds(self) -> None:
        holds = list(Hold.objects.exclude(scope=Hold.Scope.WORKER).values_list("scope", "team", "user"))
        if any(scope == Hold.Scope.EVERYTHING for scope, _team, _user in holds):
            self.events = []
        held = {(team, user if scope == Hold.Scope.PERSON else None) for scope, team, user in holds}
        self.held = {
            pk
            for pk, (_of, _team, leaf) in self.tree.paths.items()
            if leaf.owner and ((leaf.owner[0], None) in held or leaf.owner in held)
        }

    # --- playing it through -----------------------------------------------------------------------------------------

    def _play(self) -> None:
        idle: list[tuple[int, Bench]] = []
        while self.events and self.lines:
            now, number, bench = heapq.heappop(self.events)
            if bench.owner:
                self.running[bench.owner] -= 1
                bench.owner = None
                for other, one in idle:  # somebody's limit may have let nobody else
                    heapq.heappush(self.events, (now, other, one))
                idle = []
            job = self._claim(bench, now)
            if job is None:
                if later := [one.due for line in self.lines.values() for one in line if one.due > now]:
                    heapq.heappush(self.events, (min(later), number, bench))
                else:
                    idle.append((number, bench))
                continue
            self._start(job, now, math.sqrt(bench.variance))
            took = seconds_of(self.paces, job.loads, job.size, bench.device)
            load = 0.0 if job.loads in ("", *bench.warm) else self.paces.load(job.loads, bench.device)
            bench.load(job.loads)
            bench.variance += (took.spread * took.seconds) ** 2 + (load / 3) ** 2
            bench.owner = self.tree.paths[job.account][2].owner
            self.running[bench.owner] += 1
            heapq.heappush(self.events, (now + load + took.seconds, number, bench))
        self._line_up_the_rest()

    def _start(self, job: Waiting, seconds: float | None, deviation: float = 0.0) -> None:
        team = self.tree.paths[job.account][1]
        self.starts[job.pk] = Start(len(self.starts), seconds, deviation, self.served[id(team)])
        self.served[id(team)] += job.size[-1]
        self.tree.charge(job.account, job.size[-1])
        line = self.lines[job.account]
        line.remove(job)
        if not line:
            del self.lines[job.account]
            self.tree.drop(job.account)

    def _line_up_the_rest(self) -> None:
        """The order of what nobody can start: held, without a worker, or put off."""
        while self.lines:
            self._start(self.lines[next(self.tree.in_turn()).key][0], None)

    def _claim(self, bench: Bench, now: float) -> Waiting | None:
        """As queue.claim."""
        turns = self._turns(bench, now)
        first = next(turns, None)
        if first is None or not bench.warm or first.loads in ("", *bench.warm) or first.is_due(now):
            return first
        return self._warmer(bench, now, [first, *islice(turns, LOOK_AHEAD - 1)]) or first

    def _turns(self, bench: Bench, now: float) -> Iterator[Waiting]:
        """The first job that this worker can run of each account, in turn."""
        for leaf in self.tree.in_turn():
            if leaf.key not in self.held and not self._is_full(leaf):
                job = next((one for one in self.lines[leaf.key] if one.due <= now and bench.ability.can_run(one)), None)
                if job:
                    yield job

    def _is_full(self, leaf: Node) -> bool:
        return leaf.limit is not None and self.running[leaf.owner] >= leaf.limit

    def _warmer(self, bench: Bench, now: float, firsts: list[Waiting]) -> Waiting | None:
        """As affinity.rather."""
        warm = ("", *bench.warm)
        passed = []
        for first in firsts:
            if first.loads not in warm:
                if first.is_due(now):
                    return None
                passed.append(first)
            mine = (one for one in self.lines[first.account] if one.loads in warm)
            if job := next((one for one in mine if one.due <= now and bench.ability.can_run(one)), None):
                for one in passed:
                    one.passed += 1
                    one.passed_since = now if one.passed_since is None else one.passed_since
                return job
        return None
