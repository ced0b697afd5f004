"""A claimed job becomes pictures in the gallery, told step by step, with the real engine and the starter."""

from io import BytesIO

import pytest
from PIL import Image

from gallery.models import Media, Rendition
from generator import events, previews
from generator.models import Job, State, StepTime
from generator.progress import Progress, film_steps
from tests.generator.worker.running import run_next

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_becomes_pictures_with_recipe_and_filmstrip(make_job, alice, told):
    job = make_job(alice, count=2, steps=14, seed=5)
    run_next()
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


def test_a_picture_made_from_another_knows_it_and_keeps_what_was_not_painted(make_job, make_media, alice, told):
    origin = make_media(alice)
    mask = Image.new("L", (64, 64))
    mask.paste(255, (16, 16, 40, 40))
    painted = BytesIO()
    mask.save(painted, "PNG")
    job = make_job(alice, way="inpaint", source=origin, mask=painted.getvalue(), strength=0.5, steps=8)
    run_next()
    job.refresh_from_db()
    assert (job.state, job.reason, job.steps) == (State.DONE, "", 4)
    picture = Media.objects.get(job=job.pk)
    assert (picture.way, picture.made_from, picture.recipe["strength"]) == ("inpaint", origin, 0.5)
    assert [event["step"] for event in told if event["type"] == "job.progress"][-1] == 4
    with Image.open(picture.file) as made, Image.open(origin.file) as before:
        assert made.crop((0, 0, 16, 64)).tobytes() == before.crop((0, 0, 16, 64)).tobytes()
        assert made.crop((20, 20, 36, 36)).tobytes() != before.crop((20, 20, 36, 36)).tobytes()


def test_what_is_enlarged_keeps_what_made_it_and_needs_no_model(make_job, make_media, alice, told):
    origin = make_media(alice, licence="MIT", title="x")
    job = make_job(alice, way="upscale", source=origin, factor=2, prompt=None)
    assert (job.loads, job.family, job.memory) == ("", "", 0)
    run_next()
    job.refresh_from_db()
    assert (job.state, job.reason) == (State.DONE, "")
    picture = Media.objects.get(job=job.pk)
    assert (picture.width, picture.way, picture.made_from, picture.prompt) == (128, "upscale", origin, origin.prompt)
    assert (picture.recipe["licence"], picture.recipe["factor"]) == ("MIT", 2)
    assert StepTime.objects.get().loads == "upscale"


def test_a_picture_that_was_deleted_while_its_job_waited_fails_it_in_plain_words(make_job, make_media, alice):
    origin = make_media(alice)
    job = make_job(alice, way="image", source=origin)
    origin.delete()
    run_next()
    job.refresh_from_db()
    assert (job.state, job.reason) == (State.FAILED, "A picture that this starts from was deleted meanwhile.")


def test_every_step_is_told_with_a_preview_a_picture(make_job, alice, told, monkeypatch):
    monkeypatch.setattr("generator.progress.SHORTEST_INTERVAL", 0.0)
    job = make_job(alice, count=2, steps=5)
    run_next()
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
    run_next()
    assert [event["step"] for event in told if event["type"] == "job.progress"] == [1, 6]


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
    run_next()
    assert [(s["state"], s["step"], s["steps"]) for s in snapshots] == [("running", n, 6) for n in range(1, 7)]
    assert all(len(s["previews"]) == 1 for s in snapshots)


def test_the_filmstrips_steps():
    assert film_steps(3) == {1, 2, 3}
    for total in (13, 20, 50, 150):
        steps = film_steps(total)
        assert len(steps) == 12
        assert min(steps) == 1
        assert max(steps) == total
