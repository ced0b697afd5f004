"""What was taught: a point becomes an adapter of the team, with licence and lineage; it is shared and retired."""

import pytest
import torch
from django.core.exceptions import PermissionDenied
from PIL import Image
from safetensors.torch import save_file

from accounts.models import Membership, Team
from accounts.roles import Role
from generator.diffusion.train import points
from generator.models import Adapter, Training
from generator.services import Refused, trainings

pytestmark = pytest.mark.django_db


@pytest.fixture
def taught(ready, bob) -> Training:
    """A training of bob's with two points behind it, as a worker leaves it; nothing of it was computed."""
    training = trainings.start_training(user=bob, training=ready(bob))
    trainings.stop_training(user=bob, training=training)
    for step in (0, 3, 6):
        keep(training, step)
    training.pictures.update(learned=training.created)
    training.refresh_from_db()
    return training


def keep(training: Training, step: int) -> None:
    def write(folder) -> None:
        name = "embedding.safetensors" if training.method == "embedding" else "lora.safetensors"
        save_file({"x": torch.full((2, 2), float(step))}, folder / name)

    picture = [Image.new("RGB", (64, 64), "#c22")]
    points.save(training.run / "points", step, write, picture, picture, points.Measures(0.1, 0.5, 100, 0.01))


def test_a_point_becomes_an_adapter_of_the_team(taught, bob, studio, tiny_model, charlie):
    first = trainings.choose_point(user=bob, training=taught, step=3)
    assert (first.name, first.kind, first.family, first.version, first.point) == ("Our bottle", "lora", "sd1", 1, 3)
    assert first.triggers == ["ourbottle bottle"]
    assert (first.licence_name, first.licence_url) == ("RAIL-M", "https://rail.example/m")
    assert (first.commercial_use, first.attribution) == ("conditional", "By Tiny")
    assert first.facts["base"] == "Tiny"
    assert (first.size, len(first.weights_hash)) == (first.files[0]["size"], 64)
    with Image.open(first.sample) as sample:
        assert sample.size == (64, 64)
    assert list(Adapter.objects.offered_to(bob, studio)) == [first]
    assert not Adapter.objects.offered_to(charlie, charlie.personal_team).exists()
    second = trainings.choose_point(user=bob, training=taught, step=6)
    assert (second.version, second.source != first.source) == (2, True)
    with pytest.raises(Refused, match="an adapter already"):
        trainings.choose_point(user=bob, training=taught, step=3)


@pytest.mark.parametrize("step", [0, 4])
def test_before_and_what_was_not_kept_cannot_be_chosen(taught, bob, step):
    with pytest.raises(Refused, match="no such point"):
        trainings.choose_point(user=bob, training=taught, step=step)


def test_an_embedding_has_one_word_a_version(ready, bob):
    training = ready(bob, method="embedding")
    assert training.word == "my-ourbottle"
    for step in (3, 6):
        keep(training, step)
    words = [trainings.choose_point(user=bob, training=training, step=step).word for step in (3, 6)]
    assert words == ["my-ourbottle", "my-ourbottle-2"]


def test_it_is_lent_to_another_team_and_taken_back(taught, bob, mona, carol):
    adapter = trainings.choose_point(user=bob, training=taught, step=3)
    other = Team.objects.create(name="Other")
    for user in (bob, carol):
        with pytest.raises(PermissionDenied):  # who curates the studio lends what it has
            trainings.share_adapter(user=user, adapter=adapter, team=other)
    with pytest.raises(PermissionDenied):  # and only to a team of their own
        trainings.share_adapter(user=mona, adapter=adapter, team=other)
    Membership.objects.create(user=mona, team=other, role=Role.CREATOR)
    trainings.share_adapter(user=mona, adapter=adapter, team=other)
    assert Adapter.objects.offered_to(mona, other).get() == adapter
    trainings.share_adapter(user=mona, adapter=adapter, team=other, shared=False)
    assert not Adapter.objects.offered_to(mona, other).exists()


def test_it_is_retired_by_its_maker_or_who_curates(taught, bob, alice, carol, studio):
    adapter = trainings.choose_point(user=bob, training=taught, step=3)
    with pytest.raises(PermissionDenied):
        trainings.retire_adapter(user=carol, adapter=adapter)
    trainings.retire_adapter(user=bob, adapter=adapter)
    assert not Adapter.objects.offered_to(bob, studio).exists()
    trainings.retire_adapter(user=alice, adapter=adapter, retired=False)
    assert Adapter.objects.offered_to(bob, studio).exists()


def test_what_nobody_taught_here_is_the_administrators(alice):
    adapter = Adapter.objects.create(slug="x", name="X", source="/x", family="sd1", licence_name="MIT")
    with pytest.raises(PermissionDenied):
        trainings.retire_adapter(user=alice, adapter=adapter)


def test_a_picture_that_goes_says_what_has_learned_from_it(taught, bob, django_capture_on_commit_callbacks):
    adapter = trainings.choose_point(user=bob, training=taught, step=6)
    (taught.folder / "pictures").mkdir(parents=True)
    picture = taught.pictures.first()
    name, storage = picture.file.name, picture.file.storage
    with django_capture_on_commit_callbacks(execute=True):
        assert trainings.remove_picture(user=bob, picture=picture) == [adapter]
    picture.refresh_from_db()
    assert picture.removed is not None
    assert (picture.stated_by, picture.rights, picture.file.name) == (bob, "own", "")
    assert not storage.exists(name)
    assert not (taught.folder / "pictures").exists()
    with pytest.raises(Refused, match="Retire that instead"):
        trainings.delete_training(user=bob, training=taught)


def test_a_picture_of_the_gallery_knows_too(ready, bob, charlie, make_media):
    training, media = ready(bob), make_media(bob)
    trainings.add_media(user=bob, training=training, media=media)
    keep(training, 3)
    adapter = trainings.choose_point(user=bob, training=training, step=3)
    assert trainings.learned_from([media.pk]) == []
    training.pictures.update(learned=training.created)
    assert trainings.learned_from([media.pk]) == [adapter]
    assert trainings.learned_from([media.pk], bob) == [adapter]
    assert trainings.learned_from([media.pk], charlie) == []


def test_whoever_deletes_pictures_is_told_what_does_not_forget_them(ready, as_, bob, make_media):
    training, media, other = ready(bob), make_media(bob), make_media(bob)
    trainings.add_media(user=bob, training=training, media=media)
    keep(training, 3)
    trainings.choose_point(user=bob, training=training, step=3)
    training.pictures.update(learned=training.created)
    client, told = as_(bob), "do not forget it: Our bottle (1)."
    htmx = {"HX-Request": "true"}
    assert told in client.post(f"/gallery/{media.pk}/trash/", headers=htmx).content.decode()
    assert told not in client.post(f"/gallery/{other.pk}/trash/", headers=htmx).content.decode()
    asked = client.post("/gallery/chosen/purge/", {"ids": f"{media.pk},{other.pk}"}, headers=htmx).content.decode()
    assert told in asked
    client.post(f"/gallery/{media.pk}/restore/")
    assert told in client.post("/gallery/chosen/trash/", {"ids": f"{media.pk}"}, headers=htmx).content.decode()


def test_what_taught_nothing_goes_with_its_files(taught, bob, django_capture_on_commit_callbacks):
    files = [(picture.file.storage, picture.file.name) for picture in taught.pictures.all()]
    folder = taught.folder
    assert folder.is_dir()
    with django_capture_on_commit_callbacks(execute=True):
        trainings.delete_training(user=bob, training=taught)
    assert not folder.exists()
    assert not any(storage.exists(name) for storage, name in files)
