"""What became of a job, phase by phase: waited, got ready, drew, decoded, stored; every attempt of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from generator.models import FINISHED, Job, State


class Step(models.TextChoices):
    """What a job did for a while."""

    WAITING = "waiting", _("Waited in line")
    PAUSED = "paused", _("Paused")
    STARTING = "starting", _("Got ready, up to the first step")
    DRAWING = "drawing", _("Drew")
    DECODING = "decoding", _("Decoded the pictures")
    STORING = "storing", _("Stored the files")
    FINISHING = "finishing", _("Entered the result")
    RUNNING = "running", _("Ran without a result")


@dataclass(frozen=True)
class Phase:
    """A stretch of a job's life. `end` is None while it lasts; `attempt` counts claims from 1, 0 before the first."""

    step: Step
    start: datetime
    end: datetime | None
    attempt: int
    worker: str = ""
    reason: str = ""  # why it ended as it did, where somebody said

    def seconds(self, now: datetime) -> float:
        """How long it took, or takes so far."""
        return max(0.0, ((self.end or now) - self.start).total_seconds())


def timeline(job: Job) -> list[Phase]:
    """All phases of `job` in their order, without gaps, from its creation to its end or its present."""
    phases: list[Phase] = []
    state, since, attempt, worker = State.QUEUED, job.created, 0, ""
    for line in job.history or _written_before_histories(job):
        at = max(since, datetime.fromisoformat(line["at"]))
        phases += _stretch(job, state, since, at, attempt, worker, line.get("reason", ""))
        state, since = State(line["to"]), at
        if state == State.RUNNING:
            attempt, worker = attempt + 1, line.get("worker", "")
    if state not in FINISHED:
        phases += _stretch(job, state, since, None, attempt, worker, "")
    return phases


def _written_before_histories(job: Job) -> Iterator[dict[str, str]]:
    """A history for jobs that are older than histories are."""
    if job.started:
        yield {"to": State.RUNNING, "at": job.started.isoformat(), "worker": job.worker}
    if job.finished:
        yield {"to": job.state, "at": job.finished.isoformat(), "reason": job.reason}


def _stretch(
    job: Job, state: State, start: datetime, end: datetime | None, attempt: int, worker: str, reason: str
) -> Iterator[Phase]:
    if state == State.RUNNING:
        yield from _run(job, start, end, attempt, worker, reason)
    elif end is None or end > start:
        yield Phase(Step.PAUSED if state == State.PAUSED else Step.WAITING, start, end, attempt, reason=reason)


def _run(job: Job, start: datetime, end: datetime | None, attempt: int, worker: str, reason: str) -> Iterator[Phase]:
    """One claim, cut where the row says that something was reached. The row keeps the marks of the last claim only."""
    marks = [(step, at) for step, at in _marks(job) if start <= at <= (end or at)]
    step = Step.STARTING if marks or end is None else Step.RUNNING
    for following, at in marks:
        yield Phase(step, start, at, attempt, worker)
        step, start = following, at
    yield Phase(step, start, end, attempt, worker, reason)


def _marks(job: Job) -> Iterator[tuple[Step, datetime]]:
    """What began when, after the claim."""
    if job.first_step:
        yield Step.DRAWING, job.first_step
    if job.decoded:
        took = timedelta(seconds=job.timings.get("decode", 0))
        yield Step.DECODING, max(job.first_step or job.decoded, job.decoded - took)
        yield Step.STORING, job.decoded
    if job.stored:
        yield Step.FINISHING, job.stored
