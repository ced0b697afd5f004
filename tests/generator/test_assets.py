"""Models and adapters by who may use them: licences, teams, roles, policies; and adapters on their way to a picture."""

import numpy as np
import pytest
from django.core.exceptions import PermissionDenied
from PIL import Image

from accounts.models import Team
from gallery.models import Media
from generator import queue, runner, services
from generator.forms import as_fragment
from generator.models import Adapter, Checkpoint, Generation, LicenceAcceptance, State
from generator.progress import Progress
from generator.services import Refused


@pytest.fixture
def lora(checkpoint, tmp_path) -> Adapter:
    """A LoRA of the starter's denoiser."""
    from diffusers import DiffusionPipeline
    from django.conf import settings

    from generator.diffusion import checkpoints  # noqa: F401 (names our autoencoder to diffusers)
    from generator.diffusion.starter.assemble import assemble
    from tests.generator.diffusion import tiny_adapters

    settings.MODELS_ROOT = tmp_path / "models"
    pipeline = DiffusionPipeline.from_pretrained(assemble(settings.MODELS_ROOT / "starter"))
    file = tiny_adapters.lora(pipeline, tmp_path / "wild.safetensors", text=False)
    return make_adapter(source=str(file))


def make_adapter(**facts) -> Adapter:
    """A row."""
    usual = {"slug": "wild", "name": "Wild", "family": "starter", "source": "/nowhere", "licence_name": "MIT"}
    return Adapter.objects.create(**usual | {"commercial_use": "yes", "weights_hash": "abc"} | facts)


def _ask(user, team, checkpoint, **more):
    wanted = {"prompt": "a red apple, 3d icon", "count": 1, "steps": 2, "seed": 1, **more}
    return services.create_generation(user=user, team=team, checkpoint=checkpoint, **wanted)


@pytest.mark.django_db(transaction=True)
def test_a_lora_changes_the_picture_and_stands_in_its_recipe(alice, studio, checkpoint, lora):
    chosen = services.choose_adapters(checkpoint=checkpoint, chosen=[(lora, 0.7)])
    plain, wild = _ask(alice, studio, checkpoint), _ask(alice, studio, checkpoint, adapters=chosen)
    for _job in (plain, wild):
        runner.run(Progress(queue.claim(worker="test")))
    pictures = [Media.objects.get(job=job.pk) for job in (plain, wild)]
    pixels = []
    for picture in pictures:
        with Image.open(picture.file) as image:
            pixels.append(np.asarray(image.convert("RGB")))
    assert not np.array_equal(*pixels)
    assert pictures[0].recipe["adapters"] == []
    [entry] = pictures[1].recipe["adapters"]
    assert (entry["name"], entry["weight"], entry["hash"]) == ("Wild", 0.7, "abc")
    lora.refresh_from_db()
    assert lora.last_used


@pytest.mark.django_db(transaction=True)
def test_an_adapter_that_does_not_load_fails_the_job_in_plain_words(alice, studio, checkpoint, lora, tmp_path):
    (tmp_path / "wild.safetensors").write_bytes(b"\x80\x04pickle")
    job = _ask(
        alice, studio, checkpoint, adapters=services.choose_adapters(checkpoint=checkpoint, chosen=[(lora, 1.0)])
    )
    runner.run(Progress(queue.claim(worker="test")))
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "“Wild” cannot be used with the model" in job.reason
    assert "wild.safetensors" not in job.reason
    assert "pickle under another name" in job.trace
    again = _ask(alice, studio, checkpoint)
    runner.run(Progress(queue.claim(worker="test")))
    again.refresh_from_db()
    assert again.state == State.DONE


def test_adapters_of_another_family_are_refused(checkpoint):
    with pytest.raises(Refused, match="was not made for"):
        services.choose_adapters(checkpoint=checkpoint, chosen=[(make_adapter(family="sdxl"), 1.0)])


def test_an_embedding_comes_by_its_word(alice, studio, checkpoint):
    make_adapter(slug="moon", name="Moon", kind=Adapter.Kind.EMBEDDING, word="moonlike")
    with_word = _ask(alice, studio, checkpoint, prompt="a shoe, moonlike, on red")
    without = _ask(alice, studio, checkpoint, prompt="a shoe, not so moonlike-ish")
    assert [entry["slug"] for entry in with_word.generation.adapters] == ["moon"]
    assert without.generation.adapters == []
    spec = services.with_adapters(with_word.generation, services.spec_of(with_word.generation))
    assert (spec.adapters[0].word, spec.adapters[0].path) == ("moonlike", "/nowhere")
    again = services.retry_job(user=alice, job=with_word)
    assert len(again.generation.adapters) == 1


def test_an_adapter_that_is_gone_is_said(alice, studio, checkpoint):
    adapter = make_adapter()
    job = _ask(
        alice, studio, checkpoint, adapters=services.choose_adapters(checkpoint=checkpoint, chosen=[(adapter, 1)])
    )
    adapter.delete()
    with pytest.raises(Refused, match="no longer here"):
        services.retry_job(user=alice, job=job)


