"""The queue as one person may see it: what runs, who waits with what, what is in the way. Read only.

Jobs that a person cannot see are counted and never shown: positions would make no sense otherwise. What waits of a
batch is one line.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet, Sum, Window
from django.db.models.functions import Coalesce, RowNumber

from accounts.models import Team, User
from accounts.permissions import can
from accounts.roles import Action
from gallery.links import media_url
from gallery.models import Media, Rendition
from generator import events
from generator.models import FINISHED, Batch, Hold, Job, QueueAccount, QueueLane, State, Worker

RELATED = ("owner", "team", "batch", "generation")
ROWS = 15  # people whose lines are shown
LINES = 20  # of one's own; the rest is a number
THEIR_LINES = 6  # of each other person
ENDED = 8
LISTED = (State.QUEUED, State.PAUSED)
Whose = tuple[UUID, int]  # a team and a person
Batches = dict[UUID, dict[str, Any]]  # of each that waits: "first", where its first job stands; "queued" and "n" jobs


@dataclass(frozen=True)
class Line:
    """A job, or what waits of a batch: then `job` is the first of it."""

    job: Job
    is_changeable: bool
    now: events.Event | None = None
    batch: Batch | None = None
    is_paused: bool = False
    waiting: int = 1  # jobs that it stands for
    ended: int = 0  # of the batch
    total: int = 1  # of the batch
    picture: str = ""  # the address of the first one, once it has ended
    moves: dict[str, str] | None = None  # "up", "down"...: the job before which it would then stand, "" for the end

    @property
    def title(self) -> str:
        """What a person knows it by."""
        return self.batch.name if self.batch else self.job.generation.prompt

    @property
    def progress(self) -> int:
        """How much is done, in percent."""
        if self.batch:
            return round(100 * self.ended / max(1, self.total))
        return round(100 * self.now["step"] / max(1, self.now["steps"])) if self.now else 0


@dataclass(frozen=True)
class Row:
    """One person's jobs in one team: by urgency, and in the order that the person chose."""

    team: Team
    person: User
    is_own: bool
    may_hold: bool
    may_release: bool
    hold: Hold | None
    lines: list[Line]
    waiting: int

    @property
    def key(self) -> str:
        """For ids within the page."""
        return f"{self.team.pk}-{self.person.pk}"

    @property
    def more(self) -> int:
        """Jobs that no line stands for."""
        return self.waiting - sum(line.waiting for line in self.lines)


@dataclass(frozen=True)
class Bench:
    """A worker and what it is busy with: `line` where that may be seen."""

    worker: Worker
    is_alive: bool
    is_busy: bool
    line: Line | None
    hold: Hold | None

    @property
    def memory_used(self) -> int:
        """MiB."""
        return max(0, self.worker.memory - self.worker.memory_free)


