"""Who asks for what, and what it takes: the world of one simulation, drawn from a seed."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from generator.models import Job

Urgency = Job.Urgency


@dataclass(frozen=True)
class Model:
    """A checkpoint: seconds of one step at its native size on a device of speed 1, and to load it."""

    slug: str
    step: float
    load: float
    size: int
    steps: int
    weight: float  # how often it is chosen


@dataclass(frozen=True)
class Device:
    """A kind of worker: how fast it is, and its part of all workers."""

    name: str
    speed: float
    part: float


@dataclass(frozen=True)
class Habit:
    """One way of asking: requests of one urgency, `jobs` at once, and its part of all the work that is asked for.

    Those who `look` ask for one job, wait for its pictures, look at them and ask again. All others come when they come.
    """

    urgency: int
    jobs: tuple[int, int]
    counts: tuple[int, ...]
    part: float
    effort: float = 1.0  # times the steps of a model
    looks: bool = False


@dataclass(frozen=True)
class Request:
    """What one person asks for at one moment, seconds from the beginning."""

    at: float
    person: int
    urgency: int
    model: Model
    steps: int
    counts: list[int]
    looks: bool = False


QUICK = Model("quick", step=0.06, load=6.0, size=512, steps=20, weight=5)
FINE = Model("fine", step=0.18, load=18.0, size=1024, steps=28, weight=3)
LARGE = Model("large", step=0.45, load=40.0, size=1024, steps=28, weight=1)
LOOKING = 0.8  # of the logarithm of how long somebody looks: two of three between 0.45 and 2.2 times the median


@dataclass(frozen=True)
class Scenario:
    """A studio on a busy day. `load` is the work asked for over what the workers can do with everything warm.

    Those who look at their pictures ask for their part of it if they need not wait; while they wait they ask for less.
    """

    workers: int = 8
    people: int = 40
    teams: int = 8
    jobs: int = 2000
    load: float = 0.8
    demand: float | None = None  # seconds of work asked for a second, instead of `load`
    seed: int = 1
    room: int = 2  # models that a worker keeps warm
    noise: float = 0.1  # standard deviation of a job's time, as a part of it
    models: tuple[Model, ...] = (QUICK, FINE, LARGE)
    devices: tuple[Device, ...] = (Device("gpu-a", 1.0, 0.75), Device("gpu-b", 0.6, 0.25))
    habits: tuple[Habit, ...] = (
        Habit(Urgency.INTERACTIVE, (1, 1), (1, 2, 4, 4), part=0.55, looks=True),
        Habit(Urgency.BATCH, (20, 60), (1,), part=0.35),
        Habit(Urgency.TRAINING, (1, 1), (1,), part=0.10, effort=40.0),
    )
    all_at_once: bool = False
    is_open: bool = False  # nobody waits for pictures before asking again

    def seconds(self, model: Model, steps: int, count: int) -> float:
        """Of work on a device of speed 1: the steps, and a tenth of a step's native cost for decoding and storing."""
        return count * model.step * (steps + 3)

    def kinds(self) -> list[Device]:
        """The device of each worker, mixed evenly."""
        kinds: list[Device] = []
        for number in range(self.workers):
            kinds.append(max(self.devices, key=lambda one: (number + 1) * one.part - kinds.count(one)))
        return kinds

    def requests(self) -> Iterator[Request]:
        """What is asked for by those who do not look, in time: a Poisson stream for each habit, at its rate."""
        rng = random.Random(self.seed)
        habits = [habit for habit in self.habits if not self.looks(habit)]
        rates = [self.rate(habit) for habit in habits]
        at, jobs = 0.0, 0
        while habits and jobs < self.jobs:
            at += 0.0 if self.all_at_once else rng.expovariate(sum(rates))
            request = self.drawn(rng, at, rng.randrange(self.people), rng.choices(habits, rates)[0])
            jobs += len(request.counts)
            yield request

    def looking(self, rng: random.Random, person: int, *, since: float | None = None) -> Iterator[Request]:
        """What a person asks for next who looks at pictures since then; without `since`, what a day begins with."""
        for habit in self.habits:
            if self.looks(habit):
                pause = self.pause(habit)
                seconds = (
                    rng.uniform(0, pause)
                    if since is None
                    else since + rng.lognormvariate(math.log(pause) - LOOKING**2 / 2, LOOKING)
                )
                yield self.drawn(rng, seconds, person, habit)

    def looks(self, habit: Habit) -> bool:
        """Whether somebody waits for the pictures before asking again."""
        return habit.looks and not (self.is_open or self.all_at_once)

    def drawn(self, rng: random.Random, at: float, person: int, habit: Habit) -> Request:
        """What is asked for when somebody does."""
        model = rng.choices(self.models, [one.weight for one in self.models])[0]
        steps = max(1, round(model.steps * habit.effort * math.exp(rng.gauss(0, 0.2))))
        counts = [rng.choice(habit.counts) for _n in range(rng.randint(*habit.jobs))]
        return Request(at, person, habit.urgency, model, steps, counts, self.looks(habit))

    def rate(self, habit: Habit) -> float:
        """Requests a second that give this habit its part."""
        wanted = self.demand if self.demand is not None else self.load * sum(one.speed for one in self.kinds())
        return wanted * habit.part / sum(one.part for one in self.habits) / self._mean(habit)

    def pause(self, habit: Habit) -> float:
        """Seconds for which somebody looks at pictures, on average."""
        kinds = self.kinds()
        takes = self._mean(habit) * len(kinds) / sum(one.speed for one in kinds)
        return max(1.0, self.people / self.rate(habit) - takes)

    def _mean(self, habit: Habit) -> float:
        """Seconds of work in a request of this habit, on average."""
        weights = sum(one.weight for one in self.models)
        each = sum(one.weight * self.seconds(one, round(one.steps * habit.effort), 1) for one in self.models) / weights
        pictures = sum(habit.counts) / len(habit.counts)
        return each * pictures * (habit.jobs[0] + habit.jobs[1]) / 2