@pytest.mark.parametrize("kind", ["model", "adapter"])
def test_a_licence_is_accepted_before_first_use(alice, bob, charlie, studio, checkpoint, kind):
    asset = checkpoint if kind == "model" else make_adapter()
    asset.must_accept = True
    asset.save()
    more = (
        {"adapters": services.choose_adapters(checkpoint=checkpoint, chosen=[(asset, None)])} if kind != "model" else {}
    )
    with pytest.raises(services.LicenceNotAccepted, match="is to be accepted") as refused:
        _ask(alice, studio, checkpoint, **more)
    assert refused.value.asset == asset
    with pytest.raises(PermissionDenied):
        services.accept_licence(user=charlie, asset=asset, team=studio)
    services.accept_licence(user=bob, asset=asset, team=studio)
    record = LicenceAcceptance.objects.get()
    assert (record.user, record.team, record.licence) == (bob, studio, asset.licence)
    _ask(alice, studio, checkpoint, **more)
    with pytest.raises(services.LicenceNotAccepted):  # another team has not
        _ask(charlie, Team.objects.get(personal_of=charlie), checkpoint, **more)
    type(asset).objects.update(licence_url="https://example.com/v2")
    checkpoint.refresh_from_db()
    with pytest.raises(services.LicenceNotAccepted):
        _ask(alice, studio, checkpoint, **more)


def test_commercial_use_only_is_a_policy(alice, bob, studio, checkpoint):
    Checkpoint.objects.update(commercial_use="no")
    checkpoint.refresh_from_db()
    _ask(bob, studio, checkpoint)
    with pytest.raises(PermissionDenied):
        services.set_model_policy(user=bob, team=studio, commercial_only=True)
    services.set_model_policy(user=alice, team=studio, commercial_only=True)
    assert not Checkpoint.objects.offered_to(bob, studio).exists()
    with pytest.raises(Refused, match="does not allow commercial use"):
        _ask(bob, studio, checkpoint)
    services.set_model_policy(user=alice, team=studio, commercial_only=False)
    _ask(bob, studio, checkpoint)


def test_access_per_team_and_role(alice, bob, charlie, studio, checkpoint):
    checkpoint.teams.add(Team.objects.get(personal_of=charlie))
    assert not Checkpoint.objects.offered_to(alice, studio).exists()
    with pytest.raises(Refused, match="not for this team"):
        _ask(alice, studio, checkpoint)
    checkpoint.teams.set([studio])
    Checkpoint.objects.update(for_managers=True)
    checkpoint.refresh_from_db()
    assert Checkpoint.objects.offered_to(alice, studio).exists()
    assert not Checkpoint.objects.offered_to(bob, studio).exists()
    _ask(alice, studio, checkpoint)
    with pytest.raises(Refused, match="only for managers"):
        _ask(bob, studio, checkpoint)
    assert not Generation.objects.filter(job__owner=bob).exists()


def _fields(**more) -> dict[str, str]:
    return {"prompt": "a pear", "count": "1", "steps": "2", "format": "square", "checkpoint": "starter", **more}


def test_the_composer_offers_adapters_and_takes_them(as_, bob, studio, checkpoint):
    make_adapter(triggers=["wildly"])
    make_adapter(slug="other", name="Other", family="sdxl")
    make_adapter(slug="moon", name="Moon", kind=Adapter.Kind.EMBEDDING, word="moonlike")
    page = as_(bob).get("/").content.decode()
    assert 'data-adapter="wild"' in page
    assert 'data-insert="wildly"' in page
    assert 'data-insert="moonlike"' in page
    sent = as_(bob).post("/create/", _fields(adapters="wild:0.55"), headers={"HX-Request": "true"})
    assert sent.status_code == 200
    generation = Generation.objects.get()
    assert [(one["slug"], one["weight"]) for one in generation.adapters] == [("wild", 0.55)]
    assert "adapters=wild%3A0.55" in as_fragment(generation)
    for wrong in ("wild:much", "other:1", "none:1"):
        refused = as_(bob).post("/create/", _fields(adapters=wrong), headers={"HX-Request": "true"})
        assert refused.status_code == 422


def test_the_composer_asks_for_the_licence_at_first_use(as_, bob, victor, studio, checkpoint):
    Checkpoint.objects.update(must_accept=True)
    asked = as_(bob).post("/create/", _fields(), headers={"HX-Request": "true"})
    assert asked.status_code == 422
    accept = "/licences/model/starter/accept/"
    assert accept in asked.content.decode()
    assert as_(victor).post(accept).status_code == 403
    assert "is accepted" in as_(bob).post(accept, headers={"HX-Request": "true"}).content.decode()
    assert LicenceAcceptance.objects.get().user == bob
    assert as_(bob).post("/create/", _fields(), headers={"HX-Request": "true"}).status_code == 200
