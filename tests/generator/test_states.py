"""The state machine of a job: every arrow that exists, and none that does not."""

import itertools
import uuid

import pytest

from generator.models import Job, State
from generator.models.job import ARROWS


@pytest.mark.parametrize(("start", "end"), [*itertools.product(State, State)])
def test_only_the_arrows_of_the_table_can_be_taken(start, end, make_job, alice):
    job = make_job(alice)
    Job.objects.filter(pk=job.pk).update(state=start)
    job.refresh_from_db()
    if end in ARROWS[start]:
        assert job.move(end)
        assert Job.objects.get(pk=job.pk).state == end
    else:
        with pytest.raises(ValueError, match="cannot go from"):
            job.move(end)
        assert Job.objects.get(pk=job.pk).state == start


def test_the_slower_of_two_that_want_to_move_a_job_changes_nothing(make_job, alice):
    job = make_job(alice)
    stale = Job.objects.get(pk=job.pk)
    assert job.move(State.CANCELLED)
    assert not stale.move(State.RUNNING, lease=uuid.uuid4())
    assert Job.objects.get(pk=job.pk).state == State.CANCELLED


def test_a_worker_without_the_lease_writes_nothing(make_job, alice):
    job = make_job(alice)
    job.move(State.RUNNING, lease=uuid.uuid4())
    assert not job.move(State.DONE, was_lease=uuid.uuid4())
    assert Job.objects.get(pk=job.pk).state == State.RUNNING
    assert job.move(State.DONE, was_lease=job.lease)


def test_leaving_running_ends_the_lease_and_every_move_counts(make_job, alice):
    job = make_job(alice)
    version = job.version
    job.move(State.RUNNING, lease=uuid.uuid4())
    job.move(State.QUEUED, was_lease=job.lease)
    assert (job.lease, job.lease_expires, job.version) == (None, None, version + 2)
