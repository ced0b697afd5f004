"""The claim: the next job for a worker, in one short transaction.

In turn means: the urgency, then the team, then the person whose turn it is (shares.py), then that person's own order,
among jobs that the worker can run and that nothing holds. A worker that is warm for other work may prefer that, within
a bound (affinity.py). Two workers never get the same job: on PostgreSQL they skip each other's accounts and jobs, on
SQLite BEGIN IMMEDIATE lines them up.

Claims cannot deadlock: accounts, jobs and people are locked without waiting, or while nothing else is held; the rows
that are waited for (lane, team, urgency) come after them, in this order, as in Job.move.
"""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from generator.models import Hold, Job, QueueAccount, State
from generator.queue.affinity import LOOK_AHEAD, Choice, rather
from generator.queue.capabilities import Ability
from generator.queue.company import Like, may_lead, note_company
from generator.queue.limits import has_room, people_at_their_limit
from generator.queue.locks import locked
from generator.queue.turns import EVERYBODY, Holds, Questions, standing

ROUNDS = 50  # looks of one claim; each but the first means that somebody else was faster


def claim(*, worker: str) -> Job | None:
    """Takes the next job for `worker`, RUNNING with a new lease, or None when nothing waits that it may have."""
    for turn in range(ROUNDS):
        ability, holds = standing(worker)
        if ability.is_paused or any(scope == Hold.Scope.EVERYTHING for scope, _team, _user in holds):
            return None
        search = Search.now(ability, holds)
        with transaction.atomic():
            if job := search.take(worker, wait=turn > 0):
                return job
        if not connection.features.has_select_for_update_skip_locked or not search.is_anything_left():
            return None
    return None


def gather(job: Job, *, worker: str, pictures: int) -> list[Job]:
    """`job`, just claimed by `worker`, and others like it that wait, of so many pictures in all: claimed as well."""
    several = [job]
    left = pictures - job.generation.count
    while left > 0 and (len(several) > 1 or may_lead(job, worker=worker)):
        follower = _claim_like(job, worker, left)
        if follower is None:
            break
        several.append(follower)
        left -= follower.generation.count
    note_company(several)
    return several


def _claim_like(job: Job, worker: str, pictures: int) -> Job | None:
    ability, holds = standing(worker)
    if ability.is_paused or any(scope == Hold.Scope.EVERYTHING for scope, _team, _user in holds):
        return None
    search = Search.now(ability, holds, Like(job.alike, job.urgency, pictures))
    with transaction.atomic():
        return search.join(worker)


def is_wanted_elsewhere(job: Job) -> bool:
    """Whether something more urgent than `job` waits that its worker might run now."""
    ability, holds = standing(job.worker)
    return any(one.urgency < job.urgency for one in Search.now(ability, holds).ask.turns(most=EVERYBODY))


class Search:
    """One look for the next job."""

    def __init__(self, ask: Questions) -> None:
        self.ask = ask

    @classmethod
    def now(cls, ability: Ability, holds: Holds, like: Like | None = None) -> "Search":
        """With the bound that the settings say."""
        now = timezone.now()
        patience = now - timedelta(seconds=settings.QUEUE_AFFINITY_SECONDS)
        return cls(Questions(ability, holds, settings.QUEUE_AFFINITY_CLAIMS, patience, now, like))

    def is_anything_left(self) -> bool:
        """Whether a job waits that this worker may have, whoever else looks at it at this moment."""
        full = people_at_their_limit()
        return any((one.team_id, one.user_id) not in full for one in self.ask.turns(most=EVERYBODY))

    def take(self, worker: str, *, wait: bool) -> Job | None:
        """The next job, claimed; None when none was free. `wait` for whoever holds the account whose turn it is."""
        fruitless: list[int] = []
        while True:
            turns = self.ask.turns(most=LOOK_AHEAD, without=fruitless)
            for number, account in enumerate(turns):
                if wait:
                    locked(QueueAccount.objects.filter(pk=account.pk)).first()
                if choice := self._choose(turns[number:]):
                    return self._claim(worker, choice)
                if wait:  # somebody took it meanwhile; hold nothing while waiting for the next
                    return None
                fruitless.append(account.pk)
            if len(turns) < LOOK_AHEAD:
                return None

    def join(self, worker: str) -> Job | None:
        """The next job that is like the one at hand, claimed, if it may be taken along."""
        turns = self.ask.turns(most=LOOK_AHEAD)
        choice = self._choose(turns) if turns else None
        return self._claim(worker, choice) if choice else None

    def _choose(self, turns: list[QueueAccount]) -> Choice | None:
        if choice := rather(self.ask, turns):
            return choice
        account = turns[0]
        if self.ask.like and not account.first_is_wanted:
            return None
        job = self.ask.lock_first(account)
        return Choice(account, job) if job and has_room(account) else None

    def _claim(self, worker: str, choice: Choice) -> Job | None:
        company = 2 if self.ask.like else choice.job.company  # 2 at least: see note_company
        claimed = choice.job.move(
            State.RUNNING,
            lease=uuid.uuid4(),
            lease_expires=self.ask.now + timedelta(seconds=settings.JOB_LEASE_SECONDS),
            worker=worker,
            started=self.ask.now,
            first_step=None,
            company=company,
        )
        if not claimed:
            return None
        choice.account.charge(choice.job.cost, share=choice.account.share or 1)
        return choice.job
