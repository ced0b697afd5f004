"""Batches: all or none, one charge, and what is done to all of their jobs together."""

import pytest
from django.core.exceptions import PermissionDenied

from accounts.services import left_today
from generator import services
from generator.models import Batch, Generation, Job, QueueLane, State


def states(batch: Batch) -> list[str]:
    return [job.state for job in batch.jobs.filter(hidden=False).order_by("position")]


def test_all_of_it_waits_in_the_order_of_its_rows(make_batch, bob):
    before = left_today(bob)
    batch = make_batch(bob, prompts=500, count=1)
    jobs = batch.jobs.order_by("position").select_related("generation")
    assert [job.generation.prompt for job in jobs] == [f"a shoe {n}" for n in range(500)]
    assert {(job.urgency, job.state, job.account_id) for job in jobs} == {(1, State.QUEUED, jobs[0].account_id)}
    assert jobs[0].account.queue_team.queue_class_id == Job.Urgency.BATCH
    assert left_today(bob) == before - 500
    assert sum(QueueLane.objects.values_list("waiting", flat=True)) == 500


def test_what_the_quota_does_not_allow_leaves_nothing_behind(make_batch, bob):
    bob.pictures_per_day = 2
    bob.save()
    with pytest.raises(services.Refused, match="2"):
        make_batch(bob, prompts=3)
    assert not Batch.objects.exists()
    assert not Job.objects.exists()
    assert not Generation.objects.exists()
    assert left_today(bob) == 2


def test_who_only_looks_makes_none(make_batch, victor):
    with pytest.raises(PermissionDenied):
        make_batch(victor)
    assert not Batch.objects.exists()


def test_an_estimate_counts_pictures_and_gives_a_range(checkpoint, bob, make_job, alice):
    from generator.models import Worker

    wanted = [services.prepare(checkpoint=checkpoint, prompt="a", count=2, steps=10) for _n in range(3)]
    alone = services.estimate_batch(user=bob, generations=wanted)
    assert (alone.prompts, alone.pictures, alone.time) == (3, 6, None)
    Worker.objects.create(name="one")
    make_job(alice)
    known = services.estimate_batch(user=bob, generations=wanted)
    shortest, longest = known.time
    assert 0 < shortest < longest
    assert known.is_affordable


def test_cancel_stops_what_waits_and_asks_what_runs_and_gives_back(make_batch, alice, bob):
    before = left_today(bob)
    batch = make_batch(bob, prompts=4)
    running, done, *_rest = batch.jobs.order_by("position")
    for job in (running, done):
        job.move(State.RUNNING, worker="one")
    done.move(State.DONE)
    services.cancel_batch(user=alice, batch=batch)
    assert states(batch) == ["running", "done", "cancelled", "cancelled"]
    running.refresh_from_db()
    assert running.cancel_requested
    assert left_today(bob) == before - 2


def test_pause_and_resume(make_batch, bob):
    batch = make_batch(bob)
    services.pause_batch(user=bob, batch=batch)
    assert states(batch) == ["paused"] * 3
    services.resume_batch(user=bob, batch=batch)
    assert states(batch) == ["queued"] * 3
    for job in batch.jobs.all():
        assert [line["to"] for line in job.history] == ["paused", "queued"]
        assert job.version == 2
    assert sum(QueueLane.objects.values_list("waiting", flat=True)) == 3


def test_retry_makes_the_failed_ones_anew_and_only_them(make_batch, bob):
    batch = make_batch(bob)
    for job in batch.jobs.order_by("position")[:2]:
        job.move(State.FAILED, reason="No.")
    assert services.retry_failed(user=bob, batch=batch) == 2
    assert sorted(states(batch)) == ["queued"] * 3
    kept = batch.jobs.filter(hidden=True)
    assert [job.reason for job in kept] == ["No.", "No."]
    prompts = sorted(batch.jobs.filter(hidden=False).values_list("generation__prompt", flat=True))
    assert prompts == ["a shoe 0", "a shoe 1", "a shoe 2"]
    assert Generation.objects.count() == 5
    assert services.retry_failed(user=bob, batch=batch) == 0


@pytest.mark.parametrize("act", [services.cancel_batch, services.pause_batch, services.resume_batch])
def test_strangers_and_lookers_change_nothing(act, make_batch, bob, victor, charlie):
    batch = make_batch(bob)
    for user in (victor, charlie):
        with pytest.raises(PermissionDenied):
            act(user=user, batch=batch)
    assert states(batch) == ["queued"] * 3


def test_who_sees_and_changes_it_is_as_for_its_jobs(make_batch, alice, bob, victor, charlie):
    open_one, private = make_batch(bob), make_batch(bob, visibility="private")
    seen = {user.name: set(Batch.objects.visible_to(user)) for user in (alice, bob, victor, charlie)}
    assert seen == {"Alice": {open_one}, "Bob": {open_one, private}, "Victor": {open_one}, "Charlie": set()}
    changed = {user.name: set(Batch.objects.changeable_by(user)) for user in (alice, bob, victor, charlie)}
    assert changed == {"Alice": {open_one}, "Bob": {open_one, private}, "Victor": set(), "Charlie": set()}


def test_only_what_has_ended_is_put_away_and_by_its_owner(make_batch, alice, bob):
    batch = make_batch(bob)
    with pytest.raises(services.Refused):
        services.hide_batch(user=bob, batch=batch)
    services.cancel_batch(user=bob, batch=batch)
    with pytest.raises(PermissionDenied):
        services.hide_batch(user=alice, batch=batch)
    services.hide_batch(user=bob, batch=batch)
    batch.refresh_from_db()
    assert batch.hidden


def test_a_row_of_many_pictures_is_as_many_jobs_as_it_takes_and_its_seeds_go_on(checkpoint):
    made = services.prepare_row(checkpoint=checkpoint, prompt="a scan", title="scan", count=20, seed=7)
    assert [(one.count, one.seed) for one in made] == [(8, 7), (8, 15), (4, 23)]
    assert {(one.prompt, one.title) for one in made} == {("a scan", "scan")}
    drawn = services.prepare_row(checkpoint=checkpoint, prompt="a scan", count=20)
    assert [one.seed - drawn[0].seed for one in drawn] == [0, 8, 16]
    assert len(services.prepare_row(checkpoint=checkpoint, prompt="a scan", count=8)) == 1


def test_more_jobs_than_a_batch_takes_are_refused(checkpoint):
    one = services.prepare(checkpoint=checkpoint, prompt="a scan", count=8)
    services.check_size([one] * 500)
    with pytest.raises(services.Refused, match="501"):
        services.check_size([one] * 501)
