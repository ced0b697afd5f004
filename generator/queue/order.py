"""The order of one person's waiting jobs: `Job.position`, smaller first, with room between for one that is moved."""

from collections.abc import Sequence
from time import time_ns

from django.db.models import Max, Q, QuerySet

from generator.models import Job, QueueAccount, State
from generator.queue.locks import locked

GAP = 1024  # between two neighbours after a renumbering; positions are microseconds


def positions(count: int = 1) -> range:
    """Places behind everything that was asked for so far, for so many new jobs in their order."""
    now = time_ns() // 1000
    return range(now, now + count)


def move(jobs: Sequence[Job], *, before: Job | None) -> bool:
    """Puts `jobs` of one account, in their order, before another of it, or behind all of them.

    Those that wait no longer are left out. False where nothing is left to move, or `before` is no place.
    To be called within a transaction; claims and other moves of the account wait for it.
    """
    account = jobs[0].account_id
    locked(QueueAccount.objects.filter(pk=account)).get()
    line = Job.objects.filter(Q(state=State.QUEUED) | Q(state=State.PAUSED), account=account)
    waiting = set(line.filter(pk__in=[job.pk for job in jobs]).values_list("pk", flat=True))
    moved = [job for job in jobs if job.pk in waiting]
    others = line.exclude(pk__in=waiting)
    if not moved:
        return False
    if before is None:
        last = others.aggregate(last=Max("position"))["last"]
        if last is None or last < min(job.position for job in moved):
            return True
        places = list(range(last + 1, last + 1 + len(moved)))
    elif not others.filter(pk=before.pk).exists():
        return False
    else:
        places = _between(others, before, len(moved))
    for job, place in zip(moved, places, strict=True):
        job.position = place
    Job.objects.bulk_update(moved, ["position"], batch_size=500)
    return True


def _between(line: QuerySet[Job], before: Job, count: int) -> list[int]:
    """Even places between `before` and its predecessor; the line is renumbered first when there is no room."""
    before.refresh_from_db(fields=["position"])
    ahead = line.filter(position__lt=before.position).aggregate(last=Max("position"))["last"]
    if ahead is None:
        return [before.position - GAP * left for left in range(count, 0, -1)]
    room = before.position - ahead
    if room <= count:
        _renumber(line, max(GAP, 2 * count))
        return _between(line, before, count)
    return [ahead + room * number // (count + 1) for number in range(1, count + 1)]


def _renumber(line: QuerySet[Job], gap: int) -> None:
    """Spreads the line backwards from its end: nobody who asks in this moment may come before those who wait."""
    jobs = list(line.order_by("position", "created", "pk").only("pk", "position"))
    last = jobs[-1].position
    for number, job in enumerate(reversed(jobs)):
        job.position = last - number * gap
    Job.objects.bulk_update(jobs, ["position"], batch_size=500)
