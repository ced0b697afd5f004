"""The queue in simulated worlds (generator/simulator): real claims in a database of their own, invented engines."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests import environment  # a home and a broker of its own; before Django reads its settings


@contextmanager
def _world(**changes: Any) -> Iterator[Any]:
    from django.db import transaction
    from django.test.utils import override_settings

    from generator.simulator.scenario import Scenario
    from generator.simulator.world import World

    rules = changes.pop("rules", {})
    tells, futures = changes.pop("tells", True), changes.pop("futures", 0)
    with override_settings(**rules), transaction.atomic():
        yield World(Scenario(**changes), tells, futures).play()
        transaction.set_rollback(True)


@contextmanager
def _database() -> Iterator[str]:
    import django

    django.setup()
    from generator.simulator.scratch import database

    try:
        with database() as vendor:
            yield vendor
    finally:
        environment.close()


DAYS = range(1, 6)  # seeds: one day has some twenty batches that wait long, and what comes after them decides much
FUTURES = 9


def eta_error() -> dict[str, Any]:
    """What people were told of jobs that then waited 10 s or more, against the wait: median error, as a part of it.

    Of five days together, and of each. The baseline is the error of telling each the mean of these waits; `possible`
    that of whoever knows how often and for how much people ask, but not when: nobody can be told truer on average. 40
    people who wait for pictures, look at them and ask again, among batches; 8 workers of two kinds, three models.
    `open` is the error on the first day where nobody waits to ask again.
    """
    from statistics import mean, median

    studio = {"workers": 8, "people": 40, "jobs": 2000, "load": 0.7}
    stories, days = [], {}
    with _database() as vendor:
        from generator.simulator.report import errors, judged, least_errors, long_waits, report

        with _world(**studio, is_open=True) as world:
            random = report(world)["eta"]["median_error"]
        for day in DAYS:
            with _world(**studio, seed=day, futures=FUTURES) as world:
                eta = report(world)["eta"]
                stories += long_waits(judged(world))
            days[day] = {name: eta[name] for name in ("median_error", "possible", "in_range", "jobs")}
    waits = [story.wait for story in stories]
    baseline = median(abs(mean(waits) - wait) / wait for wait in waits)
    value = median(errors(stories))
    held = sum(story.told.earliest <= story.wait <= story.told.latest for story in stories)
    return {
        "value": round(value, 3),
        "unit": "of the wait",
        "baseline": round(baseline, 3),
        "ratio": round(value / baseline, 3),
        "possible": round(median(least_errors(stories)), 3),
        "in_range": round(held / len(stories), 3),
        "jobs": len(stories),
        "days": days,
        "open": random,
        "database": vendor,
        "bar": 0.2,
        "holds": value <= 0.2,
    }


def swap_saved() -> dict[str, Any]:
    """Loads of models while one worker with room for one does 60 jobs for three models: preferring warm work, over not.

    Both runs are asked for the same jobs by the same ten people.
    """
    loads = {}
    with _database() as vendor:
        from generator.models import Job
        from generator.simulator.scenario import Habit, Model

        names = ("one", "two", "three")
        models = tuple(Model(name, step=0.05, load=8.0, size=512, steps=17, weight=1) for name in names)
        singles = (Habit(Job.Urgency.INTERACTIVE, (1, 1), (1,), part=1.0),)
        mixed = {"workers": 1, "people": 10, "teams": 2, "jobs": 60, "room": 1, "models": models, "habits": singles}
        for name, rules in (("on", {}), ("off", {"QUEUE_AFFINITY_CLAIMS": 0})):
            with _world(**mixed, all_at_once=True, tells=False, rules=rules) as world:
                loads[name] = world.loads
    ratio = loads["on"] / loads["off"]
    return {
        "value": loads["on"],
        "unit": "loads",
        "baseline": loads["off"],
        "ratio": round(ratio, 3),
        "database": vendor,
        "bar": 0.4,
        "holds": ratio <= 0.4,
    }
