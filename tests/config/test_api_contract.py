"""The API stays what its clients were written for: docs/openapi.json, which this compares it with."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
from django.test import Client

from tests.api_contract import breaks

KEPT = Path("docs/openapi.json")


@pytest.fixture
def kept() -> dict:
    return json.loads(KEPT.read_text())


def test_nothing_that_clients_rely_on_has_changed(db, kept):
    now = Client().get("/api/v1/openapi.json").json()
    assert breaks(kept, now) == [], (
        "Clients rely on this: keep it, and add what is new beside it. If it must go, say so in docs/api.md, then run "
        "`make api-schema`."
    )
    assert now == kept, "Nothing breaks, but docs/openapi.json is of before: run `make api-schema` and commit it."


def _album(schema: dict) -> dict:
    return schema["components"]["schemas"]["AlbumOut"]


def _right(schema: dict) -> list:
    return schema["components"]["schemas"]["Right"]["enum"]


def _drop(where: dict, key: str) -> None:
    del where[key]


def _set(where: dict, **values: object) -> None:
    where.update(values)


BROKEN: dict[str, Callable[[dict], object]] = {
    "GET /api/v1/queue is gone": lambda it: _drop(it["paths"], "/api/v1/queue"),
    "PATCH /api/v1/albums/{pk} is gone": lambda it: _drop(it["paths"]["/api/v1/albums/{pk}"], "patch"),
    "answer 200.cover is gone": lambda it: _drop(_album(it)["properties"], "cover"),
    "answer 200.owner.name is gone": lambda it: _drop(it["components"]["schemas"]["PersonOut"]["properties"], "name"),
    "answer 200.name may be left out now": lambda it: _album(it)["required"].remove("name"),
    "answer 200.pictures may be string now": lambda it: _set(_album(it)["properties"]["pictures"], type="string"),
    "answer 200.name may be null now": lambda it: _set(
        _album(it)["properties"], name={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "answer 200[].right is never “edit” any more": lambda it: _right(it).remove("edit"),
    "body.visibility is never “published” any more": lambda it: it["components"]["schemas"]["AlbumIn"]["properties"][
        "visibility"
    ]["enum"].remove("published"),
    "body.team is required now": lambda it: _set(it["components"]["schemas"]["AlbumIn"], required=["name", "team"]),
    "body.description is gone": lambda it: _drop(it["components"]["schemas"]["AlbumIn"]["properties"], "description"),
    "body.stars may be no integer any more": lambda it: _set(
        it["components"]["schemas"]["StarsIn"]["properties"]["stars"], type="string"
    ),
    "the parameter tab is gone": lambda it: _set(it["paths"]["/api/v1/albums"]["get"], parameters=[]),
    "the parameter limit is required now": lambda it: [
        _set(one, required=True) for one in it["paths"]["/api/v1/media"]["get"]["parameters"] if one["name"] == "limit"
    ],
    "the answer 201 is gone": lambda it: _drop(it["paths"]["/api/v1/albums"]["post"]["responses"], "201"),
}


@pytest.mark.parametrize("told", BROKEN)
def test_what_lets_clients_down_is_told(kept, told):
    changed = deepcopy(kept)
    BROKEN[told](changed)
    assert any(told in one for one in breaks(kept, changed)), breaks(kept, changed)


def test_what_is_added_breaks_nothing(kept):
    changed = deepcopy(kept)
    _set(_album(changed)["properties"], mood={"type": "string"})
    _album(changed)["required"].append("mood")
    _set(changed["components"]["schemas"]["AlbumIn"]["properties"], mood={"type": "string", "default": ""})
    _right(changed).append("own")
    changed["paths"]["/api/v1/moods"] = {"get": changed["paths"]["/api/v1/me"]["get"]}
    changed["paths"]["/api/v1/albums"]["get"]["summary"] = "All albums"
    assert breaks(kept, changed) == []
