"""A training as workers do it: in slices that give way, come back exactly after a kill, and end in points to choose."""

import json
import threading
from datetime import timedelta

import pytest
import torch
from django.utils import timezone
from safetensors.torch import load_file

from accounts.models import Delivery, Webhook
from accounts.services import left_today
from generator import events, queue, runner, teaching, upkeep
from generator.diffusion import pipelines
from generator.diffusion.train import finetune
from generator.models import Job, State, Training
from generator.progress import Progress
from generator.services import trainings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, scope="module")
def _leave_nothing_warm():
    """Other tests count what a worker has loaded."""
    yield
    pipelines.unload()


@pytest.fixture
def told(monkeypatch) -> list[dict]:
    """Every event that would have gone out to those who watch a job."""
    sent: list[dict] = []
    monkeypatch.setattr(events, "publish", lambda groups, event: sent.append(event))
    return sent


def run_next(stopping: threading.Event | None = None) -> Job:
    job = queue.claim(worker="test")
    assert job is not None
    runner.run_together([Progress(one, stopping) for one in runner.gather(job, worker="test")])
    job.refresh_from_db()
    return job


def run_to_end(training: Training) -> int:
    """How many slices it took."""
    slices = 0
    while queue.waiting().exists():
        run_next()
        slices += 1
        assert slices < 100
    training.refresh_from_db()
    return slices


def learned(training: Training) -> dict[str, torch.Tensor]:
    [last] = sorted((training.run / "points").glob("step-*"))[-1:]
    return load_file(next(last.glob("*.safetensors")))


def test_a_training_runs_to_its_end_with_points_and_losses(ready, alice, told):
    training = trainings.start_training(user=alice, training=ready(alice))
    assert training.job.urgency == Job.Urgency.TRAINING
    assert run_to_end(training) == 1
    job = training.job
    assert (job.state, job.reason, job.trace) == (State.DONE, "", "")
    assert (training.step, training.steps) == (8, 8)  # two class pictures, six steps
    assert [point["step"] for point in training.points] == [0, 3, 6]
    assert training.proposed in (3, 6)
    assert {"validation", "likeness", "nearest", "drift", "samples", "is_overfitted"} <= training.points[1].keys()
    assert training.base_hash == "abc123"
    assert training.step_seconds > 0
    assert training.pictures.filter(learned=None).count() == 0
    losses = [event["loss"] for event in told if "loss" in event]
    assert len(losses) >= 1
    assert all(loss > 0 for loss in losses)
    assert told[-1]["type"] == "job.done" or any(event["type"] == "job.done" for event in told)


@pytest.mark.parametrize("method", ["lora", "embedding"])  # with class pictures, and without
def test_how_far_it_is_is_written_down_while_it_prepares(ready, alice, monkeypatch, method):
    monkeypatch.setattr(teaching, "TOLD_EVERY", 0.0)
    written, on_step = [], teaching.Lesson.on_step

    def look(self, step):
        on_step(self, step)
        written.append(Training.objects.get(pk=self.training.pk).step)

    monkeypatch.setattr(teaching.Lesson, "on_step", look)
    training = trainings.start_training(user=alice, training=ready(alice, method=method))
    run_to_end(training)
    assert training.job.state == State.DONE
    assert (written[0], written[-1]) == (0, training.steps)
    assert written == sorted(written)


def test_many_slices_and_a_kill_are_one_undisturbed_run(ready, alice, settings, monkeypatch):
    calm = trainings.start_training(user=alice, training=ready(alice))
    run_to_end(calm)
    settings.TRAINING_SLICE_SECONDS = 1e-6
    cut = trainings.start_training(user=alice, training=ready(alice))

    class Kill(BaseException):
        pass

    on_step, steps = teaching.Lesson.on_step, []

    def killed(self, step):
        on_step(self, step)
        steps.append(step.index)
        if len(steps) in (5, 9, 12):
            raise Kill

    monkeypatch.setattr(teaching.Lesson, "on_step", killed)
    attempts = kills = 0
    while queue.waiting().exists():
        attempts += 1
        assert attempts < 100
        try:
            run_next()
        except Kill:
            kills += 1
            Job.objects.filter(pk=cut.job_id).update(lease_expires=timezone.now() - timedelta(seconds=1))
            upkeep.recover_lost(wait=0)
    cut.refresh_from_db()
    cut.job.refresh_from_db()
    assert (cut.job.state, cut.job.reason, kills) == (State.DONE, "", 3)
    assert attempts > 6
    assert cut.job.attempts == 3  # a yield is none, and what gets on is not quarantined
    mine, theirs = learned(calm), learned(cut)
    assert mine.keys() == theirs.keys()
    for name, tensor in mine.items():
        torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=1e-5)


