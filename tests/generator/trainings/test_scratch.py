"""A model from scratch as people make it: of an import or an album, in slices, and each point is a model to take."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from gallery import services as gallery
from gallery.models import Media, Upload, UploadedFile
from generator import queue, runner, teaching, upkeep
from generator.diffusion import pipelines
from generator.models import Checkpoint, Job, State, Training
from generator.progress import Progress
from generator.services import Refused, trainings

pytestmark = pytest.mark.django_db(transaction=True)
QUICK = {"autoencoder_steps": 4, "steps": 4, "batch": 4, "points": 2, "widths": [16, 32]}


@pytest.fixture(autouse=True, scope="module")
def _leave_nothing_warm():
    """Other tests count what a worker has loaded."""
    yield
    pipelines.unload()


@pytest.fixture
def album(bob, studio, make_media) -> str:
    """The key of an album of bob's with two dozen pictures, one of them private."""
    media = [make_media(bob, prompt=f"a {('red', 'blue')[n % 2]} shoe") for n in range(24)]
    media.append(make_media(bob))
    found = gallery.create_album(user=bob, team=studio, name="Shoes", media=[one.pk for one in media])
    Media.objects.filter(pk=media[-1].pk).update(visibility="private")
    return f"album:{found.pk}"


@pytest.fixture
def scratch(studio, tiny_model, album):
    """`scratch(user, **changes)`: a draft over that album of a few quick steps."""

    def make(user, **wanted) -> Training:
        asked = {"name": "Shoes", "source": album, "people": "nobody", **wanted}
        training = trainings.draft_scratch(user=user, team=studio, checkpoint=tiny_model, **asked)
        Training.objects.filter(pk=training.pk).update(changes=training.changes | QUICK)
        training.refresh_from_db()
        return training

    return make


def run_next() -> None:
    runner.run(Progress(queue.claim(worker="test")))


def run_to_end(training: Training) -> int:
    slices = 0
    while queue.waiting().exists():
        run_next()
        slices += 1
        assert slices < 100
    training.refresh_from_db()
    return slices


def test_from_an_album_to_a_model_of_the_team(scratch, bob, charlie, studio):
    training = scratch(bob, phrase="a photo of {}")
    assert set(training.pictures.values_list("caption", flat=True)) == {
        "a photo of a red shoe",
        "a photo of a blue shoe",
    }
    assert training.pictures.count() == 24, "the private one is left out"
    assert {(one.rights, one.people, one.stated_by) for one in training.pictures.all()} == {
        ("generated", "nobody", bob)
    }
    ready = trainings.readiness(training)
    assert (ready.is_ready, any("by heart" in words for words in ready.advice)) == (True, True)
    trainings.start_training(user=bob, training=training)
    assert run_to_end(training) == 1
    training.job.refresh_from_db()
    assert (training.job.state, training.job.reason) == (State.DONE, "")
    assert [point["step"] for point in training.points] == [2, 4]
    assert (training.step, training.steps, training.step_seconds > 0) == (8, 8, True)

    made = trainings.choose_point(user=bob, training=training, step=4)
    assert isinstance(made, Checkpoint)
    assert (made.version, made.point, made.native_size, made.commercial_use) == (1, 4, 64, "conditional")
    assert made.licence_name == "Studio's own; text encoder: RAIL-M", "as the model's whose text encoder it is"
    assert Checkpoint.objects.offered_to(bob, studio).filter(pk=made.pk).exists()
    assert not Checkpoint.objects.offered_to(charlie, charlie.teams.first()).filter(pk=made.pk).exists()
    drawn = pipelines.load(made.source)("a red shoe", width=64, height=64, num_inference_steps=1).images
    assert drawn[0].size == (64, 64)
    card = (Path(made.source) / "README.md").read_text()
    assert "24 pictures" in card
    assert "a photo of a red shoe" in card
    assert {file["name"] for file in made.files} >= {"model_index.json", "unet/diffusion_pytorch_model.safetensors"}
    with pytest.raises(Refused, match="model already"):
        trainings.choose_point(user=bob, training=training, step=4)
    with pytest.raises(Refused, match="no such point"):
        trainings.choose_point(user=bob, training=training, step=3)
    with pytest.raises(Refused, match="model comes from"):
        trainings.delete_training(user=bob, training=training)
    assert trainings.choose_point(user=bob, training=training, step=2).version == 2


def test_many_slices_and_kills_come_to_the_end(scratch, bob, settings, monkeypatch):
    settings.TRAINING_SLICE_SECONDS = 1e-6
    training = trainings.start_training(user=bob, training=scratch(bob))

    class Kill(BaseException):
        pass

    on_step, steps = teaching.Lesson.on_step, []

    def killed(self, step):
        on_step(self, step)
        steps.append(step.index)
        if len(steps) in (2, 6):
            raise Kill

    monkeypatch.setattr(teaching.Lesson, "on_step", killed)
    kills = 0
    while queue.waiting().exists():
        try:
            run_next()
        except Kill:
            kills += 1
            Job.objects.update(lease_expires=timezone.now() - timedelta(seconds=1))
            upkeep.recover_lost(wait=0)
    training.refresh_from_db()
    assert (kills, training.job.state, training.step) == (2, State.DONE, 8)
    assert len(list((training.folder / "pictures").glob("*.png"))) == 24


