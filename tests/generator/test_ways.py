"""Ways from a picture, as services take them: who may go on with what, what is filled in, what it costs."""

import io
from functools import partial

import pytest
import torch
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from accounts.models import Membership, Team
from gallery.models import Media
from generator import queue, services
from generator.diffusion.ways import esrgan
from generator.diffusion.ways.spec import Margins, Variation
from generator.models import Adapter, Generation, Job
from tests.generator.worker.running import run_next


@pytest.fixture
def source(make_media, alice) -> Media:
    """A picture of alice's, 64 pixels a side, that the team sees."""
    return make_media(alice)


@pytest.fixture
def ask(alice, studio, checkpoint, source):
    """Asks for a way from `source`, as alice unless said otherwise."""

    def ask(way: str, **settings) -> Job:
        wanted = {"user": alice, "team": studio, "checkpoint": checkpoint, "source": source, "prompt": "an apple"}
        return services.create_generation(**wanted | {"way": way} | settings)

    return ask


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def mask_of(size=(64, 64), box=(10, 10, 30, 30), mode="L") -> Image.Image:
    mask = Image.new(mode, size)
    ImageDraw.Draw(mask).rectangle(box, fill="white")
    return mask


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("person", "allowed"), [("alice", True), ("bob", True), ("victor", False), ("charlie", False)])
def test_who_may_go_on_with_a_picture_of_the_team(person, allowed, request, ask):
    user = request.getfixturevalue(person)
    if allowed:
        assert ask("image", user=user).generation.source
    else:
        with pytest.raises(PermissionDenied):
            ask("image", user=user)


def test_a_private_picture_is_its_makers(ask, source, bob):
    Media.objects.update(visibility=Media.Visibility.PRIVATE)
    assert ask("image")
    with pytest.raises(PermissionDenied):
        ask("image", user=bob)


def test_what_a_team_made_goes_on_elsewhere_by_its_makers_hand_or_once_published(ask, source, alice, bob):
    other = Team.objects.create(name="Other")
    for user in (alice, bob):
        Membership.objects.create(team=other, user=user, role="creator")
    assert ask("image", team=other)
    with pytest.raises(PermissionDenied):
        ask("image", team=other, user=bob)
    Media.objects.update(visibility=Media.Visibility.PUBLISHED)
    assert ask("image", team=other, user=bob)


def test_a_retry_asks_again_whether_the_picture_may_be_used(ask, source, bob):
    job = ask("image", user=bob)
    Media.objects.update(visibility=Media.Visibility.PRIVATE)
    with pytest.raises(PermissionDenied):
        services.retry_job(user=bob, job=job)


# --- what is filled in -----------------------------------------------------------------------------------------------


def test_a_picture_keeps_its_proportions_unless_a_format_is_chosen(ask, source, checkpoint):
    Media.objects.update(width=1280, height=640)
    source.refresh_from_db()
    made = ask("image").generation
    assert (made.width / made.height, made.count) == (pytest.approx(2, rel=0.1), 1)
    banner = ask("image", format="banner").generation
    assert banner.width / banner.height == pytest.approx(3, rel=0.1)


def test_only_the_steps_that_are_run_are_paid_for(ask):
    half, whole = (ask("image", strength=strength, steps=10) for strength in (0.5, 1.0))
    assert (half.steps, whole.steps) == (5, 10)
    assert half.cost < whole.cost


def test_a_mask_is_kept_in_one_channel_and_goes_with_the_last_request_for_it(
    ask, alice, django_capture_on_commit_callbacks
):
    job = ask("inpaint", mask=png(mask_of(mode="RGB")), feather=3)
    made = Generation.objects.get(pk=job.pk)
    with Image.open(made.mask) as kept:
        assert (kept.mode, kept.size, kept.getbbox()) == ("L", (64, 64), (10, 10, 31, 31))
    again = services.retry_job(user=alice, job=job)
    storage, name = made.mask.storage, made.mask.name
    for one, left in ((job, True), (again, False)):
        with django_capture_on_commit_callbacks(execute=True):
            Job.objects.get(pk=one.pk).delete()
        assert storage.exists(name) is left


