"""Several people's jobs in one call of the engine: each keeps its own end, and fairness does not change."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from gallery.models import Media
from generator import company, queue, runner, services, worker
from generator.diffusion.spec import Apart
from generator.models import Job, QueueAccount, State
from generator.models import Worker as WorkerRow
from generator.progress import Progress

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, scope="module")
def _models_root(tmp_path_factory, django_db_setup):
    from django.conf import settings

    settings.MODELS_ROOT = tmp_path_factory.mktemp("models")


@pytest.fixture(autouse=True)
def room(monkeypatch) -> company.Room:
    """As if eight had been measured to be worth it."""
    mine = company.Room()
    monkeypatch.setattr(mine, "pictures", lambda _kind: 8)
    monkeypatch.setattr(runner, "room", mine)
    return mine


def _claim() -> list[Job]:
    job = queue.claim(worker="test")
    assert job is not None
    return runner.gather(job, worker="test")


def _run(jobs: list[Job]) -> list[Progress]:
    several = [Progress(job) for job in jobs]
    assert runner.run_together(several)
    return several


def _states() -> dict:
    return dict(Job.objects.values_list("pk", "state"))


def test_jobs_of_several_people_are_made_in_one_call(make_job, alice, bob, monkeypatch):
    asked = [
        make_job(who, prompt=prompt, count=1, seed=n)
        for n, (who, prompt) in enumerate([(alice, "a red apple"), (bob, "a blue boat"), (bob, "a cat")])
    ]
    monkeypatch.setattr(runner, "generate", None)  # no call of its own for anybody
    jobs = _claim()
    assert {job.pk for job in jobs} == {job.pk for job in asked}
    assert set(Job.objects.values_list("company", flat=True)) == {3}
    assert len({job.lease for job in jobs}) == 3
    _run(jobs)
    assert set(_states().values()) == {State.DONE}
    made = {picture.prompt: (picture.seed, picture.owner) for picture in Media.objects.all()}
    assert made == {"a red apple": (0, alice), "a blue boat": (1, bob), "a cat": (2, bob)}


@pytest.mark.parametrize("change", [{"steps": 7}, {"guidance": 2.5}, {"format": "story"}, {"negative_prompt": "rain"}])
def test_what_needs_another_call_is_not_taken_along(make_job, alice, bob, change):
    make_job(alice, count=1)
    make_job(bob, count=1, **change)
    assert len(_claim()) == 1


def test_only_as_many_pictures_as_there_is_room_for(make_job, alice, bob):
    make_job(alice, count=4)
    make_job(bob, count=2)
    make_job(bob, count=4)
    make_job(bob, count=2)
    assert sum(job.generation.count for job in _claim()) == 8


def test_nobody_is_taken_along_while_another_worker_has_nothing_to_do(make_job, alice, bob):
    WorkerRow.objects.create(name="test")
    idle = WorkerRow.objects.create(name="idle")
    make_job(alice, count=1)
    make_job(bob, count=1)
    job = queue.claim(worker="test")
    assert len(runner.gather(job, worker="test")) == 1
    idle.delete()
    assert len(runner.gather(job, worker="test")) == 2


def test_everybody_pays_their_own_cost(make_job, alice, bob):
    one, two = make_job(alice, count=1), make_job(bob, count=4)
    assert len(_claim()) == 2
    paid = dict(QueueAccount.objects.values_list("user", "virtual_time"))
    assert paid == {alice.pk: pytest.approx(one.cost), bob.pk: pytest.approx(two.cost)}


def test_a_job_in_turn_is_passed_over_within_the_bound_only(make_job, alice, bob, settings):
    settings.QUEUE_AFFINITY_CLAIMS = 2
    make_job(alice, count=1)
    waits = make_job(bob, count=1, steps=7)
    for _n in range(4):
        make_job(alice, count=1)
    assert len(_claim()) == 3  # two followers passed bob's
    waits.refresh_from_db()
    assert (waits.state, waits.passed) == (State.QUEUED, 2)
    assert queue.claim(worker="test").pk == waits.pk


def test_a_cancelled_one_is_cancelled_at_once_and_the_others_go_on(make_job, alice, bob, monkeypatch):
    gone, kept = make_job(alice, count=1, steps=6), make_job(bob, count=1, steps=6)
    on_step, seen = Progress.on_step, {}

    def cancel_at_two(self, step):
        if step.index == 2 and self.job.pk == gone.pk:
            services.cancel_job(user=alice, job=Job.objects.get(pk=gone.pk))
        if step.index == 4 and self.job.pk == kept.pk:
            seen.update(_states())
        on_step(self, step)

    monkeypatch.setattr(Progress, "on_step", cancel_at_two)
    _run(_claim())
    assert seen == {gone.pk: State.CANCELLED, kept.pk: State.RUNNING}
    assert _states() == {gone.pk: State.CANCELLED, kept.pk: State.DONE}
    assert [picture.owner for picture in Media.objects.all()] == [bob]


def test_after_a_crash_each_is_tried_alone_and_only_that_counts(make_job, alice, bob):
    make_job(alice, count=1)
    make_job(bob, count=1)
    assert len(_claim()) == 2
    Job.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))
    assert len(queue.recover()) == 2
    assert {(job.state, job.attempts, job.company) for job in Job.objects.all()} == {(State.QUEUED, 0, queue.ALONE)}
    [alone] = _claim()
    Job.objects.filter(pk=alone.pk).update(lease_expires=timezone.now() - timedelta(seconds=1))
    queue.recover()
    alone.refresh_from_db()
    assert (alone.state, alone.attempts) == (State.QUEUED, 1)


@pytest.mark.parametrize("trouble", [Apart("too much"), RuntimeError("broken")])
def test_what_cannot_be_made_together_is_made_alone(make_job, alice, bob, monkeypatch, trouble):
    make_job(alice, count=1)
    make_job(bob, count=1)

    def fail(*_args):
        raise trouble

    monkeypatch.setattr(runner, "generate_together", fail)
    _run(_claim())
    assert {(job.state, job.attempts, job.retries) for job in Job.objects.all()} == {(State.QUEUED, 0, 0)}
    for _n in range(2):
        jobs = _claim()
        assert len(jobs) == 1
        _run(jobs)
    assert set(_states().values()) == {State.DONE}


def test_one_that_lost_its_lease_writes_nothing_and_the_others_are_done(make_job, alice, bob):
    lost, kept = make_job(alice, count=1), make_job(bob, count=1)
    jobs = _claim()
    Job.objects.filter(pk=lost.pk).update(lease=uuid4())
    _run(jobs)
    assert _states() == {lost.pk: State.RUNNING, kept.pk: State.DONE}
    assert [picture.owner for picture in Media.objects.all()] == [bob]


def test_the_pulse_keeps_every_lease(make_job, alice, bob):
    make_job(alice, count=1)
    make_job(bob, count=1)
    own = worker.Worker("test")
    own._running = [Progress(job) for job in _claim()]
    Job.objects.update(lease_expires=timezone.now())
    own.beat()
    assert min(Job.objects.values_list("lease_expires", flat=True)) > timezone.now()
