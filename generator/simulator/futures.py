"""What can be known of a wait at best: its moment played on with many invented futures, whose median is told.

A forecast must guess from what came lately who will come. This knows the law of its world, though not its dice: how
often and for how much people ask, how long they look. The queue's own forecast is judged against it.
"""

import heapq
import math
import random
from collections.abc import Iterable, Mapping
from copy import deepcopy
from datetime import datetime
from statistics import median
from typing import Any

from generator.models import Job, QueueAccount, State, Worker
from generator.queue.forecast import Bench, Forecast, Waiting, seconds_of
from generator.queue.line import waiting
from generator.queue.tree import Node, Tree
from generator.simulator.scenario import LOOKING, Habit, Request, Scenario

Person = int  # as in Request


class Futures(Forecast):
    """One moment of a world, to be played on as often as wanted. Seconds count from this moment."""

    def __init__(
        self,
        scenario: Scenario,
        now: datetime,
        people: list[tuple[Any, Any]],
        waits: Mapping[Any, Person],
        looks: Mapping[Person, float],
    ) -> None:
        """`people`: team and user of each; `waits`: whose pictures a job makes who will look at them; `looks`: for how
        many seconds the others have looked at theirs."""
        self.scenario, self.people, self.waits, self.looks = scenario, people, waits, looks
        super().__init__(waiting(), now, scenario.room)

    def _play(self) -> None:
        """Not yet: only what comes later is read as well."""
        rows = QueueAccount.objects.values_list("queue_team__queue_class", "team", "user", "pk")
        known = {(urgency, team, user): pk for urgency, team, user, pk in rows}
        self.accounts = {
            (urgency, number): known[urgency, *person]
            for number, person in enumerate(self.people)
            for urgency in self.urgencies
            if (urgency, *person) in known
        }
        self.tree = Tree([*known.values()])
        for account in {*known.values()} - {*self.lines}:
            self.tree.drop(account)
        running = dict(Job.objects.filter(state=State.RUNNING).values_list("worker", "pk"))
        alive = enumerate(Worker.objects.alive().filter(is_paused=False))
        self.makes = {number: running.get(row.pk) for number, row in alive}

    @property
    def urgencies(self) -> set[int]:
        """Of all that may be asked for."""
        return {habit.urgency for habit in self.scenario.habits}

    def guess(self, jobs: Iterable[Any], *, futures: int, seed: str) -> dict[Any, float]:
        """Seconds until each of these waiting jobs starts: the median of so many futures."""
        wanted, kept = {*jobs}, (self.lines, self.tree, self.events, self.running)
        runs = []
        for number in range(futures):
            self.lines, self.tree, self.events, self.running = deepcopy(kept)
            self.starts = {}
            One(self, random.Random(f"{seed}/{number}")).play(wanted)
            runs.append(self.starts)
        return {pk: median(starts[pk].seconds or 0.0 for starts in runs) for pk in wanted}


class One:
    """One future."""

    def __init__(self, futures: Futures, rng: random.Random) -> None:
        self.it, self.rng, self.order = futures, rng, 10**6
        self.events: list[tuple[float, int, Bench | Request]] = [*futures.events]
        self.makes = dict(futures.makes)  # by the worker's number
        self.waits, self.accounts = dict(futures.waits), dict(futures.accounts)
        self.idle: dict[int, Bench] = {}

    def play(self, wanted: set[Any]) -> None:
        """Until all of these have started."""
        it, streams = self.it, [habit for habit in self.it.scenario.habits if not self.it.scenario.looks(habit)]
        for habit in streams:
            self._come_again(habit, 0.0)
        for person, seconds in it.looks.items():
            self._look(person, 0.0, seconds)
        while not wanted <= it.starts.keys():
            now, number, event = heapq.heappop(self.events)
            if isinstance(event, Request):
                self._ask(event)
                if not event.looks:
                    self._come_again(next(one for one in streams if one.urgency == event.urgency), now)
            else:
                self._finish(event, number, now)
            for free in [*self.idle]:
                if not self._claim(free, now):
                    break  # all workers can run everything there

    def _push(self, request: Request) -> None:
        self.order += 1
        heapq.heappush(self.events, (request.at, self.order, request))

    def _come_again(self, habit: Habit, now: float) -> None:
        person = self.rng.randrange(len(self.it.people))
        self._push(
            self.it.scenario.drawn(self.rng, now + self.rng.expovariate(self.it.scenario.rate(habit)), person, habit)
        )

    def _look(self, person: Person, now: float, already: float = 0.0) -> None:
        """Until they ask again, having looked for a while."""
        for habit in filter(self.it.scenario.looks, self.it.scenario.habits):
            middle = math.log(self.it.scenario.pause(habit)) - LOOKING**2 / 2
            for _try in range(50):
                if (whole := self.rng.lognormvariate(middle, LOOKING)) > already:
                    break
            else:
                whole = already * self.rng.uniform(1.0, 1.5)
            self._push(self.it.scenario.drawn(self.rng, now + whole - already, person, habit))

    def _ask(self, request: Request) -> None:
        account = self._account(request.urgency, request.person)
        if account is None:  # nobody of this team has asked for such work yet: rare
            return
        model = request.model
        for count in request.counts:
            self.order += 1
            cost = self.it.paces.work(model.slug, model.size**2, request.steps, count).seconds
            size = (model.size, model.size, request.steps, count, cost)
            job = Waiting(self.order, account, Job.Kind.IMAGE, model.slug, 0, model.slug, size, 0, None, 0.0)
            self.it.lines[account].append(job)
            if request.looks:
                self.waits[job.pk] = request.person

    def _account(self, urgency: int, person: Person) -> int | None:
        """Where what they ask for waits, and a place among those in turn."""
        tree, owner = self.it.tree, self.it.people[person]
        if (urgency, person) not in self.accounts:
            paths = [path for path in tree.paths.values() if path[0].key == urgency and path[2].owner[0] == owner[0]]
            if not paths:
                return None
            new = Node(-len(tree.paths), 1, 0.0, owner=owner)
            tree.paths[new.key] = (*paths[0][:2], new)
            self.accounts[urgency, person] = new.key
        of, team, leaf = tree.paths[self.accounts[urgency, person]]
        for above, node in ((team.children, leaf), (of.children, team), (tree.classes, of)):
            if not any(one is node for one in above):
                above.append(node)
        return leaf.key

    def _finish(self, bench: Bench, number: int, now: float) -> None:
        if bench.owner:
            self.it.running[bench.owner] -= 1
            bench.owner = None
        made = self.makes.pop(number, None)
        if made in self.waits:
            self._look(self.waits.pop(made), now)
        self.idle[number] = bench

    def _claim(self, number: int, now: float) -> bool:
        bench, it = self.idle[number], self.it
        job = it._claim(bench, now)
        if job is None:
            return False
        it._start(job, now)
        took = seconds_of(it.paces, job.loads, job.size, bench.device).seconds
        took *= max(0.3, self.rng.gauss(1.0, it.scenario.noise))
        load = 0.0 if job.loads in ("", *bench.warm) else it.paces.load(job.loads, bench.device)
        bench.load(job.loads)
        bench.owner = it.tree.paths[job.account][2].owner
        it.running[bench.owner] += 1
        self.makes[number] = job.pk
        del self.idle[number]
        heapq.heappush(self.events, (now + load + took, number, bench))
        return True
