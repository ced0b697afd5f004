"""The worker as a process: it drains the line, announces itself, is woken, and outlives what goes away."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from config import celery
from gallery.models import Media
from generator import queue, upkeep, worker
from generator.models import Job, State
from generator.models import Worker as WorkerRow

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_worker_drains_the_line_and_announces_itself(make_job, alice, settings):
    settings.WORKER_POLL_SECONDS = 60
    jobs = [make_job(alice) for _n in range(3)]
    own = worker.Worker("one")
    own.start()
    try:
        own.drain()
        assert {Job.objects.get(pk=job.pk).state for job in jobs} == {State.DONE}
        row = WorkerRow.objects.get(name="one")
        assert "float32" in row.device or row.dtype == "float32"
        assert (row.kinds, row.loaded) == (["image", "train", "import"], ["starter"])
        assert "starter" in row.families
        assert 0 < row.memory_free <= row.memory or row.memory_free == 0
        assert row.version
        own.beat()
        row.refresh_from_db()
        assert (row.jobs_done, row.memory_free > 0) == (3, True)
    finally:
        own.stop()
    assert not WorkerRow.objects.filter(name="one").exists()


def test_an_idle_worker_finds_a_job_whose_wake_up_was_lost(make_job, alice, settings):
    settings.WORKER_POLL_SECONDS = 0.2
    own = worker.Worker("two")
    own.start()
    try:
        job = make_job(alice)
        end = time.monotonic() + 60
        while Job.objects.get(pk=job.pk).state != State.DONE and time.monotonic() < end:
            time.sleep(0.05)
        assert Job.objects.get(pk=job.pk).state == State.DONE
    finally:
        own.stop()


def test_a_second_wake_up_does_not_wait_for_the_first(db):
    own = worker.Worker("three")
    first = threading.Thread(target=own.drain, daemon=True)
    first.start()
    while not own._draining.locked():
        time.sleep(0.001)
    own.drain()
    assert first.is_alive()
    assert own._requests.qsize() == 2
    own._ended.set()
    first.join(30)
    assert not first.is_alive()


def test_a_worker_starts_although_the_database_is_away(make_job, alice, monkeypatch, settings):
    settings.WORKER_POLL_SECONDS = 60
    job = make_job(alice)
    announce, calls = WorkerRow.objects.update_or_create, []

    def away_at_first(**facts):
        calls.append(facts)
        if len(calls) == 1:
            raise OperationalError("connection refused")
        return announce(**facts)

    monkeypatch.setattr(WorkerRow.objects, "update_or_create", away_at_first)
    own = worker.Worker("four")
    own.start()
    try:
        own.drain()
        assert Job.objects.get(pk=job.pk).state == State.DONE
    finally:
        own.stop()


def test_a_claim_whose_answer_was_lost_is_given_back(make_job, alice, monkeypatch, settings):
    settings.WORKER_POLL_SECONDS = 0.05
    job = make_job(alice)
    claim, calls = queue.claim, []

    def answer_lost(**facts):
        calls.append(claim(**facts))
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return calls[-1]

    monkeypatch.setattr(queue, "claim", answer_lost)
    own = worker.Worker("five")
    own.start()
    try:
        end = time.monotonic() + 60
        while Job.objects.get(pk=job.pk).state != State.DONE and time.monotonic() < end:
            time.sleep(0.05)
    finally:
        own.stop()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.DONE, 0)
    assert [line["to"] for line in job.history] == ["running", "queued", "running", "done"]


def test_a_wake_up_goes_to_workers_with_an_engine_and_the_rest_to_those_without():
    celery.app.loader.import_default_modules()
    route = celery.app.amqp.router.route
    assert route({}, queue.WAKE_UP)["queue"].name == "atelier"
    for name in ("atelier.recover", "atelier.tidy", "atelier.orphans"):
        assert route({}, name)["queue"].name == "light"
        assert name in celery.app.tasks


def test_time_leaves_nothing_behind(make_media, alice, settings):
    old = make_media(alice)
    long_ago = timezone.now() - timedelta(days=settings.TRASH_RETENTION_DAYS + 1)
    Media.objects.filter(pk=old.pk).update(deleted=long_ago)
    WorkerRow.objects.create(name="gone", seen=long_ago)
    WorkerRow.objects.create(name="here")
    upkeep.tidy()
    assert not Media.objects.exists()
    assert [row.name for row in WorkerRow.objects.all()] == ["here"]
