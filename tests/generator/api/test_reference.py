"""Going by a picture over REST: told by the models, taken with a request, for whoever may use the picture."""

import json

import pytest

from accounts.models import User
from generator.models import Adapter, Generation, Job


@pytest.fixture
def net(checkpoint) -> Adapter:
    """A ControlNet for the starter that follows depths."""
    facts = {"family": checkpoint.family, "source": "/nowhere", "licence_name": "MIT", "commercial_use": "yes"}
    return Adapter.objects.create(slug="deep", name="Deep", kind="controlnet", structure="depth", **facts)


def _ask(client, path="generations", **values):
    wanted = {"prompt": "a pear", **values}
    if path == "batches":
        wanted = {"name": "Pears", "generations": [wanted]}
    return client.post(f"/api/v1/{path}", json.dumps(wanted), content_type="application/json")


def test_models_tell_what_they_can_go_by(calls, bob, net):
    [model] = calls(bob).get("/api/v1/models").json()
    assert (model["guides"], model["structures"]) == (["depth"], ["depth"])
    assert "reference" in model["ways"]


@pytest.mark.parametrize("path", ["generations", "batches"])
def test_a_request_goes_by_a_picture(calls, alice, make_media, net, studio, path):
    picture = make_media(alice, visibility="published")
    values = {"reference": str(picture.pk), "reference_as": "depth", "reference_scale": 0.5}
    assert _ask(calls(alice), path, **values).status_code == 201
    asked = Generation.objects.get()
    assert (asked.structure, asked.structure_kind, asked.structure_scale) == (picture, "depth", 0.5)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"reference_as": None}, "reference_as"),
        ({"reference_as": "smell"}, "reference_as"),
        ({"reference_scale": 9}, "reference_scale"),
    ],
)
def test_a_mistake_is_named(calls, alice, make_media, net, values, where):
    picture = make_media(alice, visibility="published")
    answer = _ask(calls(alice), **{"reference": str(picture.pk), "reference_as": "depth", **values})
    assert answer.status_code == 422
    assert f"body.{where}" in answer.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("alice", 201), ("bob", 422), ("charlie", 422)])
def test_a_private_picture_leads_its_owner_only(calls, alice, bob, charlie, make_media, studio, net, who, status):
    picture = make_media(alice, visibility="private")
    user = User.objects.get(email=f"{who}@example.com")
    team = {} if who == "charlie" else {"team": str(studio.pk)}
    assert _ask(calls(user), reference=str(picture.pk), reference_as="depth", **team).status_code == status
    assert Job.objects.count() == (status == 201)


def test_strangers_make_nothing(client, alice, make_media, net):
    picture = make_media(alice, visibility="published")
    assert _ask(client, reference=str(picture.pk), reference_as="depth").status_code == 401
