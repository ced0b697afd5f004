"""What people are told of a waiting job: its place, a range of seconds, and what stands in its way."""

import random
from datetime import timedelta
from importlib import import_module

import pytest
from django.utils import timezone

from accounts.models import Membership, Team
from generator import events, queue, services
from generator.models import Checkpoint, Generation, Hold, Job, State, StepTime, Worker
from generator.queue.arrivals import Arrivals

outlook_module = import_module("generator.queue.outlook")  # the package's own name for it is the function


@pytest.fixture
def measured(checkpoint):
    """A step of one picture takes a quarter of a second, the rest of it one second, loading the model four."""
    return StepTime.objects.create(
        loads="starter",
        device="gpu",
        pixels=128 * 128,
        step=0.25,
        rest=1.0,
        load=4.0,
        per_cost=1.0,
        spread=0.1,
        jobs=20,
    )


@pytest.fixture
def worker(db) -> Worker:
    """A living worker with the starter in memory."""
    return Worker.objects.create(name="w", device="gpu", loaded=["starter"])


def _claim() -> Job:
    job = queue.claim(worker="w")
    assert job is not None
    return job


def _resized(job: Job) -> Job:
    Generation.objects.filter(pk=job.pk).update(width=128, height=128)
    return job


def test_an_idle_worker_starts_at_once(make_job, alice, measured, worker):
    told = queue.outlook(make_job(alice))
    assert (told.position, told.middle, told.blocked) == (0, 0.0, "")
    assert told.earliest == 0.0
    assert told.latest < 1


def test_those_before_it_take_as_long_as_was_measured(make_job, alice, measured, worker):
    jobs = [_resized(make_job(alice, steps=8, count=2)) for _n in range(4)]  # (8 × 0.25 + 1) × 2 = 6 s each
    told = queue.outlooks(jobs)
    assert [told[job.pk].position for job in jobs] == [0, 1, 2, 3]
    assert [told[job.pk].middle for job in jobs] == pytest.approx([0, 6, 12, 18])
    last = told[jobs[-1].pk]
    assert last.earliest < 18 < last.latest


def test_what_runs_counts_with_the_part_that_is_left(make_job, alice, measured, worker):
    _resized(make_job(alice, steps=8, count=2))
    running = _claim()
    started = timezone.now() - timedelta(seconds=4)
    Job.objects.filter(pk=running.pk).update(started=started)
    told = queue.outlook(make_job(alice)).middle
    assert 6 - (timezone.now() - started).total_seconds() - 0.01 <= told <= 2


def test_two_workers_halve_the_wait(make_job, alice, measured, worker):
    Worker.objects.create(name="second", device="gpu", loaded=["starter"])
    jobs = [_resized(make_job(alice, steps=8, count=2)) for _n in range(5)]
    assert queue.outlook(jobs[-1]).middle == pytest.approx(12)


def test_a_model_that_no_worker_has_in_memory_is_loaded_first(make_job, alice, measured, worker):
    Worker.objects.update(loaded=["another"])
    jobs = [_resized(make_job(alice, steps=8, count=2)) for _n in range(2)]
    assert queue.outlook(jobs[-1]).middle == pytest.approx(10)


def test_without_a_worker_it_says_so(make_job, alice):
    first, second = make_job(alice), make_job(alice)
    told = queue.outlook(second)
    assert (told.position, told.earliest, told.range) == (1, None, None)
    assert "none is running" in told.blocked
    assert queue.outlook(first).position == 0


def test_a_job_that_no_living_worker_can_run_says_so_at_once(make_job, alice, worker, checkpoint):
    Worker.objects.update(families=["sdxl"])
    told = queue.outlook(make_job(alice))
    assert checkpoint.name in told.blocked
    assert told.middle is None


def test_workers_that_are_paused_are_named_as_the_reason(make_job, alice, worker):
    Worker.objects.update(is_paused=True)
    assert "paused" in queue.outlook(make_job(alice)).blocked


def test_a_hold_is_the_reason(make_job, alice, bob, worker, studio):
    held, other = make_job(alice), make_job(bob)
    Hold.objects.create(scope=Hold.Scope.PERSON, team=studio, user=alice)
    assert "paused" in queue.outlook(held).blocked
    assert queue.outlook(other).position == 0
    assert queue.outlook(other).blocked == ""


