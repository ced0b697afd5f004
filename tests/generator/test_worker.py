"""From a claimed job to pictures in the gallery, with the real engine and the starter."""

import threading
import time
from datetime import timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from PIL import Image

from accounts.services import left_today
from gallery.models import Media, Rendition
from generator import events, previews, queue, runner, services, worker
from generator.diffusion.spec import Cancelled
from generator.models import Job, State
from generator.models import Worker as WorkerRow
from generator.progress import LeaseLost, Progress, film_steps

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, scope="session")
def _models_root(tmp_path_factory, django_db_setup):
    """The starter is assembled once for all tests of this module."""
    from django.conf import settings

    settings.MODELS_ROOT = tmp_path_factory.mktemp("models")


@pytest.fixture
def told(monkeypatch) -> list[dict]:
    """Every event that would have gone out."""
    sent: list[dict] = []
    monkeypatch.setattr(events, "publish", lambda groups, event: sent.append(event))
    return sent


def _run_next(stopping: threading.Event | None = None) -> Progress:
    job = queue.claim(worker="test")
    assert job is not None
    progress = Progress(job, stopping)
    runner.run(progress)
    return progress


def test_a_job_becomes_pictures_with_recipe_and_filmstrip(make_job, alice, told):
    job = make_job(alice, count=2, steps=14, seed=5)
    _run_next()
    job.refresh_from_db()
    assert (job.state, job.reason, job.trace) == (State.DONE, "", "")
    assert job.first_step is not None
    pictures = list(Media.objects.filter(job=job.pk).order_by("index"))
    assert [picture.seed for picture in pictures] == [5, 6]
    for picture in pictures:
        assert (picture.team, picture.owner, picture.prompt) == (job.team, alice, "a red apple, 3d icon")
        assert picture.recipe["checkpoint_hash"]
        assert picture.recipe["licence"]
        with Image.open(picture.file) as original:
            assert original.size == (picture.width, picture.height)
            assert '"seed": ' in original.text["atelier"]
        film = picture.renditions.get(kind=Rendition.Kind.FILMSTRIP)
        assert film.frames == 12
        with Image.open(film.file) as sprite:
            assert sprite.size == (film.width, film.height)
            assert film.width == film.frames * film.height
    assert told[-1]["type"] == "job.done"
    assert told[-1]["media"] == [str(picture.pk) for picture in pictures]


def test_every_step_is_told_with_a_preview_a_picture(make_job, alice, told, monkeypatch):
    monkeypatch.setattr("generator.progress.SHORTEST_INTERVAL", 0.0)
    job = make_job(alice, count=2, steps=5)
    _run_next()
    steps = [event for event in told if event["type"] == "job.progress"]
    assert [event["step"] for event in steps] == [1, 2, 3, 4, 5]
    assert all([p["index"] for p in event["previews"]] == [0, 1] for event in steps)
    numbers = [event["seq"] for event in told if event.get("job") == str(job.pk) and event["type"] != "media.added"]
    assert numbers == sorted(set(numbers))
    with Image.open(BytesIO(previews.read_preview(job.pk, 1, 3) or b"")) as preview:
        assert preview.format == "WEBP"


def test_quick_steps_are_told_at_most_twenty_times_a_second(make_job, alice, told, monkeypatch):
    monkeypatch.setattr("generator.progress.SHORTEST_INTERVAL", 3600.0)
    make_job(alice, steps=6)
    _run_next()
    assert [event["step"] for event in told if event["type"] == "job.progress"] == [1, 6]


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
    _run_next()
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
    _run_next()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.QUEUED, 1)
    assert not Media.objects.exists()
    assert not any(event["type"] == "job.done" for event in told)
    monkeypatch.setattr(runner, "_keep", keep)
    _run_next()
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
    _run_next(stopping)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.lease) == (State.QUEUED, 0, None)
    assert told[-1]["type"] == "job.queued"


def test_a_model_that_cannot_be_loaded_fails_the_job_in_plain_words(make_job, alice, checkpoint, tmp_path, told):
    checkpoint.source = str(tmp_path / "nothing-here")
    checkpoint.save()
    before = left_today(alice)
    job = make_job(alice)
    _run_next()
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "nothing-here" in job.reason
    assert "Traceback" in job.trace
    assert left_today(alice) == before
    assert (told[-1]["type"], told[-1]["reason"]) == ("job.failed", job.reason)


def test_a_full_disk_fails_the_job_and_leaves_no_file(make_job, alice, settings, monkeypatch):
    from gallery.storage import DurableStorage

    written: list[str] = []
    save = DurableStorage._save

    def full_at_the_third(self, name, content):
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        written.append(save(self, name, content))
        return written[-1]

    monkeypatch.setattr(DurableStorage, "_save", full_at_the_third)
    job = make_job(alice, count=2)
    _run_next()
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "No space left" in job.reason
    assert len(written) == 2
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_a_snapshot_in_the_middle_shows_the_last_step(make_job, alice, monkeypatch):
    job = make_job(alice, steps=6)
    snapshots: list[dict] = []
    on_step = Progress.on_step

    def look(self, step):
        on_step(self, step)
        self.flush()
        snapshots.append(events.snapshot(Job.objects.get(pk=job.pk)))

    monkeypatch.setattr(Progress, "on_step", look)
    monkeypatch.setattr("generator.progress.SHORTEST_INTERVAL", 0.0)
    _run_next()
    assert [(s["state"], s["step"], s["steps"]) for s in snapshots] == [("running", n, 6) for n in range(1, 7)]
    assert all(len(s["previews"]) == 1 for s in snapshots)


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
    finally:
        own.stop()
    assert not WorkerRow.objects.filter(name="one").exists()


def test_an_idle_worker_finds_a_job_whose_wake_up_was_lost(make_job, alice, settings):
    settings.WORKER_POLL_SECONDS = 0.2
    own = worker.Worker("two")
    own.start()
    try:
        job = make_job(alice)
        end = time.monotonic() + 20
        while Job.objects.get(pk=job.pk).state != State.DONE and time.monotonic() < end:
            time.sleep(0.05)
        assert Job.objects.get(pk=job.pk).state == State.DONE
    finally:
        own.stop()


def test_time_leaves_nothing_behind(make_media, alice, settings):
    old = make_media(alice)
    long_ago = timezone.now() - timedelta(days=settings.TRASH_RETENTION_DAYS + 1)
    Media.objects.filter(pk=old.pk).update(deleted=long_ago)
    WorkerRow.objects.create(name="gone", seen=long_ago)
    WorkerRow.objects.create(name="here")
    worker.tidy()
    assert not Media.objects.exists()
    assert [row.name for row in WorkerRow.objects.all()] == ["here"]


def test_the_filmstrips_steps():
    assert film_steps(3) == {1, 2, 3}
    for total in (13, 20, 50, 150):
        steps = film_steps(total)
        assert len(steps) == 12
        assert min(steps) == 1
        assert max(steps) == total