class Board:
    """What `viewer` is told about the queue: own jobs in every team, and those of `team`, or of all their teams."""

    def __init__(self, viewer: User, team: Team | None = None) -> None:
        """Reads nothing yet."""
        self.viewer, self.team = viewer, team

    @cached_property
    def visible(self) -> QuerySet[Job]:
        """The jobs that may be shown."""
        scope = Q(owner=self.viewer) | Q(team=self.team) if self.team else Q()
        return Job.objects.visible_to(self.viewer).filter(scope).select_related(*RELATED)

    @cached_property
    def may_manage(self) -> bool:
        """Whether the viewer may order, pause and cancel everybody's jobs in the team."""
        return can(self.viewer, Action.MANAGE_JOBS, self.team)

    @cached_property
    def running(self) -> list[Line]:
        """What is being made, the longest first."""
        jobs = list(self.visible.filter(state=State.RUNNING).order_by("started"))
        changeable = self._changeable(jobs)
        return [Line(job, job.pk in changeable, now) for job, now in zip(jobs, events.snapshots(jobs), strict=True)]

    @cached_property
    def rows(self) -> list[Row]:
        """Those who wait, the viewer first, then whose turn is next."""
        waiting = self.visible.filter(state__in=LISTED)
        batches, counts = _grouped(waiting)
        accounts = QueueAccount.objects.filter(pk__in=waiting.order_by().values("account"))
        people: dict[Whose, QueueAccount] = {}  # one of several urgencies stands for a person in a team
        for account in accounts.in_turn().select_related("team", "user"):
            people.setdefault((account.team_id, account.user_id), account)
        in_turn = sorted(people, key=lambda row: row[1] != self.viewer.pk)[:ROWS]
        heads = self._heads(waiting, {row: batches[row] for row in in_turn})
        jobs = [job for head in heads.values() for job in head.jobs]
        told = dict(zip([job.pk for job in jobs], events.snapshots(jobs), strict=True))  # one reading of the queue
        changeable = self._changeable(jobs)
        totals = _totals([batch for head in heads.values() for batch in head.batches])
        return [self._row(people[row], heads[row], counts[row], told, changeable, totals) for row in in_turn]

    @cached_property
    def finished(self) -> list[Line]:
        """What ended last."""
        ended = self.visible.filter(state__in=FINISHED, finished__isnull=False)
        jobs = list(ended.order_by("-finished")[:ENDED])
        kept = Media.objects.visible_to(self.viewer).kept().filter(job__in=[job.pk for job in jobs])
        pictures = {media.job: media for media in kept.order_by("-index")}
        tile = Rendition.Kind.TILE
        return [
            Line(job, is_changeable=False, picture=media_url(pictures[job.pk], tile, self.viewer))
            if job.pk in pictures
            else Line(job, is_changeable=False)
            for job in jobs
        ]

    @cached_property
    def hidden(self) -> dict[str, int]:
        """How many jobs are running and waiting that the page does not show: private ones, and those of other teams."""
        running = Job.objects.filter(state=State.RUNNING).count()
        waiting = QueueLane.objects.aggregate(n=Sum("waiting"))["n"] or 0  # counted already, however many they are
        unfinished = self.visible.filter(state__in=[State.RUNNING, State.QUEUED]).order_by()
        seen = unfinished.aggregate(
            running=Count("pk", filter=Q(state=State.RUNNING)), waiting=Count("pk", filter=Q(state=State.QUEUED))
        )
        return {"running": max(0, running - seen["running"]), "waiting": max(0, waiting - seen["waiting"])}

    @cached_property
    def holds(self) -> list[Hold]:
        """Everything that somebody has stopped."""
        return list(Hold.objects.prefetch_related("team", "user", "by"))

    @property
    def concerning(self) -> list[Hold]:
        """Those that keep jobs which are shown from starting."""
        teams = {row.team.pk for row in self.rows}
        return [
            hold
            for hold in self.holds
            if hold.scope == Hold.Scope.EVERYTHING
            or (hold.scope == Hold.Scope.TEAM and hold.team_id in teams)
            or hold in [row.hold for row in self.rows]
        ]

    @property
    def everything_held(self) -> Hold | None:
        """The hold on the whole queue."""
        return self._hold(Hold.Scope.EVERYTHING)

    @property
    def team_held(self) -> Hold | None:
        """The hold on the team that is shown."""
        return self._hold(Hold.Scope.TEAM, team_id=self.team.pk) if self.team else None

    @cached_property
    def benches(self) -> list[Bench]:
        """The workers, those that live first."""
        alive = set(Worker.objects.alive().values_list("pk", flat=True))
        busy = set(Job.objects.filter(state=State.RUNNING).values_list("worker", flat=True))
        lines = {line.job.worker: line for line in self.running}
        workers = sorted(Worker.objects.all(), key=lambda worker: worker.pk not in alive)
        return [
            Bench(
                worker,
                is_alive=worker.pk in alive,
                is_busy=worker.pk in busy,
                line=lines.get(worker.pk),
                hold=self._hold(Hold.Scope.WORKER, worker_id=worker.pk),
            )
            for worker in workers
        ]

    @property
    def ready(self) -> int:
        """Workers that live and take jobs."""
        return Worker.objects.alive().filter(is_paused=False).count()

    @property
    def is_empty(self) -> bool:
        """Whether nothing runs and nothing waits, of anybody."""
        return not (self.running or self.rows or any(self.hidden.values()))

    def _hold(self, scope: Hold.Scope, **target: Any) -> Hold | None:
        wanted = {"scope": scope, **target}
        return next((hold for hold in self.holds if all(getattr(hold, k) == v for k, v in wanted.items())), None)

    def _changeable(self, jobs: list[Job]) -> set[UUID]:
        found = Job.objects.changeable_by(self.viewer).filter(pk__in=[job.pk for job in jobs])
        return set(found.values_list("pk", flat=True))

    def _heads(self, waiting: QuerySet[Job], batches: dict[Whose, Batches]) -> dict[Whose, "_Head"]:
        """The first lines of each, in two queries however many they are."""
        batches = {whose: dict([*own.items()][: self._most(whose)]) for whose, own in batches.items()}
        waiting = waiting.filter(owner__in={person for _team, person in batches})
        place = Window(RowNumber(), partition_by=["team", "owner"], order_by="position")
        shown = Q(place__lte=THEIR_LINES) | Q(place__lte=LINES, owner=self.viewer)
        singles = waiting.filter(batch=None).order_by().annotate(place=place).filter(shown).values("pk")
        firsts = {batch: one["first"] for own in batches.values() for batch, one in own.items()}
        found = waiting.filter(
            Q(pk__in=[one["pk"] for one in singles]) | Q(batch__in=firsts, position__in=firsts.values())
        )
        jobs: dict[Whose, list[Job]] = {whose: [] for whose in batches}
        for job in found.order_by("urgency", "position"):
            if job.batch_id is None or job.position == firsts[job.batch_id]:
                jobs.get((job.team_id, job.owner_id), []).append(job)
        return {whose: self._head(jobs[whose], own, self._most(whose)) for whose, own in batches.items()}

    def _most(self, whose: Whose) -> int:
        return LINES if whose[1] == self.viewer.pk else THEIR_LINES

    @staticmethod
    def _head(jobs: list[Job], batches: Batches, most: int) -> "_Head":
        return _Head(jobs[:most], batches, is_all=len(jobs) < most)

    def _row(
        self,
        account: QueueAccount,
        head: "_Head",
        count: int,
        told: dict[UUID, events.Event],
        changeable: set[UUID],
        totals: dict[UUID | None, dict[str, int]],
    ) -> Row:
        hold = self._hold(Hold.Scope.PERSON, team_id=account.team_id, user_id=account.user_id)
        is_own = account.user_id == self.viewer.pk
        may_manage = can(self.viewer, Action.MANAGE_JOBS, account.team)
        return Row(
            account.team,
            account.user,
            is_own=is_own,
            may_hold=may_manage or (is_own and can(self.viewer, Action.CREATE, account.team)),
            may_release=may_manage or (hold is not None and hold.by_id == self.viewer.pk),
            hold=hold,
            waiting=count,
            lines=[
                Line(
                    job,
                    is_changeable=job.pk in changeable,
                    now=told[job.pk],
                    batch=job.batch,
                    moves=_moves(head.jobs, job, is_all=head.is_all),
                    is_paused=not head.batches[job.batch_id]["queued"] if job.batch_id else job.state == State.PAUSED,
                    waiting=head.batches[job.batch_id]["n"] if job.batch_id else 1,
                    **totals.get(job.batch_id, {}),
                )
                for job in head.jobs
            ],
        )


