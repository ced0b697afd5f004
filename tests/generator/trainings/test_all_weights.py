"""All weights of a model taught something: each kept point is a model to take, with the licence of its base."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from generator.diffusion import pipelines
from generator.models import Adapter, Checkpoint, State, Training
from generator.services import Refused, trainings
from tests.generator.trainings.conftest import photo
from tests.generator.trainings.test_slices import run_to_end

pytestmark = pytest.mark.django_db(transaction=True)
DENOISER = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(autouse=True)
def _leave_nothing_warm():
    yield
    pipelines.unload()


@pytest.fixture
def taught(ready, bob) -> Training:
    training = trainings.start_training(user=bob, training=ready(bob, method="full"))
    run_to_end(training)
    training.job.refresh_from_db()
    assert (training.job.state, training.job.reason) == (State.DONE, "")
    return training


def test_a_point_becomes_a_model_of_the_team(taught, bob, studio, tiny_model, charlie, as_):
    steps = [point["step"] for point in taught.points]
    made = trainings.choose_point(user=bob, training=taught, step=steps[-1])
    assert isinstance(made, Checkpoint)
    assert (made.name, made.family, made.native_size, made.version) == ("Our bottle", "sd1", 64, 1)
    assert (made.licence_name, made.commercial_use, made.attribution) == ("RAIL-M", "conditional", "By Tiny")
    assert made.triggers == ["ourbottle bottle"]
    assert made.suggestions == ["a ourbottle bottle"]
    assert not Adapter.objects.exists()
    assert Checkpoint.objects.offered_to(bob, studio).filter(pk=made.pk).exists()
    assert not Checkpoint.objects.offered_to(charlie, charlie.personal_team).filter(pk=made.pk).exists()

    place, base = Path(made.source), Path(tiny_model.source)
    before, after = load_file(base / DENOISER), load_file(place / DENOISER)
    assert before.keys() == after.keys()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    others = "text_encoder/model.safetensors"
    assert (place / others).read_bytes() == (base / others).read_bytes()
    card = (place / "README.md").read_text()
    assert "Tiny, all weights of whose denoiser were taught Our bottle by Studio" in card
    assert "3 pictures" in card
    drawn = pipelines.load(made.source)("a ourbottle bottle", width=64, height=64, num_inference_steps=1).images
    assert isinstance(drawn[0], Image.Image)

    with pytest.raises(Refused, match="model already"):
        trainings.choose_point(user=bob, training=taught, step=steps[-1])
    with pytest.raises(Refused, match="no such point"):
        trainings.choose_point(user=bob, training=taught, step=0)
    page = as_(bob).get(taught.get_absolute_url()).content.decode()
    assert "taken as version 1" in page
    assert "comparison-title" not in page, "whole models are not worn"
    wanted = trainings.usual_comparison(taught)
    with pytest.raises(Refused, match="whole models"):
        trainings.compare_points(user=bob, training=taught, **wanted)
    assert trainings.remove_picture(user=bob, picture=taught.pictures.first()) == [made]


def test_a_single_file_cannot_be_taught_whole(studio, tiny_model, bob, tmp_path):
    Checkpoint.objects.filter(pk=tiny_model.pk).update(source=str(tmp_path / "tiny.safetensors"))
    tiny_model.refresh_from_db()
    wanted = {"name": "Our bottle", "noun": "bottle", "checkpoint": tiny_model}
    with pytest.raises(Refused, match="is a single file"):
        trainings.draft_training(user=bob, team=studio, method="full", **wanted)
    assert trainings.draft_training(user=bob, team=studio, **wanted).method == "lora"


def test_it_is_asked_for_over_the_api(calls, bob, studio, tiny_model):
    client = calls(bob)
    wanted = {"name": "Our bottle", "noun": "bottle", "model": "tiny", "team": str(studio.pk), "method": "full"}
    drafted = client.post("/api/v1/trainings", wanted, "application/json").json()
    assert drafted["method"] == "full"
    answer = client.post(f"/api/v1/trainings/{drafted['id']}/files?name=a.png", photo(1), "image/png")
    answer = client.delete(f"/api/v1/trainings/{drafted['id']}/pictures/{answer.json()['id']}")
    assert answer.json() == {"learned": [], "models": []}
