"""Models, styles and formats by a key: what one may use, and where."""

import json
import uuid

import pytest

from accounts.models import Team
from generator.formats import FORMATS
from generator.models import Adapter, Checkpoint, LicenceAcceptance, ModelPolicy, StylePreset
from generator.services import accept_licence


@pytest.fixture
def shut(checkpoint) -> Checkpoint:
    """A second model, whose licence is to be accepted."""
    facts = {"family": "sdxl", "source": "/nowhere", "licence_name": "Research", "licence_url": "https://example.com/l"}
    return Checkpoint.objects.create(
        slug="house", name="House", native_size=1024, commercial_use="no", must_accept=True, **facts
    )


def _models(client, team: Team | None = None, path: str = "/api/v1/models") -> list:
    answer = client.get(path, {"team": str(team.pk)} if team else {}).json()
    return answer if isinstance(answer, list) else answer["data"]


def test_a_model_with_all_that_a_request_needs_to_know(calls, bob, studio, checkpoint):
    [told] = _models(calls(bob), studio)
    assert (told["slug"], told["family"], told["native_size"]) == ("starter", "starter", checkpoint.native_size)
    assert (told["steps"], told["guidance"]) == (checkpoint.default_steps, checkpoint.default_guidance)
    assert told["scheduler"] in told["schedulers"]
    assert all(checkpoint.suits(name) for name in told["schedulers"])
    assert {"text", "inpaint", "cutout"} <= set(told["ways"])
    assert "reference" not in told["ways"]  # nothing here leads it
    assert told["licence"]["name"] == checkpoint.licence_name
    assert told["licence"]["is_accepted"]


def test_a_licence_is_accepted_team_by_team(calls, bob, studio, shut):
    def is_accepted(team) -> bool:
        found = {model["slug"]: model for model in _models(calls(bob), team)}
        return found["house"]["licence"]["is_accepted"]

    assert not is_accepted(studio)
    accept_licence(user=bob, asset=shut, team=studio)
    assert is_accepted(studio)
    assert not is_accepted(None)  # in one's own team
    assert LicenceAcceptance.objects.count() == 1


def test_only_what_one_may_use_there(calls, bob, mona, victor, studio, shut):
    def slugs(user, team=studio) -> set[str]:
        return {model["slug"] for model in _models(calls(user), team)}

    assert slugs(bob) == {"starter", "house"}
    assert slugs(victor) == set()
    shut.for_managers = True
    shut.save()
    assert (slugs(bob), slugs(mona)) == ({"starter"}, {"starter", "house"})
    ModelPolicy.objects.create(team=studio, commercial_only=True)
    assert slugs(mona) == {"starter"}


def test_openais_clients_are_listed_the_same(calls, bob, studio, shut):
    client = calls(bob)
    assert {model["id"] for model in _models(client, path="/v1/models")} == {"starter", "house"}
    assert client.get("/v1/models/house").status_code == 200
    shut.teams.add(studio)
    assert {model["id"] for model in _models(client, path="/v1/models")} == {"starter"}  # in one's own team
    assert client.get("/v1/models/house").json()["error"]["code"] == "model_not_found"


def test_styles_that_the_team_is_offered(calls, bob, charlie, studio, checkpoint):
    StylePreset.objects.create(slug="ours", name="Ours", team=studio, template="{prompt}, ours", families=["starter"])
    StylePreset.objects.create(slug="old", name="Old", team=studio, is_enabled=False)
    told = calls(bob).get("/api/v1/presets", {"team": str(studio.pk)}).json()
    styles = {style["slug"]: style for style in told["styles"]}
    assert styles["ours"]["team"] == str(studio.pk)
    assert styles["ours"]["template"] == "{prompt}, ours"
    assert styles["3d-icon"]["team"] is None
    assert "old" not in styles
    assert [one["slug"] for one in told["formats"]] == [*FORMATS]
    assert "ours" not in {style["slug"] for style in calls(charlie).get("/api/v1/presets").json()["styles"]}


@pytest.mark.parametrize("path", ["/api/v1/models", "/api/v1/presets"])
def test_of_a_team_that_one_is_not_in_there_is_nothing(calls, charlie, studio, path):
    for team in (studio.pk, uuid.uuid4()):
        assert calls(charlie).get(path, {"team": str(team)}).status_code == 404


def _make(client, studio, adapters: list):
    asked = {"prompt": "a red apple", "team": str(studio.pk), "adapters": adapters}
    return client.post("/api/v1/generations", json.dumps(asked), content_type="application/json")


def test_a_request_goes_with_loras(calls, bob, studio, checkpoint):
    facts = {"family": "starter", "source": "/nowhere", "licence_name": "MIT", "commercial_use": "yes"}
    Adapter.objects.create(slug="wild", name="Wild", weight=0.8, **facts)
    Adapter.objects.create(slug="moon", name="Moon", **facts)
    made = _make(calls(bob), studio, [{"slug": "wild"}, {"slug": "moon", "weight": -0.5}])
    assert made.status_code == 201
    assert made.json()["settings"]["adapters"] == [
        {"slug": "wild", "name": "Wild", "kind": "lora", "weight": 0.8},
        {"slug": "moon", "name": "Moon", "kind": "lora", "weight": -0.5},
    ]
    again = calls(bob).post(f"/api/v1/jobs/{made.json()['id']}/retry").json()
    assert again["settings"]["adapters"] == made.json()["settings"]["adapters"]


@pytest.mark.parametrize(
    ("adapters", "path"),
    [
        ([{"slug": "gone"}], "body.adapters"),
        ([{"slug": "other"}], "body.adapters"),  # made for another family
        ([{"slug": "wild:2,other"}], "body.adapters.0.slug"),
        ([{"slug": "wild", "weight": 9}], "body.adapters.0.weight"),
    ],
)
def test_what_is_wrong_with_them_is_told_by_its_place(calls, bob, studio, checkpoint, adapters, path):
    Adapter.objects.create(slug="other", name="Other", family="sdxl", source="/nowhere", licence_name="MIT")
    answer = _make(calls(bob), studio, adapters)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == [path]
