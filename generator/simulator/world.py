"""Plays a scenario through: two kinds of events, somebody asks and a worker is done."""

import heapq
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import Any

from accounts.models import Membership, Team, User
from generator import queue
from generator.models import Checkpoint, Generation, Job, State, Worker
from generator.simulator.clock import BEGINNING, Clock
from generator.simulator.futures import Futures
from generator.simulator.scenario import Device, Model, Request, Scenario

LEARNING = 0.25  # the first part of all jobs, which start with empty workers and nothing measured, is not judged
ENDING = 0.15  # the last part neither: nobody asks any more while they wait
FOREVER = BEGINNING + timedelta(days=3650)


@dataclass
class Engine:
    """A worker with an invented engine behind its real row."""

    name: str
    device: Device
    warm: tuple[str, ...] = ()
    told: tuple[str, ...] = ()  # of what is warm, in its row
    job: Job | None = None


@dataclass
class Story:
    """What became of one job. Seconds from the beginning; what it was told when it was asked for."""

    urgency: int
    asked: float
    told: queue.Outlook
    known: float | None = None  # seconds, by one who knows the law of the world (futures.py)
    started: float | None = None
    loaded: bool = False

    @property
    def wait(self) -> float:
        """Seconds until it started."""
        assert self.started is not None
        return self.started - self.asked