def test_an_event_tells_the_range_and_the_reason(make_job, alice, worker):
    job = make_job(alice)
    told = events.snapshot(Job.objects.get(pk=job.pk))
    assert told["eta"] == 0.0
    assert told["eta_range"] == [0.0, 0.5]
    assert told["blocked"] == ""


def test_asking_reads_the_queue_once(make_job, alice, worker, monkeypatch, django_capture_on_commit_callbacks):
    read = []
    monkeypatch.setattr(outlook_module, "Forecast", lambda *a: read.append(a) or _Nothing())
    with django_capture_on_commit_callbacks(execute=True):
        job = make_job(alice)
    events.snapshot(job)
    assert len(read) == 1


class _Nothing:
    starts: dict = {}


def test_a_reading_does_not_ask_more_for_more_jobs(make_job, alice, bob, worker, django_assert_max_num_queries):
    jobs = [make_job(person) for person in (alice, bob) for _n in range(20)]
    with django_assert_max_num_queries(12):
        queue.outlooks(jobs)


# --- those who will come ---------------------------------------------------------------------------------------------


def _came(job: Job, cost: float, **fields) -> None:
    """It was asked for five minutes ago, and is done unless `fields` say otherwise."""
    now = timezone.now()
    done = {"state": State.DONE, "started": now - timedelta(seconds=cost), "finished": now}
    Job.objects.filter(pk=job.pk).update(**{"created": now - timedelta(minutes=5), "cost": cost, **done, **fields})
    queue.audit()


def _delayed(job: Job, seconds: float, ahead: float) -> float:
    return Arrivals(timezone.now(), 1).delayed(job, seconds, ahead)


def test_what_more_urgent_people_lately_asked_for_goes_on_to_pass(make_job, alice, bob):
    job = make_job(alice)
    job.urgency = Job.Urgency.BATCH
    assert _delayed(job, 100, 0) == pytest.approx(100, rel=0.05)
    _came(make_job(bob), 300)  # half of ten minutes of one worker
    assert 100 < _delayed(job, 100, 0) < 150 < _delayed(job, 10_000, 0) < 20_000
    _came(make_job(bob), 10**6)
    assert _delayed(job, 100, 0) <= 500


def test_newcomers_of_the_same_urgency_pass_no_more_than_is_before_it(make_job, alice, bob):
    job = make_job(alice)
    _came(make_job(bob), 450)
    assert _delayed(job, 100, 0) == pytest.approx(100)
    assert 100 < _delayed(job, 100, 50) < _delayed(job, 100, 500) < 200


def test_what_somebody_asks_for_comes_behind_what_they_asked_for_before(make_job, alice):
    job = make_job(alice)
    _came(make_job(alice), 450)
    assert _delayed(job, 100, 500) == pytest.approx(100)


# --- the order that was told is the order that comes -----------------------------------------------------------------


def _mix(make_job, people, models, seed: int) -> list[Job]:
    """Jobs of several people, teams, urgencies, sizes and models."""
    rng = random.Random(seed)
    jobs = []
    for _n in range(40):
        user, team = rng.choice(people)
        job = make_job(user, team=team, steps=rng.choice([2, 8, 30]), count=rng.choice([1, 4]))
        model = rng.choice(models)
        urgency = rng.choice([0, 0, 1, 2])
        account = queue.open_account(team=team, user=user, urgency=urgency)
        Generation.objects.filter(pk=job.pk).update(checkpoint=model, width=128, height=128)
        cost = services.cost_of(Generation.objects.get(pk=job.pk), queue.Paces.read())
        Job.objects.filter(pk=job.pk).update(loads=model.slug, urgency=urgency, account=account, cost=cost)
        jobs.append(Job.objects.get(pk=job.pk))
    queue.audit()
    return jobs


@pytest.fixture
def crowd(studio, alice, bob, charlie):
    """People with unequal shares in two teams."""
    other = Team.objects.create(name="Other", share=3)
    Membership.objects.create(team=other, user=charlie, role="owner", share=2)
    Membership.objects.create(team=other, user=alice, role="creator", share=1)
    return [(alice, studio), (bob, studio), (charlie, other), (alice, other)]


@pytest.fixture
def models(checkpoint):
    """Two models."""
    twin = Checkpoint.objects.get(pk=checkpoint.pk)
    twin.pk, twin.slug, twin.name, twin.is_default = None, "twin", "Twin", False
    twin.save()
    return [checkpoint, twin]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("affinity", [0, 8])