def test_what_is_deleted_meanwhile_is_left_out(scratch, bob):
    training = scratch(bob)
    gone = [picture.media for picture in training.pictures.order_by("order")[:2]]
    for media in gone:
        gallery.trash_media(user=bob, media=media)
    gallery.purge_many(user=bob, media=[media.pk for media in gone])
    assert any("2 of its pictures" in words for words in trainings.readiness(training).advice)
    trainings.start_training(user=bob, training=training)
    run_to_end(training)
    assert training.job.state == State.DONE
    table = (training.folder / "pictures" / "metadata.jsonl").read_text().splitlines()
    assert len(table) == 22


def test_what_is_deleted_between_two_slices_takes_nobody_elses_words(scratch, bob, settings):
    settings.TRAINING_SLICE_SECONDS = 1e-6
    training = trainings.start_training(user=bob, training=scratch(bob))
    for _slice in range(5):
        run_next()
    first, other = training.pictures.order_by("order")[:2]
    gallery.trash_media(user=bob, media=first.media)
    gallery.set_visibility(user=bob, media=other.media, visibility="private")
    run_to_end(training)
    assert training.job.state == State.DONE
    table = (training.folder / "pictures" / "metadata.jsonl").read_text().splitlines()
    told = {row["file_name"].removesuffix(".png"): row["text"] for row in map(json.loads, table)}
    left = training.pictures.exclude(pk__in=[first.pk, other.pk])
    assert told == {picture.pk.hex: picture.caption for picture in left}
    assert {path.stem for path in (training.folder / "pictures").glob("*.png")} == told.keys()
    assert set(training.pictures.filter(learned=None)) == {first, other}


def test_of_an_import_each_folder_gives_its_words(bob, alice, studio, tiny_model, make_media):
    upload = Upload.objects.create(team=studio, owner=bob, whose="client", rights_note="Clinic, 2025")
    for number in range(20):
        folder = ("no_finding", "fracture")[number % 2]
        media = make_media(bob, prompt="", title=f"{number}")
        media.recipe |= {"rights": {"whose": "client", "note": "Clinic, 2025"}}
        media.save()
        UploadedFile.objects.create(
            upload=upload, name=f"set/{folder}/{number:02}.dcm", size=1, state="done", media=media
        )
    key = f"import:{upload.pk}"
    assert [one.key for one in trainings.data_sets(user=bob, team=studio)] == [key]
    assert trainings.data_sets(user=alice, team=studio) == [], "an import is its owner's"
    wanted = {"team": studio, "checkpoint": tiny_model, "name": "Scans", "source": key, "people": "consent"}
    training = trainings.draft_scratch(user=bob, phrase="an x-ray, {}", **wanted)
    assert set(training.pictures.values_list("caption", "rights", "rights_note")) == {
        ("an x-ray, no finding", "client", "Clinic, 2025"),
        ("an x-ray, fracture", "client", "Clinic, 2025"),
    }
    with pytest.raises(Refused, match="no such data set"):
        trainings.draft_scratch(user=alice, **wanted)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"source": "album:1"}, "no such data set"),
        ({"source": "folder:/etc"}, "no such data set"),
        ({"people": ""}, "recognised"),
        ({"name": "  "}, "name"),
        ({"changes": {"widths": [9999]}}, "cannot be set"),
        ({"changes": {"size": 96}}, "96"),
        ({"changes": {"steps": 0}}, "steps"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_kept(scratch, bob, wrong, words):
    with pytest.raises(Refused, match=words):
        scratch(bob, **wrong)
    assert not Training.objects.exists()


def test_a_handful_is_too_few(bob, studio, tiny_model, make_media):
    few = gallery.create_album(user=bob, team=studio, name="Few", media=[make_media(bob).pk for _n in range(3)])
    assert trainings.data_sets(user=bob, team=studio) == []
    wanted = {"checkpoint": tiny_model, "name": "Few", "source": f"album:{few.pk}", "people": "nobody"}
    training = trainings.draft_scratch(user=bob, team=studio, **wanted)
    with pytest.raises(Refused, match="at the very least"):
        trainings.start_training(user=bob, training=training)


def test_the_pages(as_, bob, victor, charlie, scratch, album):
    client = as_(bob)
    page = client.get("/train/new/scratch/").content.decode()
    assert "Shoes (25 pictures)" in page
    form = {
        "name": "Boots",
        "source": album,
        "people": "nobody",
        "size": "64",
        "checkpoint": scratch(bob).checkpoint_id,
    }
    assert client.post("/train/new/scratch/", form | {"people": ""}).status_code == 422
    answer = client.post("/train/new/scratch/", form)
    made = Training.objects.get(name="Boots")
    assert answer.url == made.get_absolute_url()
    draft = client.get(answer.url).content.decode()
    assert "a red shoe" in draft
    assert "by heart" in draft
    assert as_(victor).get(answer.url).status_code == 200
    assert as_(victor).post("/train/new/scratch/", form).status_code == 403
    assert as_(charlie).get(answer.url).status_code == 404
    Training.objects.filter(pk=made.pk).update(changes=made.changes | QUICK)
    client.post(f"{answer.url}start/")
    run_to_end(made)
    shown = client.get(answer.url).content.decode()
    assert "of 256 bits (PDQ)" in shown
    assert client.post(f"{answer.url}points/4/choose/").status_code == 302
    assert "of 24 pictures" in client.get("/train/").content.decode()
    model = Checkpoint.objects.get(training=made)
    client.post(f"/train/adapters/{model.slug}/retire/", {"on": "1"})
    model.refresh_from_db()
    assert not model.is_enabled
