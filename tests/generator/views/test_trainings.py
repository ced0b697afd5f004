"""The pages of teaching, from a form to a point that is taken, as a browser without scripts sends them."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from generator.diffusion.train import points
from generator.models import Adapter, State, Training
from tests.generator.trainings.conftest import photo

pytestmark = pytest.mark.django_db


def _files(count: int) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"view {n}.png", photo(n), "image/png") for n in range(count)]


def _begun(client, checkpoint, kind: str = "subject", **more) -> Training:
    data = {"name": "Our bottle", "noun": "bottle", "method": "lora", "checkpoint": checkpoint.pk, **more}
    answer = client.post(f"/train/new/{kind}/", data)
    assert answer.status_code == 302, answer.content.decode()
    return Training.objects.get()


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path) -> None:
    settings.MODELS_ROOT = tmp_path / "models"


def test_from_a_name_to_a_run(as_, bob, checkpoint):
    client = as_(bob)
    training = _begun(client, checkpoint, steps="40")
    assert (training.word, training.changes) == ("ourbottle", {"steps": 40})
    address = f"/train/{training.pk}/"
    page = client.get(address).content.decode()
    assert "0 different pictures is too few" in page
    assert re.search(r"<button[^>]*disabled", page)
    client.post(f"{address}pictures/", {"files": [*_files(4), SimpleUploadedFile("no.png", b"no")]})
    page = client.get(address).content.decode()
    assert "“no.png” is no picture that can be read" in page
    assert "4 pictures taken." in page
    assert page.count("Nobody has said whose it is.") == 4
    client.post(f"{address}rights/", {"rights": "client", "people": "consent", "note": "Order 7", "of": "unsaid"})
    picture = training.pictures.first()
    client.post(f"/train/pictures/{picture.pk}/", {"caption": "a bottle on wood"})
    client.post(f"/train/pictures/{training.pictures.last().pk}/remove/")
    page = client.get(address).content.decode()
    assert page.count("A client gave it to us · Everybody in it has consented") == 3
    assert "a bottle on wood" in page
    assert "ourbottle bottle" in page
    assert not re.search(r"<button[^>]*disabled", page)
    shown = client.get(f"/train/pictures/{picture.pk}/file/")
    assert (shown["Content-Type"], shown["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert client.post(f"{address}start/").status_code == 302
    training.refresh_from_db()
    assert training.job.state == State.QUEUED
    page = client.get(address).content.decode()
    assert "Step 0 of" in page
    assert "left, beside waiting" not in page  # nobody has timed this model yet
    Training.objects.update(step_seconds=0.5)
    assert "left, beside waiting" in client.get(address).content.decode()
    for verb, state in (("pause", State.PAUSED), ("resume", State.QUEUED), ("stop", State.CANCELLED)):
        client.post(f"{address}{verb}/")
        training.job.refresh_from_db()
        assert training.job.state == state
    assert "Go on from here" in client.get(f"{address}run/").content.decode()


def test_what_was_refused_is_told_on_the_page(as_, bob, checkpoint):
    client = as_(bob)
    training = _begun(client, checkpoint)
    client.post(f"/train/{training.pk}/start/")
    assert "is too few" in client.get(f"/train/{training.pk}/").content.decode()
    answer = client.post(f"/train/{training.pk}/change/", {"name": "X", "noun": "", "checkpoint": checkpoint.pk})
    assert answer.status_code == 422
    assert client.post("/train/new/subject/", {"name": ""}).status_code == 422
    assert client.get("/train/new/other/").status_code == 404


def test_a_point_is_taken_and_its_adapter_retired(as_, bob, carol, checkpoint):
    client = as_(bob)
    training = _begun(client, checkpoint, kind="style")
    client.post(f"/train/{training.pk}/pictures/", {"files": _files(3)})
    client.post(f"/train/{training.pk}/rights/", {"rights": "own", "people": "nobody", "of": "all"})
    client.post(f"/train/{training.pk}/start/")
    client.post(f"/train/{training.pk}/stop/")
    _keep(training, 0)
    _keep(training, 5)
    logged = ['{"step": 1, "loss": 0.5}', '{"step": 2, "loss": 0.25}', '{"step": 2, "validation_loss": 0.4}', '{"st']
    (training.run / "log.jsonl").write_text("\n".join(logged))
    facts = {"validation": 0.3, "likeness": 0.71, "nearest": 90, "drift": 0.02, "samples": 1, "others": 1}
    both = [{"step": step, "is_overfitted": step == 5, **facts} for step in (0, 5)]
    Training.objects.update(points=both, proposed=5, step=5)
    training.pictures.update(learned=training.created)
    page = client.get(f"/train/{training.pk}/").content.decode()
    for words in ("Loss by step", "Before", "Step 5", "71 %", "Proposed", "Over-fitted"):
        assert words in page
    assert client.get(f"/train/{training.pk}/points/5/sample-0.png")["Content-Type"] == "image/png"
    for missing in ("points/4/sample-0.png", "points/5/sample-9.png", "points/5/lora-0.png"):
        assert client.get(f"/train/{training.pk}/{missing}").status_code == 404
    client.post(f"/train/{training.pk}/points/5/choose/")
    adapter = Adapter.objects.get()
    page = client.get(f"/train/{training.pk}/").content.decode()
    assert "taken as version 1" in page
    client.post(f"/train/pictures/{training.pictures.first().pk}/remove/")
    page = client.get(f"/train/{training.pk}/").content.decode()
    assert "These have learned from it and do not forget it: Our bottle (1)" in page
    assert "removed" in page
    assert "Retire" in client.get("/train/").content.decode()
    assert "Retire" not in as_(carol).get("/train/").content.decode()
    client.post(f"/train/adapters/{adapter.slug}/retire/", {"on": "1"})
    assert "Offer again" in client.get("/train/").content.decode()
    answer = client.post(f"/train/{training.pk}/again/")
    assert Training.objects.get(version=2).get_absolute_url() == answer["Location"]


def _keep(training: Training, step: int) -> None:
    picture = [Image.new("RGB", (64, 64), "#c22")]
    points.save(
        training.run / "points",
        step,
        lambda folder: (folder / "lora.safetensors").write_bytes(b"weights"),
        picture,
        picture,
        points.Measures(0.3, 0.71, 90, 0.02),
    )
