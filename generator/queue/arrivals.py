"""Who will come and pass: work that was asked for lately, taken to go on at that rate.

A newcomer starts at the present of the tree, so it does not queue behind those who wait; it shares with them. More
urgent work passes all of it, as far as workers get with it until then. In one urgency a newcomer's work passes a job
only while the job's own team has something served before it, and not more than that (processor sharing).
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMinute

from generator.models import Job, QueueTeam, State

LATELY = timedelta(minutes=30)  # for which the rate of work is taken: batches are large and few
BRIEFLY = timedelta(minutes=10)  # at least, where people began later than that
MOST = 1.6  # of the workers' time, at most, is asked for by newcomers for long: what waits starts five times as late
DEAREST = 2.0  # times its cost, at most, newcomers' work is taken to need with the loading of models
TURNS = 4


@dataclass
class Asked:
    """What was asked for: seconds of work, on how many occasions, and in how many jobs."""

    seconds: float = 0.0
    times: int = 0
    jobs: int = 0

    def add(self, seconds: float, jobs: int) -> None:
        """Another occasion."""
        self.seconds += seconds
        self.times += 1
        self.jobs += jobs


class Arrivals:
    """What came lately, by urgency and account: one query, which joins what one account asked for in one minute."""

    def __init__(self, now: datetime, workers: int) -> None:
        """As so many workers see it."""
        lately = Q(finished__gt=now - LATELY) | Q(state__in=[State.QUEUED, State.RUNNING])
        jobs = Job.objects.filter(lately, created__gt=now - LATELY).order_by()
        rows = jobs.annotate(minute=TruncMinute("created")).values("urgency", "account", "minute")
        done = Q(state=State.DONE, started__isnull=False)
        rows = rows.annotate(
            n=Count("pk"),
            total=Sum("cost"),
            expected=Sum("cost", filter=done),
            took=Sum(F("finished") - F("started"), filter=done),
        )
        self.by_urgency: dict[int, Asked] = defaultdict(Asked)
        self.by_account: dict[int, Asked] = defaultdict(Asked)
        all_expected = all_took = 0.0
        oldest = now
        for urgency, account, minute, n, cost, expected, took in rows.values_list(
            "urgency", "account", "minute", "n", "total", "expected", "took"
        ):
            oldest = min(oldest, minute)
            self.by_urgency[urgency].add(cost, n)
            self.by_account[account].add(cost, n)
            if expected and took:
                all_expected, all_took = all_expected + expected, all_took + took.total_seconds()
        self.absent = _absent()
        self.capacity = max(BRIEFLY, min(LATELY, now - oldest)).total_seconds() * max(1, workers)
        self.dearer = min(max(1.0, all_took / all_expected), DEAREST) if all_expected else 1.0

    def delayed(self, job: Job, seconds: float, ahead: float) -> float:
        """When `job` starts that would in so many seconds if nobody came, its team served `ahead` of work before it.

        What its own account asks for comes behind it.
        """
        equal, own = self.by_urgency[job.urgency], self.by_account[job.account_id]
        others = equal.times - own.times
        sharing = 0.0
        if others:
            work = equal.seconds - own.seconds
            sharing = self.absent.get(job.urgency, 1.0) * work * _part(ahead * others / work) if work > 0 else 0.0
        urgent = [asked for urgency, asked in self.by_urgency.items() if urgency < job.urgency and asked.seconds > 0]
        start = seconds
        for _turn in range(TURNS if urgent else 1):  # the longer it takes, the more comes
            passing = sum(one.seconds * _part(start * one.jobs / one.seconds) for one in urgent)
            # Did they come on and on, it would start at seconds / (1 - part). But who has to wait came in a busy time,
            # and a quieter one follows: in simulated days this was nearer (docs/queue.md).
            start = seconds * math.exp(min((passing + sharing) * self.dearer / self.capacity, MOST))
        return start


def _absent() -> dict[int, float]:
    """The part of other teams, by urgency, with nothing waiting; what more the rest asks for shares its turns."""
    waits = Q(accounts__lanes__waiting__gt=0)
    rows = QueueTeam.objects.values("queue_class").annotate(
        known=Count("pk", distinct=True), waiting=Count("pk", filter=waits, distinct=True)
    )
    return {row["queue_class"]: 1 - max(0, row["waiting"] - 1) / (row["known"] - 1) for row in rows if row["known"] > 1}


def _part(ratio: float) -> float:
    """The part that is done, when a span ends, of work that came evenly over it.

    The work comes in pieces of exponentially distributed length; the span is `ratio` times their mean.
    """
    return 1 - -math.expm1(-ratio) / ratio if ratio > 0 else 0.0
