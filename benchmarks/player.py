"""Plays 20 recorded jobs to whoever watches: `python -m benchmarks.player`, in an installation's environment.

Reads a command a line: `make OWNER_EMAIL` prints the ids of running jobs; `play SECONDS` tells two steps a second of
each and prints when it told which; `end` takes each to its end, told or not, and prints it.
"""

import json
import os
import sys
import time
import uuid
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Team, User  # noqa: E402
from generator import events, services  # noqa: E402
from generator.models import Checkpoint, Job, State  # noqa: E402

JOBS, EVERY, STEPS = 20, 0.5, 150
ENDS = (State.DONE, State.FAILED, State.CANCELLED)


def say(**line: object) -> None:
    """One JSON line."""
    print(json.dumps(line), flush=True)


def make(email: str) -> list[Job]:
    """Jobs that run, with a lease that outlives the recording."""
    user, team = User.objects.get(email=email), Team.objects.get(name="Northlight")
    checkpoint = Checkpoint.objects.get(is_default=True)
    User.objects.filter(pk=user.pk).update(pictures_per_day=100_000)
    jobs = []
    for number in range(JOBS):
        with transaction.atomic():  # taken before any worker can see it
            job = services.create_generation(
                user=user, team=team, checkpoint=checkpoint, prompt="a red apple", count=1, steps=STEPS, seed=number
            )
            now = timezone.now()
            lease = {"lease": uuid.uuid4(), "lease_expires": now + timedelta(hours=1)}
            job.move(State.RUNNING, worker="player", started=now, **lease)
        jobs.append(job)
    say(jobs=[str(job.pk) for job in jobs])
    return jobs


def play(jobs: list[Job], seconds: float, step: int) -> int:
    """Tells of steps, the jobs evenly spread over each half second. Returns the step they have come to."""
    start = time.monotonic()
    rounds = int(seconds / EVERY)
    for number in range(rounds):
        step += 1
        for place, job in enumerate(jobs):
            due = start + (number + place / len(jobs)) * EVERY
            time.sleep(max(0.0, due - time.monotonic()))
            seq = events.sequence(job, step)
            live = {"attempt": job.attempts, "seq": seq, "step": step, "steps": STEPS, "eta": 1.0, "count": 0}
            told = time.time()
            events.tell_progress(job, live)
            say(job=str(job.pk), seq=seq, at=told)
    return step


def end(jobs: list[Job]) -> None:
    """Each to its end, by turns done, failed and cancelled."""
    for number, job in enumerate(jobs):
        state = ENDS[number % len(ENDS)]
        job.move(state, reason="as recorded" if state == State.FAILED else "")
        say(job=str(job.pk), state=str(state), at=time.time())
        events.tell_ended(job)


def main() -> None:
    """Until the end of its input."""
    jobs: list[Job] = []
    step = 0
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "make":
            jobs = make(rest[0])
        elif word == "play":
            step = play(jobs, float(rest[0]), step)
        elif word == "end":
            end(jobs)
        say(did=word)


if __name__ == "__main__":
    main()
