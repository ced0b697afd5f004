"""The simulator: the real queue with invented people, engines and time."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from generator.models import Job, State
from generator.simulator.chart import draw
from generator.simulator.report import percentile, report
from generator.simulator.scenario import Habit, Model, Scenario
from generator.simulator.world import World
from tests.installation import ROOT

ONE = Model("one", step=0.1, load=5.0, size=512, steps=17, weight=1)  # 2 s a picture
SINGLES = Habit(Job.Urgency.INTERACTIVE, (1, 1), (1,), part=1.0)


def _scenario(**changes) -> Scenario:
    plain = {"workers": 2, "people": 6, "teams": 2, "jobs": 30, "models": (ONE,), "habits": (SINGLES,), "noise": 0.0}
    return Scenario(**{**plain, **changes})


def test_everything_that_is_asked_for_is_done(db):
    world = World(_scenario()).play()
    assert Job.objects.filter(state=State.DONE).count() == 30
    assert all(story.started is not None and story.wait >= 0 for story in world.stories.values())


def test_the_same_seed_tells_the_same_story(db):
    one, other = ([request.at for request in _scenario(seed=3).requests()] for _n in range(2))
    assert one == other
    assert one != [request.at for request in _scenario(seed=4).requests()]


def test_the_work_asked_for_is_the_load(db):
    scenario = _scenario(jobs=4000, load=0.5)
    requests = list(scenario.requests())
    work = sum(scenario.seconds(one.model, one.steps, count) for one in requests for count in one.counts)
    assert work / requests[-1].at / sum(kind.speed for kind in scenario.kinds()) == pytest.approx(0.5, rel=0.1)


def test_who_looks_at_pictures_asks_again_only_when_they_are_there(db):
    habit = replace(SINGLES, looks=True)
    world = World(_scenario(workers=1, people=3, habits=(habit,), load=0.9)).play()
    assert Job.objects.filter(state=State.DONE).count() == 30
    for person in range(3):
        jobs = list(Job.objects.filter(owner=world.people[person]).order_by("created"))
        assert len(jobs) > 3
        assert all(later.created > job.finished for job, later in pairwise(jobs))


def test_a_model_is_loaded_once_by_a_worker_that_has_room_for_it(db):
    world = World(_scenario()).play()
    assert world.loads == 2


def test_a_report_tells_waits_by_urgency_and_how_true_the_outlooks_were(db):
    world = World(_scenario(workers=1, jobs=60, all_at_once=True)).play()
    row = report(world)
    assert row["workers"] == 1
    assert row["waits"]["interactive"]["p95"] > row["waits"]["interactive"]["p50"] > 10
    assert set(row["eta"]) == {"jobs", "median_error", "p90_error", "in_range"}


def test_what_could_be_known_is_the_wait_where_only_dice_are_unknown_that_do_not_matter(db):
    """One person's batches come one behind the other, whenever the next one does."""
    batches = Habit(Job.Urgency.BATCH, (40, 40), (1,), part=1.0)
    world = World(_scenario(workers=1, people=1, jobs=120, habits=(batches,), load=0.9), futures=3).play()
    stories = [*world.stories.values()][40:]  # nothing was measured yet when the first batch came
    long = [story for story in stories if story.known is not None and story.wait >= 10]
    assert len(long) > 30
    assert all(story.known == pytest.approx(story.wait, rel=0.05) for story in long)
    assert "possible" in report(world)["eta"]


def test_more_urgent_newcomers_are_foreseen(db):
    """Singles pass a batch: what is known of its last job's wait is more than its own work before it."""
    batches = Habit(Job.Urgency.BATCH, (30, 30), (1,), part=0.5)
    world = World(_scenario(workers=1, jobs=200, habits=(replace(SINGLES, part=0.5), batches), load=0.7), futures=5)
    world.play()
    known = [story for story in world.stories.values() if story.urgency == Job.Urgency.BATCH and story.known]
    assert len(known) > 30
    assert max(story.known for story in known) > 30 * 2.0 * 1.2


def test_the_last_who_asks_is_told_when_it_will_be(db):
    world = World(_scenario(workers=1, people=1, jobs=40, habits=(Habit(1, (40, 40), (1,), 1.0),))).play()
    told = World(_scenario(workers=1, people=1, jobs=40)).scenario
    assert told.noise == 0.0
    last = [*world.stories.values()][-1]
    assert last.told.position == 39


def test_a_day_is_claimed_in_the_same_order_in_every_database(db, tmp_path):
    """In the database of the tests, PostgreSQL too, as in SQLite in another process."""
    asked = {"workers": 3, "people": 12, "teams": 2, "jobs": 150, "load": 0.9}
    here = report(World(Scenario(**asked), tells=False).play())
    command = [sys.executable, "manage.py", "simulate_queue", "--workers", "3", "--people", "12"]
    command += ["--jobs", "150", "--load", "0.9"]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{tmp_path}/queue.sqlite3", "ATELIER_HOME": str(tmp_path)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    there = json.loads(ran.stdout.splitlines()[-1])
    assert (here["order"], here["waits"]) == (there["order"], there["waits"])


def test_a_percentile_lies_between_its_neighbours():
    assert percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.5
    assert percentile([5.0], 95) == 5.0


def test_the_chart_is_well_formed_and_says_in_words_what_it_shows():
    waits = {"interactive": {"jobs": 10, "p50": 1.0, "p95": 30.0}}
    image = ElementTree.fromstring(draw([{"workers": n, "waits": waits} for n in (1, 10, 1000)]))
    assert "half wait under 1 s" in image.get("aria-label")
