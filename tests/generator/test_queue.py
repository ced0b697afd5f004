"""Which job next: fair between accounts, in order within one, never the same job twice."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Team
from generator import queue
from generator.models import Job, QueueAccount, State


def _claim() -> Job:
    job = queue.claim(worker="test")
    assert job is not None
    return job


def test_nothing_to_claim(db):
    assert queue.claim(worker="test") is None


def test_a_claim_gives_a_lease_and_names_the_worker(make_job, alice):
    asked = make_job(alice)
    job = _claim()
    assert job.pk == asked.pk
    assert (job.state, job.worker) == (State.RUNNING, "test")
    assert job.lease is not None
    assert job.lease_expires > timezone.now()
    assert queue.claim(worker="test") is None


def test_a_claim_asks_little_however_many_wait(make_job, alice, bob, django_assert_max_num_queries):
    for _n in range(10):
        make_job(alice)
        make_job(bob)
    with django_assert_max_num_queries(8 if connection.vendor == "postgresql" else 10):  # there several in one
        _claim()


def test_an_account_is_served_in_its_own_order(make_job, alice):
    asked = [make_job(alice, prompt=f"picture {n}").pk for n in range(4)]
    assert [_claim().pk for _n in range(4)] == asked


def test_one_picture_does_not_wait_behind_anothers_hundred(make_job, alice, bob):
    many = [make_job(alice, count=8, steps=50) for _n in range(20)]
    assert _claim().pk == many[0].pk
    single = make_job(bob, count=1)
    assert _claim().pk == single.pk


def test_accounts_get_equal_shares_of_cost_not_of_jobs(make_job, alice, bob):
    for _n in range(12):
        make_job(alice, count=8)
    for _n in range(96):
        make_job(bob, count=1)
    served = {alice.pk: 0.0, bob.pk: 0.0}
    for _n in range(50):
        job = _claim()
        served[job.owner_id] += job.cost
        job.move(State.DONE, was_lease=job.lease)
    assert served[alice.pk] == pytest.approx(served[bob.pk], rel=0.2)


def test_one_who_returns_gets_no_credit_for_the_rest(make_job, alice, bob):
    for _n in range(12):
        make_job(alice)
    for _n in range(10):
        _claim()
    for _n in range(3):
        make_job(bob)
    assert [_claim().owner_id for _n in range(3)] == [bob.pk, alice.pk, bob.pk]


def test_a_job_of_a_lost_worker_goes_back_and_is_failed_in_the_end(make_job, alice, settings):
    make_job(alice)
    for attempt in range(1, settings.JOB_MAX_ATTEMPTS + 1):
        job = _claim()
        assert queue.recover() == []
        Job.objects.filter(pk=job.pk).update(lease_expires=timezone.now() - timedelta(seconds=1))
        (recovered,) = queue.recover()
        assert recovered.attempts == attempt
    assert recovered.state == State.FAILED
    assert "3 times" in recovered.reason
    assert queue.claim(worker="test") is None


def test_a_lost_job_that_was_to_be_cancelled_is_cancelled(make_job, alice):
    make_job(alice)
    job = _claim()
    Job.objects.filter(pk=job.pk).update(cancel_requested=True, lease_expires=timezone.now() - timedelta(seconds=1))
    (recovered,) = queue.recover()
    assert recovered.state == State.CANCELLED


def test_a_renewed_lease_is_not_recovered_and_a_lost_one_is_not_renewed(make_job, alice):
    make_job(alice)
    job = _claim()
    Job.objects.filter(pk=job.pk).update(lease_expires=timezone.now() - timedelta(seconds=1))
    assert queue.renew(lease=job.lease) == queue.Wish.GO_ON
    assert queue.recover() == []
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    assert queue.renew(lease=job.lease) == queue.Wish.CANCEL
    job.move(State.QUEUED, was_lease=job.lease)
    _claim()
    Job.objects.filter(pk=job.pk).update(lease_expires=timezone.now() - timedelta(seconds=1))
    old = job.lease
    assert old is None or queue.renew(lease=old) is None


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_never_claim_the_same_job(make_job, alice, bob):
    asked = {make_job(person).pk for person in (alice, bob) for _n in range(15)}
    claimed: list[Job] = []
    errors: list[Exception] = []

    def work(name: str) -> None:
        try:
            while Job.objects.filter(state=State.QUEUED).exists():
                if job := queue.claim(worker=name):
                    claimed.append(job)
        except Exception as error:  # shown below: a thread's own exception would be lost
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(claimed) == len(asked)
    assert {job.pk for job in claimed} == asked
    assert len({job.lease for job in claimed}) == len(asked)


def test_teams_of_one_person_have_accounts_of_their_own(make_job, alice):
    personal = Team.objects.get(personal_of=alice)
    make_job(alice)
    make_job(alice, team=personal)
    assert QueueAccount.objects.filter(user=alice).count() == 2
