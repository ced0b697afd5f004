"""Going by a picture on the Create page: offered where the model can, asked for, and said where it cannot be."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from gallery.models import Media
from generator.forms import as_fragment
from generator.models import Adapter, Checkpoint, Generation, Job

URL = reverse("generator:submit")
PAGE = reverse("generator:create")


@pytest.fixture
def guides(checkpoint) -> list[Adapter]:
    """A ControlNet for outlines and an IP-Adapter for the starter."""
    facts = {"family": checkpoint.family, "source": "/nowhere", "licence_name": "MIT", "commercial_use": "yes"}
    net = Adapter.objects.create(slug="lines", name="Lines", kind="controlnet", structure="edges", **facts)
    return [net, Adapter.objects.create(slug="look", name="Look", kind="ip-adapter", **facts)]


@pytest.fixture
def ask(as_, checkpoint):
    """`ask(user, picture, **values)`: sends the composer with that reference."""

    def post(user: User | None, picture: Media, **values):
        wanted = {"prompt": "a pear", "checkpoint": checkpoint.slug, "format": "square", "count": 1, "steps": 4}
        return as_(user).post(URL, {**wanted, "reference": str(picture.pk), "reference_as": "edges", **values})

    return post


def test_only_what_the_model_can_take_over_is_offered(as_, alice, guides, checkpoint):
    facts = {"family": "pixart", "source": "/x", "licence_name": "MIT", "commercial_use": "yes"}
    Checkpoint.objects.create(slug="plain", name="Plain", **facts)
    page = as_(alice).get(PAGE)
    assert {one.slug: one.guides for one in page.context["checkpoints"]} == {
        "starter": ["edges", "style"],
        "plain": [],
    }
    assert 'data-guides="edges style"' in page.content.decode()
    assert "These can: Starter." in page.content.decode()


def test_where_no_model_can_it_says_what_is_missing(as_, alice, checkpoint):
    page = as_(alice).get(PAGE)
    assert "No model here can go by a picture yet." in page.content.decode()


def test_what_leads_is_asked_about_once_for_all_models(as_, alice, guides):
    facts = {"source": "/x", "licence_name": "MIT", "commercial_use": "yes"}
    for number in range(5):
        Checkpoint.objects.create(slug=f"m{number}", name=f"M{number}", family=f"f{number}", **facts)
    client = as_(alice)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        client.get(PAGE)
    assert len([one for one in queries if "ip-adapter" in one["sql"] and "family" in one["sql"]]) == 1


def test_outlines_lead(ask, alice, make_media, guides):
    picture = make_media(alice)
    assert ask(alice, picture, reference_scale="0.8").status_code == 302
    asked = Generation.objects.get()
    assert (asked.way, asked.structure, asked.structure_kind, asked.structure_scale) == (
        "reference",
        picture,
        "edges",
        0.8,
    )
    assert (asked.reference, asked.source, asked.made_from) == (None, None, picture.pk)
    assert [one["slug"] for one in asked.adapters] == ["lines"]
    assert f"reference={picture.pk}&reference_as=edges&reference_scale=0.8" in as_fragment(asked)
    assert "adapters=&" in as_fragment(asked) + "&"  # what leads is no LoRA


def test_subject_and_style_are_taken_over(ask, alice, make_media, guides):
    picture = make_media(alice)
    ask(alice, picture, reference_as="style")
    asked = Generation.objects.get()
    assert (asked.way, asked.reference, asked.structure) == ("reference", picture, None)
    assert [one["slug"] for one in asked.adapters] == ["look"]
    assert f"reference={picture.pk}&reference_as=style" in as_fragment(asked)


@pytest.mark.parametrize(
    ("made_by", "says"),
    [
        ({"structure": {"kind": "edges", "scale": 0.8}}, "reference_as=edges&reference_scale=0.8"),
        ({"reference": {"scale": 0.7}}, "reference_as=style&reference_scale=0.7"),
    ],
)
def test_a_picture_that_was_led_brings_what_led_it(as_, alice, make_media, made_by, says):
    leading, picture = make_media(alice), make_media(alice)
    [facts] = made_by.values()
    facts["source"] = str(leading.pk)
    guide = {"slug": "look", "name": "Look", "kind": "ip-adapter", "word": "", "weight": 0.7}
    Media.objects.filter(pk=picture.pk).update(recipe={**made_by, "adapters": [guide]})
    page = as_(alice).get(reverse("gallery:picture", args=[picture.pk])).content.decode()
    assert f"reference={leading.pk}&{says}&adapters=".replace("&", "&amp;") in page
    assert "look%3A" not in page  # what leads is no LoRA


def test_a_picture_can_be_started_from_and_another_gone_by(ask, alice, make_media, guides):
    start, picture = make_media(alice), make_media(alice)
    ask(alice, picture, source=str(start.pk), strength="0.5")
    asked = Generation.objects.get()
    assert (asked.way, asked.source, asked.structure, asked.strength) == ("image", start, picture, 0.5)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"reference_as": ""}, "Choose what to take over"),
        ({"reference_as": "smell"}, "not one of the available choices"),
        ({"reference_as": "depth"}, "there is no ControlNet for “depth” here"),
        ({"reference_scale": "9"}, "A number from 0.05 to 2."),
        ({"reference": str(uuid.uuid4())}, "This picture cannot be gone by"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(ask, alice, make_media, guides, values, says):
    answer = ask(alice, make_media(alice), **values)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert ">a pear</textarea>" in answer.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("alice", 302), ("bob", 422), ("victor", 422), ("charlie", 422)])
def test_a_private_picture_leads_its_owner_only(ask, alice, bob, victor, charlie, make_media, guides, who, status):
    picture = make_media(alice, visibility="private")
    user = User.objects.get(email=f"{who}@example.com")
    assert ask(user, picture).status_code == status
    assert Job.objects.count() == (status == 302)


def test_strangers_are_led_to_sign_in(ask, alice, make_media, guides):
    assert ask(None, make_media(alice)).url.startswith(reverse("account_login"))
    assert not Job.objects.exists()


def test_the_list_says_what_its_pictures_are_for(as_, alice, make_media):
    make_media(alice)
    address = reverse("generator:references")
    assert "Go by: " in as_(alice).get(address, {"for": "reference"}).content.decode()
    assert "Start from: " in as_(alice).get(address).content.decode()


def test_no_other_kind_comes_in_as_a_lora(ask, alice, make_media, guides):
    answer = ask(alice, make_media(alice), adapters="lines:1")
    assert answer.status_code == 422
    assert "One of the LoRAs cannot be chosen any more" in str(answer.context["form"].errors["adapters"])
