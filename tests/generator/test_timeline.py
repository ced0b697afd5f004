"""The phases of a job's life: in order, without gaps, every attempt of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from generator.models import Job, State
from generator.timeline import Step, timeline

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def line(to: State, seconds: float, **more: str) -> dict[str, str]:
    return {"to": str(to), "at": at(seconds).isoformat(timespec="milliseconds"), **more}


def told(job: Job) -> list[tuple[Step, float, int]]:
    phases = timeline(job)
    assert all(one.end == other.start for one, other in pairwise(phases))
    return [(phase.step, phase.seconds(at(1000)), phase.attempt) for phase in phases]


def test_a_waiting_job_waits_until_now():
    assert told(Job(created=NOON)) == [(Step.WAITING, 1000, 0)]


def test_a_job_that_was_done_tells_every_phase():
    job = Job(
        created=NOON,
        state=State.DONE,
        first_step=at(6),
        decoded=at(12),
        stored=at(13),
        finished=at(13.5),
        timings={"decode": 2.0},
        history=[line(State.RUNNING, 5, worker="one"), line(State.DONE, 13.5, worker="one")],
    )
    assert told(job) == [
        (Step.WAITING, 5, 0),
        (Step.STARTING, 1, 1),
        (Step.DRAWING, 4, 1),
        (Step.DECODING, 2, 1),
        (Step.STORING, 1, 1),
        (Step.FINISHING, 0.5, 1),
    ]
    assert {phase.worker for phase in timeline(job)} == {"", "one"}


def test_every_attempt_stands_in_it_with_its_worker_and_why_it_ended():
    job = Job(
        created=NOON,
        state=State.RUNNING,
        first_step=at(41),
        history=[
            line(State.RUNNING, 2, worker="one"),
            line(State.QUEUED, 32, worker="one", reason="The worker was lost."),
            line(State.PAUSED, 34),
            line(State.QUEUED, 36),
            line(State.RUNNING, 40, worker="two"),
        ],
    )
    assert [(step, attempt) for step, _seconds, attempt in told(job)] == [
        (Step.WAITING, 0),
        (Step.RUNNING, 1),
        (Step.WAITING, 1),
        (Step.PAUSED, 1),
        (Step.WAITING, 1),
        (Step.STARTING, 2),
        (Step.DRAWING, 2),
    ]
    lost = timeline(job)[1]
    assert (lost.worker, lost.reason) == ("one", "The worker was lost.")


def test_marks_of_an_earlier_attempt_cut_nothing():
    job = Job(
        created=NOON,
        state=State.RUNNING,
        first_step=at(3),
        history=[line(State.RUNNING, 1), line(State.QUEUED, 9), line(State.RUNNING, 10)],
    )
    assert told(job)[-1] == (Step.STARTING, 990, 2)


def test_a_job_from_before_histories_has_a_short_one():
    job = Job(created=NOON, state=State.FAILED, started=at(4), finished=at(9), reason="No.", worker="one")
    assert told(job) == [(Step.WAITING, 4, 0), (Step.RUNNING, 5, 1)]
    assert timeline(job)[-1].reason == "No."
