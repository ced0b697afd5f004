"""A warm worker between two jobs: what people wait for while nothing is drawn."""

import logging
import os
import statistics
from time import perf_counter, process_time, thread_time
from typing import Any

# Before torch is first imported, as in the worker (config/celery.py).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from tests import environment  # a home and a broker of its own; before Django reads its settings

JOBS = 31
BAR = 30.0
ASKED = {"prompt": "a red apple, 3d icon", "count": 1, "steps": 6}


def dispatch_gap_ms() -> dict[str, Any]:
    """Milliseconds from a job's DONE, committed, to the call that draws the next one, in one worker that has many
    waiting: median. In between: the end is told, the next claimed, its settings read, its model found warm.

    `cpu` is the processor's part of it, which a busy machine changes little.
    """
    import django
    from django.conf import settings

    django.setup()
    settings.TOGETHER_PICTURES = 1  # else one call would make several of them
    try:
        gaps, spent = _gaps()
    finally:
        environment.close()
    median = statistics.median(gaps)
    spread = {"min": round(min(gaps), 1), "max": round(max(gaps), 1), "runs": len(gaps)}
    spread["cpu"] = round(statistics.median(spent), 1)
    return {"value": round(median, 1), "unit": "ms", **spread, "bar": BAR, "holds": median <= BAR}


def _gaps() -> tuple[list[float], list[float]]:
    """Milliseconds of each pause, and those of the processor in it."""
    from django.core.management import call_command

    from accounts.models import Team
    from accounts.services import create_person
    from generator import runner, services
    from generator.catalogue import install_builtin
    from generator.models import Checkpoint, Job, State
    from generator.worker import Worker

    call_command("migrate", verbosity=0)
    install_builtin()
    user = create_person(email="bench@example.com")
    team, checkpoint = Team.objects.get(personal_of=user), Checkpoint.objects.get()
    for seed in range(JOBS):
        services.create_generation(user=user, team=team, checkpoint=checkpoint, seed=seed, **ASKED)
    began: list[tuple[float, float]] = []
    ended: list[tuple[float, float]] = []
    generate, keep = runner.generate, runner.gallery.keep_drafts

    def generate_and_note(*args: Any) -> Any:
        began.append((perf_counter(), thread_time()))
        return generate(*args)

    def keep_and_note(**arguments: Any) -> Any:
        kept = keep(**arguments)
        ended.append((perf_counter(), thread_time()))
        return kept

    runner.generate, runner.gallery.keep_drafts = generate_and_note, keep_and_note
    worker = Worker("bench")
    worker.start()
    try:
        worker.drain()
    finally:
        worker.stop()
    assert Job.objects.filter(state=State.DONE).count() == JOBS
    pauses = [*zip(ended, began[1:], strict=False)]
    return [(start[0] - end[0]) * 1000 for end, start in pauses], [(start[1] - end[1]) * 1000 for end, start in pauses]


PEOPLE = 8
ROUNDS = 5
FIRST = 6  # jobs of each that teach the worker how many are worth it


def batch_gain() -> dict[str, Any]:
    """Eight people ask for a picture each: processor seconds of making one after the other, over those of making them
    together, through the queue in one worker. The baseline is g, what the engine itself gains by a call of eight.

    `together` is how many the worker found to be worth it, `best` the engine's gain by a call of so many.
    """
    import django

    django.setup()
    logging.disable(logging.INFO)
    try:
        queued, gains, size = _gains()
    finally:
        environment.close()
    gain = gains[PEOPLE]
    return {
        "value": round(queued, 3),
        "unit": "times",
        "baseline": round(gain, 3),
        "ratio": round(queued / gain, 3),
        "together": size,
        "best": round(gains[size], 3),
        "bar": 0.9,
        "holds": queued >= 0.9 * gain,
    }


def _gains() -> tuple[float, dict[int, float], int]:
    from django.conf import settings
    from django.core.management import call_command

    from accounts.models import Team
    from accounts.services import create_person
    from generator import queue, runner, services
    from generator.catalogue import install_builtin
    from generator.models import Checkpoint
    from generator.progress import Progress

    call_command("migrate", verbosity=0)
    install_builtin()
    checkpoint = Checkpoint.objects.get()
    people = [create_person(email=f"bench-{number}@example.com") for number in range(PEOPLE)]
    teams = {user.pk: Team.objects.get(personal_of=user) for user in people}

    def everybody_asks() -> None:
        for user in people:
            services.create_generation(user=user, team=teams[user.pk], checkpoint=checkpoint, **ASKED)

    def work() -> int:
        """Until nothing waits; the most that ran together."""
        most = 0
        while job := queue.claim(worker="bench"):
            jobs = runner.gather(job, worker="bench")
            runner.run_together([Progress(one) for one in jobs])
            most = max(most, len(jobs))
        return most

    for _n in range(FIRST):
        everybody_asks()
        work()
    spent: dict[str, list[float]] = {"alone": [], "together": []}
    size = 1
    for _round in range(ROUNDS):
        for name, most in (("alone", 1), ("together", 16)):
            settings.TOGETHER_PICTURES = most
            everybody_asks()
            began = process_time()
            ran = work()
            spent[name].append(process_time() - began)
            size = max(size, ran)
    return min(spent["alone"]) / min(spent["together"]), _engine_gains(checkpoint, {PEOPLE, size}), size


def _engine_gains(checkpoint: Any, sizes: set[int]) -> dict[int, float]:
    """By pictures in a call: processor seconds of eight calls for one, over those of as many pictures in such calls."""
    from generator import runner
    from generator.diffusion.sampling import generate
    from generator.diffusion.spec import ImageSpec

    source, side = runner.source_of(checkpoint), checkpoint.native_size
    spent: dict[int, list[float]] = {size: [] for size in {1, *sizes}}
    for seed in range(ROUNDS):
        for size, seconds in spent.items():
            wanted = {**ASKED, "count": size, "width": side, "height": side, "seed": seed}
            began = process_time()
            for _call in range(PEOPLE // size):
                generate(ImageSpec(checkpoint=source, **wanted))
            seconds.append((process_time() - began) / (PEOPLE // size * size))
    return {size: min(spent[1]) / min(seconds) for size, seconds in spent.items()}
