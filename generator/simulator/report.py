"""What a run tells: waits by urgency, how true the outlooks were, loads, and how fast it went."""

import hashlib
from typing import Any

from generator.models import Job
from generator.simulator.world import ENDING, LEARNING, Story, World

LONG = 10.0  # seconds of waiting from which an outlook is judged


def report(world: World) -> dict[str, Any]:
    """One row of plain values."""
    stories, counted = [*world.stories.values()], judged(world)
    end = max((story.started or 0.0 for story in stories), default=0.0)
    return {
        "workers": world.scenario.workers,
        "people": world.scenario.people,
        "jobs": len(stories),
        "hours": round(end / 3600, 2),
        "waits": {
            Job.Urgency(urgency).name.lower(): _waits([story for story in counted if story.urgency == urgency])
            for urgency in sorted({story.urgency for story in counted})
        },
        "eta": _eta(counted, is_known=world.futures > 0),
        "order": order(world),
        "loads": world.loads,
        "claim_ms": round(1000 * world.claim_seconds / max(1, world.claims), 2),
    }


def order(world: World) -> str:
    """In short, in which order jobs were claimed: equal for equal days, whichever database holds the queue."""
    numbers = {pk: number for number, pk in enumerate(world.stories)}
    claimed = " ".join(str(numbers[pk]) for pk in world.order)
    return hashlib.blake2b(claimed.encode(), digest_size=6).hexdigest()


def judged(world: World) -> list[Story]:
    """The jobs that count, in the order in which they were asked for."""
    stories = sorted(world.stories.values(), key=lambda story: story.asked)
    counted = stories[round(len(stories) * LEARNING) : round(len(stories) * (1 - ENDING))]
    return [story for story in counted if story.started is not None]


def _waits(stories: list[Story]) -> dict[str, float]:
    waits = [story.wait for story in stories]
    return {"jobs": len(waits), "p50": round(percentile(waits, 50), 1), "p95": round(percentile(waits, 95), 1)}


def long_waits(stories: list[Story]) -> list[Story]:
    """Those whose outlook is judged."""
    return [story for story in stories if story.wait >= LONG and story.told.middle is not None]


def errors(stories: list[Story]) -> list[float]:
    """How far the middle that was told was off, as a part of the wait."""
    return [abs((story.told.middle or 0.0) - story.wait) / story.wait for story in stories]


def least_errors(stories: list[Story]) -> list[float]:
    """The same of what could be known at that moment (futures.py); what was told where nobody had to wait."""
    known = [(story.told.middle if story.known is None else story.known, story.wait) for story in stories]
    return [abs((seconds or 0.0) - wait) / wait for seconds, wait in known]


def _eta(stories: list[Story], *, is_known: bool) -> dict[str, float] | None:
    """Of jobs that waited LONG or more: the error of the middle over the wait, and how many starts the range held."""
    told = long_waits(stories)
    if not told:
        return None
    held = sum(story.told.earliest <= story.wait <= story.told.latest for story in told)
    return {
        "jobs": len(told),
        "median_error": round(percentile(errors(told), 50), 3),
        **({"possible": round(percentile(least_errors(told), 50), 3)} if is_known else {}),
        "p90_error": round(percentile(errors(told), 90), 3),
        "in_range": round(held / len(told), 3),
    }


def percentile(values: list[float], part: float) -> float:
    """The value that `part` percent are at most; linear between neighbours."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * part / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
