"""Preferring work that a worker is warm for, within a bound.

Loading a model costs seconds, so a worker that has one in memory may take a job that needs it although another is in
turn. That other job, and whatever else comes before, is *passed over*. Every job counts how often that happened to it
while it was next in its account, and since when: after settings.QUEUE_AFFINITY_CLAIMS times or
settings.QUEUE_AFFINITY_SECONDS since the first, whichever comes first, nobody passes it over again.
"""

from collections.abc import Callable
from dataclasses import dataclass

from generator.models import Job, QueueAccount
from generator.queue.limits import has_room
from generator.queue.turns import Questions

LOOK_AHEAD = 16  # accounts in turn that are looked at for warm work


@dataclass(frozen=True)
class Choice:
    """What is to be claimed, and who pays."""

    account: QueueAccount
    job: Job


def rather(ask: Questions, turns: list[QueueAccount]) -> Choice | None:
    """A job to claim instead of the next of the first of `turns`: warm work, or one that can join the job at hand. None
    when there is none, or when those before it have waited enough.

    Everything is locked without waiting: where somebody else is at work, this worker keeps to the turn.
    """
    if turns[0].first_is_wanted or not (ask.ability.warm or ask.like):
        return None
    passed: list[QueueAccount] = []
    for account in turns:
        if account.first_is_wanted:
            return _take(ask, account, ask.lock_first, passed)
        if account.first_due:
            return None
        passed.append(account)
        if account.has_wanted:
            return _take(ask, account, ask.lock_wanted, passed)
    return None


def _take(
    ask: Questions, account: QueueAccount, lock: Callable[[QueueAccount], Job | None], passed: list[QueueAccount]
) -> Choice | None:
    if not has_room(passed[0]):  # then it is not its turn
        return None
    job = lock(account)
    if job is None or (account is not passed[0] and not has_room(account)):
        return None
    return Choice(account, job) if ask.pass_over([one.first for one in passed]) else None