@dataclass(frozen=True)
class _Head:
    """The first lines of one person: single jobs, and batches at the place of the first of theirs that waits."""

    jobs: list[Job]
    batches: Batches
    is_all: bool  # whether nothing waits behind them


def _grouped(waiting: QuerySet[Job]) -> tuple[dict[Whose, Batches], dict[Whose, int]]:
    """(the batches that wait, the next of each person first; the number of all jobs that wait) of each in each team."""
    queued = Q(state=State.QUEUED)
    groups = waiting.order_by().values("team", "owner", "batch")
    groups = groups.annotate(
        first=Coalesce(Min("position", filter=queued), Min("position")),
        queued=Count("pk", filter=queued),
        n=Count("pk"),
    )
    batches: dict[Whose, Batches] = defaultdict(dict)
    counts: dict[Whose, int] = Counter()
    for one in groups.order_by("first"):
        whose = one["team"], one["owner"]
        counts[whose] += one["n"]
        if one["batch"]:
            batches[whose][one["batch"]] = one
    return batches, counts


def _moves(jobs: list[Job], job: Job, *, is_all: bool) -> dict[str, str]:
    """Where `job` could go among those of its urgency; `is_all`: nothing waits behind them."""
    peers = [str(other.pk) for other in jobs if other.urgency == job.urgency]
    here = peers.index(str(job.pk))
    moves = {"front": peers[0], "up": peers[here - 1]} if here else {}
    if here + 2 < len(peers):
        moves |= {"down": peers[here + 2], "end": ""}
    elif here + 1 < len(peers):
        moves |= {"down": "", "end": ""} if is_all else {"end": ""}
    return moves


def _totals(batches: list[UUID]) -> dict[UUID | None, dict[str, int]]:
    """How many jobs each batch has, and how many of them have ended."""
    jobs = Job.objects.filter(batch__in=batches).order_by().values("batch")
    counted = jobs.annotate(total=Count("pk"), ended=Count("pk", filter=Q(state__in=FINISHED)))
    return {one["batch"]: {"total": one["total"], "ended": one["ended"]} for one in counted}