def test_what_is_clear_in_a_mask_counts_as_painted(ask):
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 255))
    clear.paste((0, 0, 0, 0), (0, 0, 20, 20))
    with Image.open(ask("inpaint", mask=png(clear)).generation.mask) as kept:
        assert kept.getbbox() == (0, 0, 20, 20)


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (None, "Paint over"),
        (b"no picture", "no PNG"),
        (png(mask_of())[:60], "no PNG"),
        (png(mask_of(size=(32, 32))), "32 × 32 pixels, the picture 64 × 64"),
        (png(Image.new("L", (64, 64))), "mask is empty"),
        (b"x" * (8 * 1024**2 + 1), "too large"),
    ],
    ids=["none", "text", "cut off", "other size", "black", "huge"],
)
def test_a_mask_that_is_none_is_refused_and_nothing_kept(ask, settings, mask, says):
    with pytest.raises(services.Refused, match=says):
        ask("inpaint", mask=mask)
    assert not list(settings.MEDIA_ROOT.glob("masks/**/*.png"))


def test_a_mask_of_a_refused_request_is_not_kept(ask, settings, charlie):
    with pytest.raises(PermissionDenied):
        ask("inpaint", mask=png(mask_of()), user=charlie)
    assert not list(settings.MEDIA_ROOT.glob("masks/**/*.png"))


def test_extending_by_pixels_and_to_a_format(ask):
    made = ask("outpaint", extend=Margins(left=16, bottom=8)).generation
    assert (made.width, made.height) == (80, 72)
    made = ask("outpaint", extend="banner").generation
    assert (made.width, made.height, made.extend["left"]) == (192, 64, 64)
    with pytest.raises(services.Refused, match="that format already"):
        ask("outpaint", extend="square")


def test_a_near_variation_goes_on_with_what_made_the_picture(ask, source, checkpoint):
    recipe = {"seed": 7, "steps": 9, "guidance": 2.5, "scheduler": "euler", "negative_prompt": "blue"}
    Media.objects.update(recipe=recipe, prompt="a pear")
    source.refresh_from_db()
    job = services.create_generation(
        user=source.owner,
        team=source.team,
        checkpoint=checkpoint,
        way="vary",
        source=source,
        variation_amount=0.2,
        count=3,
    )
    spec = services.spec_of(job.generation)
    assert (spec.prompt, spec.seeds, spec.steps, spec.negative_prompt) == ("a pear", (7, 7, 7), 9, "blue")
    assert spec.start is None
    assert spec.variation == Variation(seed=15, amount=0.2)


@pytest.mark.parametrize(("way", "says"), [("image", "Choose a picture"), ("reference", "Choose a picture to go by")])
def test_a_way_from_a_picture_needs_one(ask, way, says):
    with pytest.raises(services.Refused, match=says):
        ask(way, source=None)


def test_a_guide_that_is_not_installed_is_refused_before_it_waits(ask, source, checkpoint):
    with pytest.raises(services.Refused, match="there is no ControlNet for “edges”"):
        ask("reference", source=None, structure=source, structure_kind="edges")
    with pytest.raises(services.Refused, match="there is no IP-Adapter"):
        ask("reference", source=None, reference=source)
    assert "reference" not in services.ways_of(
        services.guides_of_each([checkpoint], source.owner, source.team)[checkpoint.slug]
    )


def test_what_another_team_has_for_itself_leads_nothing_here(ask, source, checkpoint):
    facts = {"family": checkpoint.family, "kind": "ip-adapter", "licence_name": "MIT", "commercial_use": "yes"}
    theirs = Adapter.objects.create(slug="theirs", name="A look", source="/theirs", **facts)
    theirs.teams.add(Team.objects.create(name="Others"))
    with pytest.raises(services.Refused, match="there is no IP-Adapter"):
        ask("reference", source=None, reference=source)
    ours = Adapter.objects.create(slug="ours", name="Our look", source="/ours", **facts)
    ours.teams.add(source.team)
    made = ask("reference", source=None, reference=source).generation
    assert [entry["slug"] for entry in made.adapters] == ["ours"]
    assert services.guides_of_each([checkpoint], source.owner, source.team) == {checkpoint.slug: ["style"]}


def test_asking_takes_few_queries(ask, django_assert_max_num_queries, source):
    ask("image")
    with django_assert_max_num_queries(30):
        ask("image")


def test_cost_is_in_seconds_of_the_work_there_is(ask, source):
    Media.objects.update(width=640, height=640)
    source.refresh_from_db()
    job = ask("inpaint", mask=png(mask_of((640, 640))), strength=1.0, steps=4)
    made = job.generation
    assert (made.width, made.height) == (640, 640)
    assert made.work == (128 * 128, 4)  # the part that the model works on, not the whole picture
    assert job.cost == services.cost_of(made, queue.Paces.read())


