"""What breaks under a job: models, disks, memory, the database; what is tried again, and what ends it."""

import errno
import itertools
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.services import left_today
from gallery import services as gallery
from gallery.models import Media
from generator import queue, runner, tail, upkeep, worker
from generator.models import Checkpoint, Job, State
from generator.progress import Progress
from tests.generator.worker.running import run_next

pytestmark = pytest.mark.django_db(transaction=True)


def _full_at(monkeypatch, number: int, error: int = errno.ENOSPC) -> None:
    """From the file with this number on, nothing more fits onto the disk; what was begun lies there."""
    from django.core.files.storage import FileSystemStorage

    begun = itertools.count()  # files are written beside each other: whatever finishes first, these are too many
    save = FileSystemStorage._save

    def full(self, name, content):
        if next(begun) >= number:
            path = Path(self.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"half a pic")
            raise OSError(error, os.strerror(error))
        return save(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", full)


def _files(settings) -> list[Path]:
    return [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_a_model_that_cannot_be_loaded_fails_the_job_in_plain_words(make_job, alice, checkpoint, tmp_path, told):
    checkpoint.source = str(tmp_path / "nothing-here")
    checkpoint.save()
    before = left_today(alice)
    job = make_job(alice)
    run_next()
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert checkpoint.name in job.reason
    assert "nothing-here" not in job.reason  # where it lies on the worker is for administrators
    assert "nothing-here" in job.trace
    assert left_today(alice) == before
    assert (told[-1]["type"], told[-1]["reason"]) == ("job.failed", job.reason)


def test_a_full_disk_is_tried_again_and_said(make_job, alice, settings, monkeypatch, told):
    job = make_job(alice, count=2)
    with monkeypatch.context() as patched:
        _full_at(patched, 2)
        run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts, job.retries) == (State.QUEUED, 0, 1)
    assert job.reason == "The disk was full. It will be tried again (attempt 2 of 4)."
    assert (told[-1]["type"], told[-1]["reason"]) == ("job.queued", job.reason)
    assert "No space left" in job.trace
    assert not _files(settings)
    assert queue.claim(worker="test") is None
    Job.objects.update(not_before=timezone.now())
    run_next()
    job.refresh_from_db()
    assert (job.state, job.reason, Media.objects.count()) == (State.DONE, "", 2)


def test_a_disk_that_stays_full_fails_the_job_and_leaves_no_file(make_job, alice, settings, monkeypatch, told):
    settings.JOB_RETRY_SECONDS = [0, 0]
    tail.start()
    before = left_today(alice)
    _full_at(monkeypatch, 2)
    job = make_job(alice, count=2)
    for _attempt in range(3):
        run_next()
    job.refresh_from_db()
    assert (job.state, job.retries, job.quarantined) == (State.FAILED, 3, False)
    assert job.reason == "The disk was full. It was tried 3 times."
    assert f"job {job.pk} stopped" in job.log
    assert not _files(settings)
    assert left_today(alice) == before
    assert (told[-1]["type"], told[-1]["reason"]) == ("job.failed", job.reason)


def test_out_of_memory_is_tried_once_more_with_nothing_else_loaded(make_job, alice, monkeypatch, settings):
    settings.JOB_RETRY_SECONDS = [0, 0, 0]

    def too_much(*_args):
        raise MemoryError

    monkeypatch.setattr(runner, "generate", too_much)
    job = make_job(alice)
    runner.warm(Checkpoint.objects.get())
    run_next()
    assert runner.loaded() == []
    run_next()
    job.refresh_from_db()
    assert (job.state, job.retries) == (State.FAILED, 2)
    assert job.reason == "The worker ran out of memory. It was tried 2 times. Ask for fewer or smaller pictures."


def test_a_database_that_goes_away_before_the_last_write_costs_nothing(make_job, alice, monkeypatch, told):
    keep, calls = gallery.keep_drafts, []

    def away_at_first(**arguments):
        calls.append(arguments)
        if len(calls) == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return keep(**arguments)

    monkeypatch.setattr(gallery, "keep_drafts", away_at_first)
    job = make_job(alice)
    run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts, len(calls), Media.objects.count()) == (State.DONE, 0, 2, 1)
    assert told[-1]["type"] == "job.done"


def test_a_commit_whose_answer_was_lost_is_not_made_twice(make_job, alice, monkeypatch, told, settings):
    keep = gallery.keep_drafts

    def kept_but_not_told(**arguments):
        keep(**arguments)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(gallery, "keep_drafts", kept_but_not_told)
    job = make_job(alice)
    run_next()
    job.refresh_from_db()
    media = Media.objects.get()
    assert (job.state, media.job) == (State.DONE, job.pk)
    assert media.file.storage.exists(media.file.name)
    assert (told[-1]["type"], told[-1]["media"]) == ("job.done", [str(media.pk)])


def test_rows_of_pictures_and_done_are_one_transaction(make_job, alice, monkeypatch, settings):
    """A crash in between leaves neither; the replay makes both."""
    job = make_job(alice)
    claimed = queue.claim(worker="test")
    move = Job.move

    class Crash(BaseException):
        pass

    def crash(self, to, **fields):
        move(self, to, **fields)
        assert Media.objects.filter(job=job.pk).exists()
        raise Crash

    with monkeypatch.context() as patched:
        patched.setattr(Job, "move", crash)
        with pytest.raises(Crash):
            runner.run(Progress(claimed))
    job.refresh_from_db()
    assert (job.state, Media.objects.count()) == (State.RUNNING, 0)
    Job.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))
    upkeep.recover_lost(wait=0)
    run_next()
    job.refresh_from_db()
    assert (job.state, Media.objects.filter(job=job.pk).count()) == (State.DONE, 1)


def test_a_job_that_takes_its_workers_down_is_quarantined(make_job, alice, told):
    before = left_today(alice)
    tail.start()
    job = make_job(alice)
    for attempt in range(1, 4):
        own = worker.Worker(f"victim {attempt}")
        own._running = [Progress(queue.claim(worker=own.name))]
        own.beat()
        Job.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))
        upkeep.recover_lost(wait=0)
        job.refresh_from_db()
        if attempt < 3:
            assert job.state == State.QUEUED
            assert (
                job.reason
                == f"The worker victim {attempt} was lost. It will be tried again (attempt {attempt + 1} of 3)."
            )
    assert (job.state, job.attempts, job.quarantined) == (State.FAILED, 3, True)
    assert "stopped 3 times" in job.reason
    assert f"job {job.pk} went from queued to running" in job.log
    assert job.log.endswith("the worker victim 3 was lost")
    assert left_today(alice) == before
    assert [line["worker"] for line in job.history if line["to"] == "queued"] == ["victim 1", "victim 2"]
    assert queue.claim(worker="test") is None


def test_a_lease_that_ran_out_while_the_database_was_away_may_still_be_renewed(make_job, alice, settings):
    job = make_job(alice)
    claimed = queue.claim(worker="test")
    Job.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))
    assert not upkeep.recover_lost()
    assert queue.renew(lease=claimed.lease) == queue.Wish.GO_ON
    settings.JOB_HEARTBEAT_SECONDS = 0
    assert not upkeep.recover_lost()
    Job.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))
    assert upkeep.recover_lost()
    job.refresh_from_db()
    assert job.state == State.QUEUED
