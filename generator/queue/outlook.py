"""When a waiting job starts, as far as anybody can tell: its place in line and a range of seconds."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from generator.models import Checkpoint, Hold, Job, QueueLane, State, Worker
from generator.queue.arrivals import Arrivals
from generator.queue.capabilities import ability_of
from generator.queue.forecast import ROOM, SIZE, Forecast, Start, seconds_of
from generator.queue.holds import holds_on, holds_on_jobs
from generator.queue.lately import Kept, moment
from generator.queue.line import waiting
from generator.queue.pace import Paces
from generator.queue.tree import Node, Tree

PLAYED = 1000  # waiting jobs up to which each claim is played through; more are summed up by account
SUMS_SECONDS = 5  # for which such sums are used again
TAIL = 1.28  # standard deviations on either side that hold four of five
UNSURE = 0.6  # of the wait by which what comes later may lengthen or shorten it: measured with the simulator
LEAST = 0.5  # seconds that the ends of a range lie apart from its middle at least: claims take time too


@dataclass(frozen=True)
class Outlook:
    """Jobs that go before; seconds until the start, from `earliest` to `latest`, in four cases of five.

    None where nobody can tell. `blocked` says what must happen first, "" when nothing stands in the way.
    """

    position: int
    earliest: float | None
    latest: float | None
    blocked: str = ""
    middle: float | None = None

    @property
    def range(self) -> list[float] | None:
        """[earliest, latest], rounded, as events tell it."""
        if self.earliest is None or self.latest is None:
            return None
        return [round(self.earliest, 1), round(self.latest, 1)]


def outlook(job: Job) -> Outlook:
    """What awaits a waiting job."""
    return outlooks([job])[job.pk]


def outlooks(jobs: Sequence[Job], *, room: int = ROOM) -> dict[Any, Outlook]:
    """What awaits waiting jobs, by their ids, with one reading of the queue for all of them.

    `room` is for how many models workers have memory.
    """
    return _outlooks(jobs, _Reading(room)) if jobs else {}


def outlooks_lately(jobs: Sequence[Job]) -> dict[Any, Outlook]:
    """The same, with the reading that whoever asked a moment ago had, if nothing has changed since."""
    return _outlooks(jobs, _READINGS.get(moment(), _Reading)) if jobs else {}


class _Reading:
    """The workers, when each job starts if nothing else comes, and what will come."""

    def __init__(self, room: int = ROOM) -> None:
        now = timezone.now()
        self.workers = list(Worker.objects.alive())
        count = QueueLane.objects.aggregate(n=Sum("waiting"))["n"] or 0
        self.starts = Forecast(waiting(), now, room).starts if count <= PLAYED else None
        self.arrivals = Arrivals(now, len(self.workers))

    @cached_property
    def holds(self) -> list[Hold]:
        """What keeps jobs from being claimed, read when one of them cannot start."""
        return holds_on_jobs()


_READINGS: Kept[_Reading] = Kept()


def _outlooks(jobs: Sequence[Job], reading: _Reading) -> dict[Any, Outlook]:
    workers, arrivals = reading.workers, reading.arrivals
    starts = _summed_up(jobs, workers) if reading.starts is None else reading.starts
    starts = {job.pk: starts.get(job.pk) or Start(0) for job in jobs}  # 0: claimed since it was read
    holds = reading.holds if any(start.seconds is None for start in starts.values()) else []
    told = {}
    for job in jobs:
        start = starts[job.pk]
        blocked = _blocked(job, workers, holds) if start.seconds is None else ""
        later = arrivals.delayed(job, start.seconds, start.ahead) if start.seconds else 0.0
        told[job.pk] = _told(start, later, blocked)
    return told


def _told(start: Start, middle: float, blocked: str) -> Outlook:
    if start.seconds is None or blocked:
        return Outlook(start.position, None, None, blocked)
    if start.seconds == 0:
        return Outlook(start.position, 0.0, LEAST, middle=0.0)
    margin = TAIL * start.deviation * middle / start.seconds + LEAST
    return Outlook(start.position, max(0.0, middle * (1 - UNSURE) - margin), middle * (1 + UNSURE) + margin, "", middle)


def _blocked(job: Job, workers: Iterable[Worker], held: list[Hold]) -> str:
    """Why a job cannot start; "" when that is only a matter of time."""
    if holds := holds_on(job, held):
        return holds[0].explain()
    if not workers:
        return _("It waits for a worker: none is running.")
    capable = [worker for worker in workers if ability_of(worker).can_run(job)]
    if not capable:
        name = Checkpoint.objects.filter(slug=job.loads).values_list("name", flat=True).first()
        if not name:
            return _("It waits for a worker that can run it: none is running.")
        return _("It waits for a worker that can run %(model)s: none is running.") % {"model": name}
    if all(worker.is_paused for worker in capable):
        return _("It waits for a worker: those that can run it are paused.")
    return ""


# --- very long lines ------------------------------------------------------------------------------------------------


def _summed_up(jobs: Sequence[Job], workers: Iterable[Worker]) -> dict[Any, Start]:
    """As a forecast, from the sums of each account: what is served of every node until it is a job's turn."""
    sums = _sums()
    tree = Tree([*{*sums, *(job.account_id for job in jobs)}])
    free = [worker for worker in workers if not worker.is_paused]
    holds, left = holds_on_jobs(), _left_running() if free else 0.0
    starts = {}
    for job in jobs:
        ahead = waiting().filter(account=job.account_id, position__lt=job.position)
        own = ahead.aggregate(n=Count("pk"), cost=Sum("cost"))
        number, cost = _before(tree, sums, job, own["n"], own["cost"] or 0.0)
        capable = sum(1 for worker in free if ability_of(worker).can_run(job))
        seconds = (cost + left) / capable if capable and not holds_on(job, holds) else None
        starts[job.pk] = Start(round(number), seconds, 0.15 * (seconds or 0.0), own["cost"] or 0.0)
    return starts


