"""The worker's way of a job against the bare diffusers pipeline with the same weights and threads."""

import os
import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

# Before torch is first imported, as in the worker (config/celery.py), and for the baseline alike.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from generator.diffusion.spec import ImageSpec
from tests import environment  # a home and a broker of its own; before Django reads its settings

ROUNDS = 9
BAR = 1.05
ASKED = {"prompt": "a red apple, 3d icon", "count": 4, "steps": 50, "seed": 0}


def engine_overhead() -> dict[str, Any]:
    """Seconds from claim to last decode, all previews kept and published, over the pipeline alone: median of ratios."""
    import django

    django.setup()
    try:
        theirs, ours = _interleaved(*_ways())
    finally:
        environment.close()
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return {
        "value": round(statistics.median(ours), 3),
        "unit": "s",
        "baseline": round(statistics.median(theirs), 3),
        "ratio": round(ratio, 4),
        "bar": BAR,
        "holds": ratio <= BAR,
    }


def _ways() -> tuple[Callable[[], float], Callable[[], float]]:
    """(by the pipeline alone, through the queue): each makes the same pictures and returns its seconds."""
    from django.core.management import call_command

    from accounts.models import Team
    from accounts.services import create_person
    from generator import queue, runner, services
    from generator.catalogue import install_builtin
    from generator.diffusion import pipelines
    from generator.models import Checkpoint
    from generator.progress import Progress

    call_command("migrate", verbosity=0)
    install_builtin()
    user = create_person(email="bench@example.com")
    team, checkpoint = Team.objects.get(personal_of=user), Checkpoint.objects.get()
    source = runner.source_of(checkpoint)
    decoded: list[float] = []
    generate = runner.generate

    def until_decoded(*args: Any) -> Any:
        result = generate(*args)
        decoded.append(perf_counter())
        return result

    runner.generate = until_decoded

    def through_the_queue() -> float:
        services.create_generation(user=user, team=team, checkpoint=checkpoint, **ASKED)
        started = perf_counter()
        job = queue.claim(worker="bench")
        assert job is not None
        runner.run(Progress(job))
        return decoded[-1] - started

    spec = ImageSpec(
        checkpoint=source,
        width=checkpoint.native_size,
        height=checkpoint.native_size,
        guidance=checkpoint.default_guidance,
        scheduler=checkpoint.default_scheduler,
        **ASKED,
    )

    def alone() -> float:
        started = perf_counter()
        _bare(pipelines.load(source), spec)
        return perf_counter() - started

    return alone, through_the_queue


def _bare(pipeline: Any, spec: ImageSpec) -> None:
    """The pictures of a spec, by the pipeline as anyone would call it."""
    import torch

    pipeline(
        spec.prompt,
        width=spec.width,
        height=spec.height,
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        num_images_per_prompt=spec.count,
        generator=[torch.Generator().manual_seed(seed) for seed in spec.seeds],
    )


def _interleaved(*ways: Callable[[], float]) -> list[list[float]]:
    """Seconds of each way, in turns that change direction, so that a busy machine is unfair to none. The first of each,
    which pays for allocations and compiled primitives, does not count."""
    for way in ways:
        way()
    seconds: list[list[float]] = [[] for _ in ways]
    for turn in range(ROUNDS):
        order = range(len(ways)) if turn % 2 else reversed(range(len(ways)))
        for index in order:
            seconds[index].append(ways[index]())
    return seconds
