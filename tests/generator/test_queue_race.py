"""Workers, people and losses all at once: no job has two owners, none is left behind, and none is done twice."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from time import monotonic

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Team, User
from accounts.roles import Role
from generator import queue
from generator.models import Job, State, Worker
from generator.queue import limits

JOBS = 60


class Race:
    """What the threads share: who owns what at this moment, and what went wrong."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owned: dict[uuid.UUID, uuid.UUID] = {}
        self.done: Counter[uuid.UUID] = Counter()
        self.cancelled: set[uuid.UUID] = set()
        self.errors: list[BaseException] = []
        self.deadline = monotonic() + 120
        self.all_asked = threading.Event()  # nobody asks for more: until then an empty line is no end

    def start(self, *parts: Callable[[], None]) -> None:
        """Runs all parts at once until each has ended."""
        threads = [threading.Thread(target=self._guard, args=(part,)) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(130)

    def _guard(self, part: Callable[[], None]) -> None:
        try:
            part()
        except BaseException as error:  # shown by the test: a thread's own exception would be lost
            self.errors.append(error)
        finally:
            connection.close()

    def is_on(self) -> bool:
        """Whether anything is unfinished still, or may come."""
        more = not self.all_asked.is_set() or Job.objects.unfinished().exists()
        return monotonic() < self.deadline and more

    def work(self, name: str, seed: int) -> None:
        """One worker: most jobs are done, some are put back, failed, or lost with their lease."""
        rng = random.Random(seed)
        while self.is_on():
            job = queue.claim(worker=name)
            if job is None:
                continue
            with self.lock:
                assert job.pk not in self.owned, "two owners"
                self.owned[job.pk] = job.lease
            end = rng.choices([State.DONE, State.QUEUED, State.FAILED, None], [8, 2, 1, 1])[0]
            with self.lock:  # from here on the next owner may come
                del self.owned[job.pk]
            if end is None:
                self._lose(job)
            elif job.move(end, was_lease=job.lease) and end == State.DONE:
                self.done[job.pk] += 1

    def _lose(self, job: Job) -> None:
        lease = job.lease
        Job.objects.holding(lease).update(lease_expires=timezone.now() - timedelta(seconds=1), attempts=0)
        queue.recover()
        assert queue.renew(lease=lease) is None
        assert not job.move(State.DONE, was_lease=lease), "a late writer wrote"

    def disturb(self, members: list[tuple[Team, User]], seed: int) -> None:
        """People: they ask for more, pause, resume and cancel."""
        rng = random.Random(seed)
        for number in range(JOBS // 2):
            ask(*members[number % len(members)], number)
            job = Job.objects.unfinished().exclude(state=State.RUNNING).order_by("?").first()
            if job and job.move(
                rng.choice([State.CANCELLED, State.PAUSED] if job.state == "queued" else [State.QUEUED])
            ):
                self.cancelled.update([job.pk] if job.state == State.CANCELLED else [])
        for job in Job.objects.filter(state=State.PAUSED):
            assert job.move(State.QUEUED)
        self.all_asked.set()


def ask(team: Team, user: User, number: int) -> None:
    """A job for one of three models, interactive or not."""
    urgency = number % 2
    account = queue.open_account(team=team, user=user, urgency=urgency)
    job = Job(
        account=account, team=team, owner=user, urgency=urgency, position=queue.positions()[0], cost=1 + number % 7
    )
    job.loads = ("one", "two", "three")[number % 3]
    queue.enter([job])


@pytest.mark.django_db(transaction=True)
def test_many_workers_and_people_at_once(studio, alice, bob, settings):
    settings.QUEUE_AFFINITY_CLAIMS = 3
    for number, loaded in enumerate([["one"], ["two"], [], ["one", "three"]]):
        Worker.objects.create(name=f"w{number}", loaded=loaded)
    members = [(studio, alice), (studio, bob)]
    for number in range(JOBS):
        ask(*members[number % 2], number)
    race = Race()
    works = [partial(race.work, f"w{number}", number) for number in range(4)]
    race.start(*works, partial(race.disturb, members, 9))
    assert race.errors == []
    ended = dict(Job.objects.values_list("pk", "state"))
    assert set(ended.values()) <= {State.DONE, State.FAILED, State.CANCELLED}, "left behind"
    assert {pk for pk, state in ended.items() if state == State.DONE} == set(race.done)
    assert set(race.done.values()) == {1}
    assert {pk for pk, state in ended.items() if state == State.CANCELLED} == set(race.cancelled)
    assert max(Job.objects.values_list("passed", flat=True)) <= 3
    assert queue.audit() == 0


@pytest.mark.django_db(transaction=True)
def test_everybody_gets_something_while_enough_waits(studio, alice):
    for number in range(12):
        ask(studio, alice, number)
    ready, got = threading.Barrier(6), []

    def once(name: str) -> None:
        ready.wait(60)
        got.append(queue.claim(worker=name))

    race = Race()
    race.start(*[partial(once, f"w{number}") for number in range(6)])
    assert race.errors == []
    assert None not in got
    assert len({job.pk for job in got}) == 6


@pytest.mark.django_db(transaction=True)
def test_a_limit_holds_for_claims_of_both_urgencies_in_one_instant(studio, bob, monkeypatch):
    monkeypatch.setitem(limits.LIMITS, Role.CREATOR, replace(limits.LIMITS[Role.CREATOR], running=2))
    for number in range(8):
        ask(studio, bob, number)
    ready = threading.Barrier(6)

    def once(name: str) -> None:
        ready.wait(60)
        queue.claim(worker=name)

    race = Race()
    race.start(*[partial(once, f"w{number}") for number in range(6)])
    assert race.errors == []
    assert Job.objects.filter(state=State.RUNNING).count() == 2