# --- what enlarges ---------------------------------------------------------------------------------------------------


@pytest.fixture
def upscaler(tmp_path) -> Adapter:
    """A tiny Real-ESRGAN network in the catalogue."""
    torch.manual_seed(0)
    save_file(esrgan.Residual(16, 1, 8).state_dict(), tmp_path / "large.safetensors")
    facts = {"licence_name": "BSD-3", "commercial_use": "yes", "weights_hash": "abc", "family": "other"}
    source = str(tmp_path / "large.safetensors")
    return Adapter.objects.create(slug="large", name="Large", kind="upscaler", source=source, **facts)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["upscale", "hires"])
def test_an_upscaler_of_the_catalogue_enlarges_and_stands_in_the_recipe(ask, source, upscaler, way):
    plain, chosen = ask(way, factor=2, steps=2), ask(way, factor=2, steps=2, upscaler=upscaler)
    for _job in (plain, chosen):
        run_next()
    made = [Media.objects.get(job=job.pk) for job in (plain, chosen)]
    pixels = []
    for media in made:
        with Image.open(media.file) as image:
            pixels.append((image.size, image.convert("RGB").tobytes()))
    assert pixels[0][0] == pixels[1][0] == (128, 128)
    assert pixels[0][1] != pixels[1][1]
    assert "upscaler" not in made[0].recipe
    entry = made[1].recipe["upscaler"]
    assert (entry["name"], entry["hash"], entry["licence"]) == ("Large", "abc", "BSD-3")


def test_only_upscalers_enlarge_and_only_where_something_is_enlarged(ask, upscaler):
    Adapter.objects.filter(pk=upscaler.pk).update(kind="lora")
    upscaler.refresh_from_db()
    with pytest.raises(services.Refused, match="“Large” cannot be used here"):
        ask("upscale", factor=2, upscaler=upscaler)
    Adapter.objects.filter(pk=upscaler.pk).update(kind="upscaler")
    upscaler.refresh_from_db()
    with pytest.raises(services.Refused, match="“Large” cannot be used here"):
        ask("image", upscaler=upscaler)


def test_an_upscaler_of_another_team_or_not_accepted_is_refused(ask, upscaler):
    Adapter.objects.filter(pk=upscaler.pk).update(must_accept=True)
    upscaler.refresh_from_db()
    with pytest.raises(services.LicenceNotAccepted):
        ask("upscale", factor=2, upscaler=upscaler)
    upscaler.teams.add(Team.objects.create(name="Other"))
    with pytest.raises(services.Refused, match="not for this team"):
        ask("upscale", factor=2, upscaler=upscaler)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trouble", ["gone", "broken"])
def test_an_upscaler_that_cannot_be_used_is_named(ask, upscaler, trouble):
    job = ask("upscale", factor=2, upscaler=upscaler)
    if trouble == "gone":
        upscaler.delete()
    else:
        save_file({"x": torch.zeros(1)}, upscaler.source)
    run_next()
    job.refresh_from_db()
    assert job.state == "failed"
    assert "“Large”" in job.reason


def test_the_edit_page_offers_them_and_asks_for_the_licence(as_, bob, source, upscaler, checkpoint):
    upscaler.must_accept = True
    upscaler.save()
    page = as_(bob).get(reverse("generator:edit", args=[source.pk]) + "?way=upscale").content.decode()
    assert '<option value="large">Large · BSD-3</option>' in page
    values = {"way": "upscale", "checkpoint": "starter", "factor": "2", "upscaler": "large"}
    send = partial(as_(bob).post, reverse("generator:make_edit", args=[source.pk]), values)
    answer = send(headers={"Accept": "application/json"})
    assert answer.status_code == 422
    assert reverse("generator:accept_licence", args=["adapter", "large"]) in answer.json()["licence"]
    as_(bob).post(reverse("generator:accept_licence", args=["adapter", "large"]))
    assert send(headers={"Accept": "application/json"}).status_code == 201
    assert Generation.objects.get().adapters[0]["slug"] == "large"
    upscaler.teams.add(Team.objects.create(name="Other"))
    assert not as_(bob).get(reverse("generator:edit", args=[source.pk])).context["upscalers"]
    assert send(headers={"Accept": "application/json"}).status_code == 422