def test_a_training_that_gets_nowhere_is_quarantined_all_the_same(ready, alice):
    training = trainings.start_training(user=alice, training=ready(alice))
    for _attempt in range(3):
        assert queue.claim(worker="victim") is not None
        Job.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))
        upkeep.recover_lost(wait=0)
    training.job.refresh_from_db()
    assert (training.job.state, training.job.quarantined) == (State.FAILED, True)
    assert left_today(alice) == 500


def test_it_gives_way_to_whoever_waits_for_pictures(ready, make_job, alice, bob, settings, monkeypatch):
    settings.TRAINING_LEAST_SECONDS = 0.0
    monkeypatch.setattr(teaching, "ASKED_EVERY", 0.0)
    training = trainings.start_training(user=alice, training=ready(alice))
    job = queue.claim(worker="test")
    assert job.pk == training.job_id
    picture = make_job(bob, steps=2)
    runner.run(Progress(job))
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.QUEUED, 0)
    assert queue.claim(worker="test").pk == picture.pk
    assert queue.claim(worker="test").pk == training.job_id


def test_its_end_is_told_to_webhooks(ready, alice, studio):
    Webhook.objects.create(team=studio, url="https://1.1.1.1/hook", events=["training.done"])
    training = trainings.start_training(user=alice, training=ready(alice))
    run_to_end(training)
    [delivery] = Delivery.objects.all()
    told = json.loads(delivery.body)
    assert (delivery.type, told["data"]["training"]) == (
        "training.done",
        {"id": str(training.pk), "name": "Our bottle"},
    )


def test_what_a_slice_took_is_what_its_team_pays(ready, alice, settings):
    settings.TRAINING_SLICE_SECONDS = 1e-6
    training = trainings.start_training(user=alice, training=ready(alice))
    Job.objects.update(cost=50.0)
    job = queue.claim(worker="test")
    runner.run(Progress(job))
    job.refresh_from_db()
    assert 0 < job.charged < 50
    assert training.job_id == job.pk


def test_pause_resume_stop_and_go_on(ready, alice, told):
    training = trainings.start_training(user=alice, training=ready(alice))
    progress = Progress(queue.claim(worker="test"))
    trainings.pause_training(user=alice, training=training)
    runner.run(progress)
    training.job.refresh_from_db()
    assert training.job.state == State.PAUSED
    assert queue.claim(worker="test") is None
    trainings.resume_training(user=alice, training=training)
    progress = Progress(queue.claim(worker="test"))
    on_step = progress.on_training_step

    def stop_in_the_middle(step, **more):
        if step.index == 6:  # a point was kept at the fifth: the third step behind two class pictures
            trainings.stop_training(user=alice, training=training)
        on_step(step, **more)

    progress.on_training_step = stop_in_the_middle
    runner.run(progress)
    training = Training.objects.get(pk=training.pk)
    assert training.job.state == State.CANCELLED
    assert [point["step"] for point in training.points] == [0, 3]
    drawn = 6 + 2  # two of the samples and two others at each of three points, and the class pictures
    assert left_today(alice) == 500 - drawn + training.pictures_left
    stopped = training.job_id
    training = trainings.start_training(user=alice, training=training)
    assert training.job_id != stopped
    run_to_end(training)
    assert [point["step"] for point in training.points] == [0, 3, 6]
    assert left_today(alice) >= 500 - drawn - 1


def test_a_worker_that_stops_puts_it_back(ready, alice):
    training = trainings.start_training(user=alice, training=ready(alice))
    stopping = threading.Event()
    stopping.set()
    job = run_next(stopping)
    assert (job.pk, job.state, job.attempts) == (training.job_id, State.QUEUED, 0)


def test_a_lost_lease_writes_nothing(ready, alice, settings, monkeypatch):
    settings.TRAINING_SLICE_SECONDS = 1e-6
    training = trainings.start_training(user=alice, training=ready(alice))
    train_slice = finetune.train_slice

    def lost(*args, **more):
        is_whole = train_slice(*args, **more)
        Job.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))
        queue.recover()
        return is_whole

    monkeypatch.setattr(finetune, "train_slice", lost)
    job = run_next()
    training.refresh_from_db()
    assert (job.state, job.attempts, training.points) == (State.QUEUED, 1, [])


def test_another_model_in_the_same_place_is_no_way_to_go_on(ready, alice, tiny_model, settings):
    settings.TRAINING_SLICE_SECONDS = 1e-6
    training = trainings.start_training(user=alice, training=ready(alice))
    run_next()
    tiny_model.weights_hash = "other"
    tiny_model.save()
    job = run_next()
    assert (job.pk, job.state) == (training.job_id, State.FAILED)
    assert "was replaced" in job.reason
