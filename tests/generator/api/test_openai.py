"""What OpenAI's clients are told without waiting for a picture. With their own client: tests/e2e/test_openai.py."""

import json
from io import BytesIO

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from PIL import Image

from accounts.models import Team, User
from accounts.services import create_api_key
from gallery.services import set_policy
from generator.api.openai import render
from generator.api.openai.wants import ImagesIn
from generator.models import Checkpoint, Job, ModelPolicy


@pytest.fixture
def house(checkpoint) -> Checkpoint:
    """A second model."""
    return Checkpoint.objects.create(slug="house", name="House", family="sdxl", source="/nowhere", native_size=1024)


async def _refusal(user: User, team: Team, **asked) -> tuple[int, str | None]:
    """(status, code) of a request that makes nothing."""
    _key, token = await sync_to_async(create_api_key)(user=user, name="Test", scope="write", team=team)
    body = json.dumps({"prompt": "a red apple, 3d icon", **asked})
    headers = {"Authorization": f"Bearer {token}"}
    answer = await AsyncClient().post("/v1/images/generations", body, content_type="application/json", headers=headers)
    assert not await Job.objects.aexists()
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda house: Checkpoint.objects.filter(pk=house.pk).update(is_enabled=False),
        lambda house: Checkpoint.objects.filter(pk=house.pk).update(for_managers=True),
        lambda house: house.teams.add(Team.objects.create(name="Others")),
        lambda house: (
            Checkpoint.objects.filter(pk=house.pk).update(commercial_use="no"),
            ModelPolicy.objects.create(team=Team.objects.get(name="Studio"), commercial_only=True),
        ),
    ],
    ids=["switched off", "for managers", "for another team", "not for commerce"],
)
async def test_a_model_that_one_may_not_use_is_as_one_that_is_not_there(bob, studio, house, change):
    assert await _refusal(bob, studio, model="nothing") == (404, "model_not_found")
    await sync_to_async(change)(house)
    assert await _refusal(bob, studio, model="house") == (404, "model_not_found")


def test_a_picture_leaves_as_it_is_kept_unless_it_is_to_be_otherwise(alice, bob, make_media):
    media = make_media(bob)
    kept = media.file.open("rb").read()
    assert render.picture(media, render.Look()) == kept
    assert render.picture(media, render.Look(size=(media.width, media.height))) == kept
    assert Image.open(BytesIO(render.picture(media, render.Look(size=(32, 16))))).size == (32, 16)
    assert Image.open(BytesIO(render.picture(media, render.Look(file="webp")))).format == "WEBP"
    set_policy(user=alice, team=media.team, marks_drafts=True)
    media.refresh_from_db()
    assert render.picture(media, render.Look()) != kept


def test_who_may_use_it_gets_it(alice, bob, studio, house):
    Checkpoint.objects.filter(pk=house.pk).update(for_managers=True)
    [asked] = ImagesIn(prompt="a shoe", model="house").requests(alice, studio)
    assert asked["checkpoint"] == house


def test_without_a_name_the_first_that_one_may_use_draws(bob, studio, checkpoint, house):
    [asked] = ImagesIn(prompt="a shoe").requests(bob, studio)
    assert asked["checkpoint"] == checkpoint
    Checkpoint.objects.filter(pk=checkpoint.pk).update(for_managers=True)
    [asked] = ImagesIn(prompt="a shoe").requests(bob, studio)
    assert asked["checkpoint"] == house


@pytest.mark.django_db(transaction=True)
async def test_who_makes_no_pictures_is_told_so(victor, studio, checkpoint):
    status, _code = await _refusal(victor, studio, model="starter")
    assert status == 403