@dataclass
class World:
    """One run. `play` returns when everything that was asked for is done."""

    scenario: Scenario
    tells: bool = True  # whether those who ask are told when they start; costs a reading of the queue each time
    futures: int = 0  # how many are played to find what could be known, for whoever is judged and has to wait
    clock: Clock = field(default_factory=Clock)
    stories: dict[Any, Story] = field(default_factory=dict)
    looking: dict[Any, int] = field(default_factory=dict)  # who will look at the pictures of a job
    since: dict[int, float] = field(default_factory=dict)  # when whoever looks at pictures began to
    order: list[Any] = field(default_factory=list)  # jobs as they were claimed
    loads: int = 0
    claims: int = 0
    claim_seconds: float = 0.0  # of real time

    def play(self) -> "World":
        """Runs the scenario in the database that is there, which should be empty."""
        with self.clock.in_place():
            self._settle()
            self._run()
        return self

    def _settle(self) -> None:
        """People, models, workers."""
        it, self.rng = self.scenario, random.Random(self.scenario.seed + 1)
        self.models = {one.slug: one for one in it.models}
        rows = [
            Checkpoint(slug=one.slug, name=one.slug, source="none", family=one.slug, native_size=one.size)
            for one in it.models
        ]
        Checkpoint.objects.bulk_create(rows)
        self.checkpoints = {row.slug: row for row in rows}
        self.teams = Team.objects.bulk_create([Team(name=f"Team {n}") for n in range(it.teams)])
        names = [f"person-{n}@example.com" for n in range(it.people)]
        self.people = User.objects.bulk_create([User(email=name, name=name) for name in names])
        Membership.objects.bulk_create(
            Membership(team=self._team(n), user=user, role="owner") for n, user in enumerate(self.people)
        )
        self.engines = [Engine(f"worker-{n:04}", device) for n, device in enumerate(it.kinds())]
        Worker.objects.bulk_create(
            Worker(name=one.name, device=one.device.name, kinds=[Job.Kind.IMAGE], seen=FOREVER) for one in self.engines
        )

    def _team(self, person: int) -> Team:
        return self.teams[person % len(self.teams)]

    def _run(self) -> None:
        order = itertools.count()
        self.events: list[tuple[float, int, Request | Engine]] = []
        for request in self.scenario.requests():
            self.events.append((request.at, next(order), request))
        heapq.heapify(self.events)
        for person in range(self.scenario.people):
            self._look(person, order)
        idle = dict.fromkeys(range(len(self.engines)))  # in the order in which they became so
        numbers = {one.name: number for number, one in enumerate(self.engines)}
        while self.events:
            self.clock.seconds, _n, event = heapq.heappop(self.events)
            if isinstance(event, Request):
                self._ask(event)
            else:
                self._finish(event, order)
                idle[numbers[event.name]] = None
            for number in list(idle):
                engine = self.engines[number]
                if not self._claim(engine, order):
                    break  # all workers can run everything here
                del idle[number]

    def _look(self, person: int, order: Iterator[int], since: float | None = None) -> None:
        for request in self.scenario.looking(self.rng, person, since=since):
            self.since[person] = since or 0.0
            heapq.heappush(self.events, (request.at, next(order), request))

    def _ask(self, request: Request) -> None:
        counts = request.counts[: self.scenario.jobs - len(self.stories)]
        if not counts:
            return
        user, team = self.people[request.person], self._team(request.person)
        account = queue.open_account(team=team, user=user, urgency=request.urgency)
        checkpoint, paces = self.checkpoints[request.model.slug], queue.Paces.read()
        generations = []
        for count, position in zip(counts, queue.positions(len(counts)), strict=True):
            size = request.model.size
            generation = Generation(
                checkpoint=checkpoint, prompt="-", width=size, height=size, count=count, steps=request.steps, seed=0
            )
            generation.job = Job(
                team=team,
                owner=user,
                account=account,
                urgency=request.urgency,
                position=position,
                family=checkpoint.family,
                loads=checkpoint.slug,
                steps=request.steps,
                cost=paces.work(checkpoint.slug, size * size, request.steps, count).seconds,
                created=self.clock.now(),
            )
            generations.append(generation)
        jobs = [generation.job for generation in generations]
        queue.enter(jobs)
        Generation.objects.bulk_create(generations)
        nothing = queue.Outlook(0, None, None)
        told = queue.outlooks(jobs, room=self.scenario.room) if self.tells else {}
        for job in jobs:
            self.stories[job.pk] = Story(request.urgency, self.clock.seconds, told.get(job.pk, nothing))
            if request.looks:
                self.looking[job.pk] = request.person
                self.since.pop(request.person, None)
        last = len(self.stories) / self.scenario.jobs
        if self.futures and last > LEARNING and last - len(jobs) / self.scenario.jobs < 1 - ENDING:
            self._know([job.pk for job in jobs if told[job.pk].middle])

    def _know(self, jobs: list[Any]) -> None:
        looks = {person: self.clock.seconds - since for person, since in self.since.items()}
        people = [(self._team(number).pk, user.pk) for number, user in enumerate(self.people)]
        if jobs:
            moment = Futures(self.scenario, self.clock.now(), people, self.looking, looks)
            for pk, seconds in moment.guess(jobs, futures=self.futures, seed=str(len(self.stories))).items():
                self.stories[pk].known = seconds

    def _claim(self, engine: Engine, order: Iterator[int]) -> bool:
        began = perf_counter()
        job = queue.claim(worker=engine.name)
        self.claim_seconds += perf_counter() - began
        self.claims += 1
        if job is None:
            return False
        model, asked = self.models[job.loads], job.generation
        work = self.scenario.seconds(model, asked.steps, asked.count) / engine.device.speed
        work *= max(0.3, self.rng.gauss(1.0, self.scenario.noise))
        load = self._load(engine, model)
        job.timings = {"load": load, "denoise": work * asked.steps / (asked.steps + 3)}
        engine.job = job
        self.order.append(job.pk)
        story = self.stories[job.pk]
        story.started, story.loaded = self.clock.seconds, load > 0
        heapq.heappush(self.events, (self.clock.seconds + load + work, next(order), engine))
        return True

    def _load(self, engine: Engine, model: Model) -> float:
        """Seconds until the model is in memory."""
        is_cold = model.slug not in engine.warm
        engine.warm = (model.slug, *(slug for slug in engine.warm if slug != model.slug))[: self.scenario.room]
        self.loads += is_cold
        return model.load if is_cold else 0.0

    def _finish(self, engine: Engine, order: Iterator[int]) -> None:
        job, engine.job = engine.job, None
        assert job is not None
        job.move(State.DONE, was_lease=job.lease, timings=job.timings)
        queue.learn(job, device=engine.device.name)
        if engine.told != engine.warm:  # as a real worker: its row says so after the job
            engine.told = engine.warm
            Worker.objects.filter(pk=engine.name).update(loaded=list(engine.warm))
        if job.pk in self.looking:
            self._look(self.looking.pop(job.pk), order, self.clock.seconds)
