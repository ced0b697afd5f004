"""The queue as the caller may see it."""

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from generator.api.schemas import JobOut, NowOut
from generator.board import Board, Line
from generator.queue import Kept, moment

router = Router(tags=["queue"])


class LineOut(JobOut):
    """A job that runs or waits; of a batch, the first that waits stands for all."""

    stands_for: int = Field(description="jobs that it stands for, itself included")
    now: NowOut


class OthersOut(BaseModel):
    """Jobs that the caller may not see: private ones, and those of other teams."""

    running: int
    waiting: int


class QueueOut(BaseModel):
    """What runs and waits."""

    running: list[LineOut]
    waiting: list[LineOut] = Field(description="one's own first, then by whose turn is next; at most 20 lines a person")
    waiting_total: int = Field(description="jobs that wait or are paused and may be seen, with those beyond the lines")
    others: OthersOut
    workers_ready: int
    held: list[str] = Field(description="why waiting jobs do not start, in plain words")


@router.get("/queue", response=QueueOut, summary="Queue")
def queue(request: HttpRequest) -> QueueOut:
    """Own jobs and those that team-mates do not keep private, over all teams, with position and time to start."""
    user = request.user
    roles = frozenset((user.kept_roles or {}).items())  # kept since the key or the session was read
    return _TOLD.get((user.pk, roles, moment()), lambda: _told(Board(user)))


_TOLD: Kept[QueueOut] = Kept()  # to the same person with the same roles


def _told(board: Board) -> QueueOut:
    return QueueOut(
        running=[_line(line) for line in board.running],
        waiting=[_line(line) for row in board.rows for line in row.lines],
        waiting_total=sum(row.waiting for row in board.rows),
        others=OthersOut(**board.hidden),
        workers_ready=board.ready,
        held=[hold.explain() for hold in board.concerning],
    )


def _line(line: Line) -> LineOut:
    return LineOut.of(line.job, stands_for=line.waiting, now=NowOut.of(line.now))