def test_one_worker_claims_in_the_order_that_was_told(
    make_job, crowd, models, measured, worker, settings, seed, affinity
):
    settings.QUEUE_AFFINITY_CLAIMS, settings.QUEUE_AFFINITY_SECONDS = affinity, 10**6  # bound by count: no clock here
    jobs = _mix(make_job, crowd, models, seed)
    told = queue.outlooks(jobs, room=1)
    claimed = []
    while job := queue.claim(worker="w"):
        claimed.append(job.pk)
        Worker.objects.filter(pk="w").update(loaded=[job.loads])
        job.move(State.DONE, was_lease=job.lease)
    assert len(claimed) == len(jobs)
    assert claimed == sorted(claimed, key=lambda pk: told[pk].position)


def test_very_long_lines_are_summed_up_to_about_the_same(
    make_job, crowd, models, measured, worker, settings, monkeypatch
):
    settings.QUEUE_AFFINITY_CLAIMS = 0
    jobs = _mix(make_job, crowd, models[:1], 1)
    played = queue.outlooks(jobs)
    monkeypatch.setattr(outlook_module, "PLAYED", 0)
    summed = queue.outlooks(jobs)
    off = [abs(summed[job.pk].position - played[job.pk].position) for job in jobs]
    assert sum(off) / len(off) < 6  # jobs of one person differ in cost by 1:60 here; sums know their mean only
    assert summed[jobs[-1].pk].middle == pytest.approx(played[jobs[-1].pk].middle, rel=0.5)


# --- pace ------------------------------------------------------------------------------------------------------------


def _done(job: Job, *, seconds: float, load: float = 0.0) -> Job:
    now = timezone.now()
    job.started, job.finished = now - timedelta(seconds=seconds + load), now
    job.timings = {"load": load, "encode": 0.1, "denoise": seconds * 0.8, "decode": 0.1, "report": 0.0}
    return job


def test_step_times_are_learnt_from_jobs_that_are_done(make_job, alice, checkpoint):
    assert queue.pace(checkpoint.slug) == queue.FIRST_GUESS
    for seconds in (10.0, 10.0, 12.0):
        queue.learn(_done(make_job(alice, steps=4, count=2), seconds=seconds, load=3.0), device="gpu")
    row = StepTime.objects.get()
    assert row.jobs == 3
    assert row.step == pytest.approx(0.8 * 32 / 3 / 8)
    assert row.rest == pytest.approx(0.2 * 32 / 3 / 2)
    assert row.load == pytest.approx(3.0)
    job = make_job(alice, steps=4, count=2)
    assert job.cost == pytest.approx(32 / 3)


def test_a_warm_model_does_not_count_as_loaded_fast(make_job, alice):
    queue.learn(_done(make_job(alice), seconds=2.0, load=3.0), device="gpu")
    queue.learn(_done(make_job(alice), seconds=2.0, load=0.001), device="gpu")
    assert StepTime.objects.get().load == pytest.approx(3.0)


def test_what_was_never_measured_is_taken_from_the_nearest_that_was(measured):
    paces = queue.Paces.read()
    here = paces.work("starter", 128 * 128, 8, 1, "gpu")
    larger = paces.work("starter", 256 * 256, 8, 1, "gpu")
    elsewhere = paces.work("starter", 128 * 128, 8, 1, "cpu")
    assert here.seconds == pytest.approx(3.0)
    assert larger.seconds == pytest.approx(12.0)
    assert elsewhere.seconds == pytest.approx(3.0)
    assert here.spread < larger.spread < elsewhere.spread


def test_a_large_model_pays_for_its_seconds(make_job, alice, models, measured):
    StepTime.objects.create(loads="twin", device="gpu", pixels=128 * 128, step=2.5, rest=10.0, per_cost=1.0)
    small, large = (
        services.cost_of(Generation(checkpoint=model, width=128, height=128, steps=8, count=1), queue.Paces.read())
        for model in models
    )
    assert large == pytest.approx(10 * small)


def test_the_estimate_counts_loading_where_no_worker_has_the_model(alice, checkpoint, measured, worker):
    asked = {"user": alice, "checkpoint": checkpoint, "width": 128, "height": 128, "count": 1, "steps": 8}
    assert services.estimate(**asked).seconds == pytest.approx(3.0)
    Worker.objects.update(loaded=[])
    assert services.estimate(**asked).seconds == pytest.approx(7.0)
