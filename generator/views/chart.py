"""A job's page: its phases as bars, and its settings in words."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from generator.diffusion.spec import SCHEDULERS
from generator.formats import find_format
from generator.models import Generation, Job
from generator.timeline import Phase, timeline


@dataclass(frozen=True)
class Bar:
    """One phase and where it lies: percent of the whole, from the start."""

    phase: Phase
    seconds: float
    left: float
    width: float


def chart(job: Job, now: datetime | None = None) -> list[Bar]:
    """The phases of `job` over its whole life so far."""
    now = now or timezone.now()
    phases = timeline(job)
    if not phases:
        return []
    whole = max(0.001, ((phases[-1].end or now) - phases[0].start).total_seconds())
    return [
        Bar(
            phase,
            seconds=phase.seconds(now),
            left=100 * (phase.start - phases[0].start).total_seconds() / whole,
            width=100 * phase.seconds(now) / whole,
        )
        for phase in phases
    ]


def settings_in_words(generation: Generation) -> list[tuple[str | Promise, object]]:
    """(name, value) of all that was asked for, the prompt apart; empty ones left out."""
    rows = [
        (_("Title"), generation.title),
        (_("Negative prompt"), generation.negative_prompt),
        (_("Model"), generation.checkpoint.name),
        (_("Style"), generation.style.name if generation.style else ""),
        (_("Format"), f"{find_format(generation.format).label} · {generation.width} × {generation.height} px"),
        (_("Pictures"), generation.count),
        (_("Steps"), generation.steps),
        (_("Guidance"), f"{generation.guidance:g}"),
        (_("Scheduler"), SCHEDULERS.get(generation.scheduler, generation.scheduler)),
        (_("Seed"), str(generation.seed)),
    ]
    return [(name, value) for name, value in rows if value]