def _sums() -> dict[int, tuple[int, float]]:
    """(number, cost) of the waiting jobs of each account, a few seconds old at most: the sum touches all of them."""
    known: dict[int, tuple[int, float]] | None = cache.get("queue.sums")
    if known is None:
        rows = waiting().order_by().values_list("account").annotate(n=Count("pk"), total=Sum("cost"))
        known = {account: (n, total) for account, n, total in rows}
        cache.set("queue.sums", known, SUMS_SECONDS)
    return known


def _left_running() -> float:
    """Seconds of work left in what runs, each half done."""
    paces = Paces.read()
    running = Job.objects.filter(state=State.RUNNING).values_list("loads", *SIZE)
    return sum(seconds_of(paces, loads, tuple(size)).seconds / 2 for loads, *size in running)


def _before(
    tree: Tree, sums: dict[int, tuple[int, float]], job: Job, number: float, cost: float
) -> tuple[float, float]:
    """(number, cost) of the jobs that are claimed before one with so much before it in its own account."""
    path = tree.paths[job.account_id]
    totals: dict[int, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for account, nodes in tree.paths.items():
        n, total = sums.get(account, (0, 0.0))
        for node in nodes:
            totals[id(node)][0] += n
            totals[id(node)][1] += total
    of, team, leaf = path
    for node, siblings, present in (
        (leaf, team.children, team.present),
        (team, of.children, of.present),
        (of, tree.classes, tree.started),
    ):
        tag = node.turn(present) + cost / node.share
        for other in siblings:
            if other is not node:
                more, served = _served(other, present, tag, *totals[id(other)])
                number, cost = number + more, cost + served
    return number, cost


def _served(node: Node, present: float, tag: float, n: float, total: float) -> tuple[float, float]:
    """(number, cost) of what a sibling starts before virtual time `tag`."""
    if not n or node.turn(present) >= tag:
        return 0.0, 0.0
    mean = total / n
    cost = min(total, (tag - node.turn(present)) * node.share + mean / 2)
    return (cost / mean if mean else n), cost
