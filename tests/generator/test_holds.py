"""What is held, paused, limited or out of a worker's reach is not claimed, and says why."""

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied

from accounts import roles
from accounts.models import User
from generator import queue, services
from generator.models import Hold, Job, State, Worker


@pytest.fixture
def operator(bob) -> User:
    """Somebody who may run the queue without being anything in the team."""
    bob.user_permissions.add(Permission.objects.get(codename="change_hold"))
    return User.objects.get(pk=bob.pk)


def test_nothing_starts_while_everything_is_held(make_job, alice, operator):
    job = make_job(alice)
    hold = services.hold_everything(user=operator, reason="New cards.", drain=True)
    assert queue.claim(worker="w") is None
    assert [one.pk for one in queue.holds_on(job)] == [hold.pk]
    assert "updated" in hold.explain()
    assert hold.explain().endswith("New cards.")
    assert queue.is_drained()
    services.release(user=operator, hold=hold)
    assert queue.claim(worker="w").pk == job.pk
    assert not queue.is_drained()


def test_a_held_team_or_person_leaves_room_for_the_others(make_job, alice, bob):
    of_alice, of_bob = make_job(alice), make_job(bob)
    hold = services.hold_person(user=alice, team=of_bob.team, person=bob)
    assert queue.claim(worker="w").pk == of_alice.pk
    assert queue.claim(worker="w") is None
    services.release(user=alice, hold=hold)
    team_hold = services.hold_team(user=alice, team=of_bob.team)
    assert queue.claim(worker="w") is None
    services.release(user=alice, hold=team_hold)
    assert queue.claim(worker="w").pk == of_bob.pk


def test_who_may_hold_what(make_job, studio, alice, bob, charlie):
    for user, act in (
        (bob, lambda: services.hold_team(user=bob, team=studio)),
        (bob, lambda: services.hold_person(user=bob, team=studio, person=alice)),
        (charlie, lambda: services.hold_person(user=charlie, team=studio, person=charlie)),
        (alice, lambda: services.hold_everything(user=alice)),
        (alice, lambda: services.hold_worker(user=alice, worker=Worker(name="w"))),
    ):
        with pytest.raises(PermissionDenied):
            act()
        assert not Hold.objects.exists(), user
    own = services.hold_person(user=bob, team=studio, person=bob)
    services.release(user=bob, hold=own)
    set_by_alice = services.hold_person(user=alice, team=studio, person=bob)
    with pytest.raises(PermissionDenied):
        services.release(user=bob, hold=set_by_alice)


def test_a_held_worker_takes_nothing(make_job, alice, operator):
    make_job(alice)
    hold = services.hold_worker(user=operator, worker=Worker.objects.create(name="w"))
    assert queue.claim(worker="w") is None
    services.release(user=operator, hold=hold)
    assert queue.claim(worker="w") is not None


def test_a_job_goes_only_where_it_can_run(make_job, alice):
    job = make_job(alice)
    Job.objects.filter(pk=job.pk).update(memory=24_000)
    queue.audit()
    job.refresh_from_db()
    assert queue.capable_workers(job) == []
    for name, facts in (
        ("train", {"kinds": ["train"]}),
        ("other", {"families": ["other"]}),
        ("small", {"memory": 8_000}),
    ):
        worker = Worker.objects.create(name=name, **facts)
        assert queue.claim(worker=name) is None
        assert worker not in queue.capable_workers(job)
    large = Worker.objects.create(name="large", kinds=["image"], families=[job.family], memory=80_000)
    assert queue.capable_workers(job) == [large]
    assert queue.claim(worker="large").pk == job.pk


def test_a_role_limits_what_waits_and_what_runs(make_job, studio, bob, monkeypatch):
    monkeypatch.setitem(roles.LIMITS, roles.Role.CREATOR, roles.Limits(queued=3, running=2))
    for _n in range(3):
        make_job(bob)
    with pytest.raises(services.Refused, match="as your role allows"):
        make_job(bob)
    first = queue.claim(worker="w")
    assert queue.claim(worker="w") is not None
    assert queue.claim(worker="w") is None
    first.move(State.DONE, was_lease=first.lease)
    assert queue.claim(worker="w") is not None


def test_what_was_not_served_is_given_back(make_job, alice, bob):
    for person in (alice, bob, alice, bob):
        make_job(person)
    job = queue.claim(worker="w")
    job.move(State.CANCELLED, was_lease=job.lease)
    assert job.charged == 0.0
    assert [queue.claim(worker="w").owner_id for _n in range(3)] == [alice.pk, bob.pk, bob.pk]


def test_a_paused_job_keeps_its_place(make_job, alice, bob, victor):
    first, second = make_job(alice), make_job(alice)
    with pytest.raises(PermissionDenied):
        services.pause_job(user=bob, job=first)
    assert services.pause_job(user=alice, job=first).state == State.PAUSED
    assert queue.waiting().count() == 1
    assert services.resume_job(user=alice, job=first).state == State.QUEUED
    assert [queue.claim(worker="w").pk for _n in range(2)] == [first.pk, second.pk]
    services.pause_job(user=alice, job=first)
    assert queue.renew(lease=Job.objects.get(pk=first.pk).lease) == queue.Wish.PAUSE


def test_the_audit_corrects_what_was_changed_past_the_models(make_job, alice):
    jobs = [make_job(alice) for _n in range(3)]
    assert queue.audit() == 0
    Job.objects.filter(pk=jobs[0].pk).update(state=State.DONE)
    Job.objects.filter(pk=jobs[1].pk).update(loads="another")
    assert queue.audit() == 2
    assert queue.audit() == 0
