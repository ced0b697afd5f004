"""How a job is stopped: cancelled, its lease lost, its worker told to stop, or because it takes too long."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.services import left_today
from gallery.models import Media
from generator import queue, runner, services, worker
from generator.diffusion.spec import Cancelled
from generator.models import Job, State
from generator.progress import LeaseLost, Progress
from tests.generator.worker.running import run_next

pytestmark = pytest.mark.django_db(transaction=True)


def test_cancel_stops_within_one_step_and_gives_the_pictures_back(make_job, alice, told, monkeypatch):
    before = left_today(alice)
    job = make_job(alice, steps=50)
    seen: list[int] = []
    on_step = Progress.on_step

    def cancel_at_three(self, step):
        seen.append(step.index)
        if step.index == 3:
            services.cancel_job(user=alice, job=Job.objects.get(pk=job.pk))
        on_step(self, step)

    monkeypatch.setattr(Progress, "on_step", cancel_at_three)
    run_next()
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert len(seen) <= 4
    assert left_today(alice) == before
    assert told[-1]["type"] == "job.cancelled"
    assert not Media.objects.exists()


def test_a_cancel_is_noticed_by_the_heartbeat_when_the_cache_lost_it(make_job, alice):
    make_job(alice)
    progress = Progress(queue.claim(worker="test"))
    Job.objects.update(cancel_requested=True)
    progress.check()
    progress.heartbeat(queue.renew(lease=progress.lease))
    with pytest.raises(Cancelled):
        progress.check()


def test_a_worker_that_lost_its_lease_writes_nothing(make_job, alice, told, monkeypatch):
    job = make_job(alice)
    keep = runner._keep

    def lose_first(progress, *args):
        Job.objects.filter(pk=job.pk).update(lease_expires=timezone.now() - timedelta(seconds=1))
        queue.recover()
        keep(progress, *args)

    monkeypatch.setattr(runner, "_keep", lose_first)
    run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.QUEUED, 1)
    assert not Media.objects.exists()
    assert not any(event["type"] == "job.done" for event in told)
    monkeypatch.setattr(runner, "_keep", keep)
    run_next()
    assert Media.objects.filter(job=job.pk).count() == 1


def test_a_lost_lease_is_noticed_at_the_next_step(make_job, alice):
    make_job(alice)
    progress = Progress(queue.claim(worker="test"))
    progress.heartbeat(None)
    with pytest.raises(LeaseLost):
        progress.check()


def test_a_worker_that_is_to_stop_puts_its_job_back_without_an_attempt(make_job, alice, told):
    job = make_job(alice)
    stopping = threading.Event()
    stopping.set()
    run_next(stopping)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.lease) == (State.QUEUED, 0, None)
    assert told[-1]["type"] == "job.queued"


def test_a_job_that_takes_far_too_long_is_stopped(make_job, alice, monkeypatch):
    monkeypatch.setattr(runner, "_allowed", lambda *_facts: 0.0)
    job = make_job(alice)
    run_next()
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "many times as long" in job.reason


def test_a_hung_step_ends_the_worker_and_leaves_its_stack(make_job, alice, settings, monkeypatch):
    settings.JOB_STEP_DEADLINE_SECONDS = -1
    ended: list[int] = []
    monkeypatch.setattr(worker.os, "_exit", ended.append)
    job = make_job(alice)
    own = worker.Worker("hung")
    own._running = [Progress(queue.claim(worker=own.name))]
    own.beat()
    job.refresh_from_db()
    assert ended == [worker.EXIT_HUNG]
    assert "No step for" in job.trace


def test_a_worker_that_stops_finishes_what_is_nearly_done(make_job, alice):
    job = make_job(alice, steps=6)
    stopping = threading.Event()
    on_step = Progress.on_step

    def stop_at_three(self, step):
        if step.index == 3:
            stopping.set()
        on_step(self, step)

    progress = Progress(queue.claim(worker="test"), stopping)
    progress.on_step = stop_at_three.__get__(progress)
    runner.run(progress)
    job.refresh_from_db()
    assert job.state == State.DONE
