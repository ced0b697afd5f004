"""The API as a whole: who is let in, how problems are told, what the schema says."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from jsonschema import Draft202012Validator

from accounts.models import ApiKey
from accounts.roles import Action
from accounts.services import create_api_key, revoke_api_key, set_active
from tests import deliveries, teaching, things
from tests.doors import PEOPLE, Door, act, maker_only, page, thing, undone

PROBLEM = "application/problem+json"


def _problem(response, status: int) -> dict:
    assert response.status_code == status
    assert response["Content-Type"] == PROBLEM
    body = response.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    return body


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer atl_nothing"}, {"Authorization": "Basic YTpi"}])
def test_strangers_are_told_how_to_come_in(db, header):
    response = Client(headers=header).get("/api/v1/me")
    _problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_key_stands_for_its_person(calls, alice, studio):
    body = calls(alice, ApiKey.Scope.READ).get("/api/v1/me").json()
    assert (body["email"], body["key"]["scope"]) == ("alice@example.com", "read")
    assert {team["name"]: team["role"] for team in body["teams"]} == {"Personal": "owner", "Studio": "owner"}
    assert body["pictures_left_today"] <= body["pictures_per_day"]


def test_what_no_longer_opens(alice):
    key, token = create_api_key(user=alice, name="A")
    client = Client(headers={"Authorization": f"Bearer {token}"})
    set_active(user=alice, active=False)
    _problem(client.get("/api/v1/me"), 401)
    set_active(user=alice, active=True)
    assert client.get("/api/v1/me").status_code == 200
    revoke_api_key(user=alice, key=key)
    _problem(client.get("/api/v1/me"), 401)


def test_a_key_to_read_changes_nothing(calls, bob, make_job):
    job = make_job(bob)
    body = _problem(calls(bob, ApiKey.Scope.READ).post(f"/api/v1/jobs/{job.pk}/cancel"), 403)
    assert "only read" in body["detail"]
    job.refresh_from_db()
    assert job.state == "queued"


def test_a_session_needs_the_token_that_pages_have(as_, bob, make_job):
    job = make_job(bob)
    assert as_(bob).get("/api/v1/me").json()["key"] is None
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = as_(bob).cookies
    assert strict.get(f"/api/v1/jobs/{job.pk}").status_code == 200
    assert strict.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 403
    job.refresh_from_db()
    assert job.state == "queued"


def test_a_malformed_request_is_told_where(calls, bob):
    client = calls(bob)
    body = _problem(client.get("/api/v1/jobs?limit=0&state=sleeping"), 422)
    assert {error["path"] for error in body["errors"]} == {"query.limit", "query.state"}
    assert [error["path"] for error in _problem(client.get("/api/v1/jobs?cursor=x"), 422)["errors"]] == ["query.cursor"]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", ["nothing/here", "albums/%0A/order"])
def test_an_unknown_address_is_a_problem_too(db, method, address):
    _problem(getattr(Client(), method)(f"/api/v1/{address}"), 404)


def test_the_schema_describes_every_address(db):
    schema = Client().get("/api/v1/openapi.json").json()
    assert schema["openapi"] == "3.1.0"
    assert {"/api/v1/me", "/api/v1/jobs", "/api/v1/jobs/{pk}", "/api/v1/queue", "/api/v1/workers"} <= set(
        schema["paths"]
    )
    assert set(schema["components"]["securitySchemes"]) == {"BearerKey", "OwnSession"}
    operations = [one for path in schema["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names))


OWN = maker_only(method="get", opens=200, refused=404)
CURATED = act(Action.CURATE, own=True, opens=200)
CURATED_AWAY = act(Action.CURATE, own=True, opens=204)
# method and address; the things are bob's
DOORS = {
    "get /api/v1/me": page(),
    "get /api/v1/quotas": page(),
    "get /api/v1/media": page(),
    "get /api/v1/media/{pk}": thing(),
    "get /api/v1/media/{pk}/file": thing(),
    "patch /api/v1/media/{pk}": CURATED,
    "delete /api/v1/media/{pk}": CURATED_AWAY,
    "post /api/v1/media/{pk}/restore": act(Action.CURATE, own=True, opens=200, refused=404),
    "put /api/v1/media/{pk}/like": act(Action.VIEW, opens=200),
    "delete /api/v1/media/{pk}/like": act(Action.VIEW, opens=200),
    "put /api/v1/media/{pk}/stars": act(Action.COMMENT, opens=200),
    "get /api/v1/media/{pk}/comments": thing(),
    "post /api/v1/media/{pk}/comments": act(Action.COMMENT, opens=201),
    "get /api/v1/comments/{pk}": thing(),
    "patch /api/v1/comments/{pk}": maker_only(opens=200),
    "delete /api/v1/comments/{pk}": CURATED_AWAY,
    "get /api/v1/media/{pk}/reviews": thing(),
    "post /api/v1/media/{pk}/reviews": act(Action.ORGANISE, opens=201),
    "get /api/v1/reviewers": page(),
    "get /api/v1/reviews": page(),
    "get /api/v1/reviews/{pk}": thing(),
    "post /api/v1/reviews/{pk}/decisions": act(Action.REVIEW, opens=201),
    "post /api/v1/reviews/{pk}/withdraw": CURATED,
    "get /api/v1/albums": page(),
    "post /api/v1/albums": act(Action.ORGANISE, opens=201, outside=422),  # charlie is told of no such team
    "get /api/v1/albums/{pk}": thing(),
    "patch /api/v1/albums/{pk}": CURATED,
    "delete /api/v1/albums/{pk}": CURATED_AWAY,
    "get /api/v1/albums/{pk}/pictures": thing(),
    "post /api/v1/albums/{pk}/pictures": CURATED,
    "delete /api/v1/albums/{pk}/pictures/{media}": CURATED_AWAY,
    "post /api/v1/albums/{pk}/order": CURATED,
    "put /api/v1/albums/{pk}/cover": CURATED,
    "get /api/v1/albums/{pk}/members": thing(),
    "post /api/v1/albums/{pk}/members": CURATED,
    # it is victor's own right
    "delete /api/v1/albums/{pk}/members/{person}": act(Action.CURATE, own=True, opens=204, exceptions={"victor": 204}),
    "get /api/v1/models": page(),
    "get /api/v1/presets": page(),
    "get /api/v1/jobs": page(),
    "get /api/v1/jobs/{pk}": thing(),
    "post /api/v1/jobs/{pk}/cancel": act(Action.MANAGE_JOBS, own=True, opens=200),
    "post /api/v1/jobs/{pk}/pause": act(Action.MANAGE_JOBS, own=True, opens=200),
    "post /api/v1/jobs/{pk}/resume": act(Action.MANAGE_JOBS, own=True, opens=200),
    "post /api/v1/jobs/{pk}/retry": act(Action.CREATE, opens=201),
    "get /api/v1/jobs/{pk}/events": thing(),
    "post /api/v1/generations": act(Action.CREATE, opens=201, outside=422),  # charlie is told of no such team
    "post /api/v1/batches": act(Action.CREATE, opens=201, outside=422),
    "post /api/v1/batches/estimate": act(Action.CREATE, opens=200, outside=422),
    "get /api/v1/batches/{pk}": thing(),
    "get /api/v1/batches/{pk}/media": thing(),
    "post /api/v1/batches/{pk}/data-set": act(Action.VIEW, opens=409),  # it has not ended
    "post /api/v1/batches/{pk}/cancel": act(Action.MANAGE_JOBS, own=True, opens=200),
    "get /api/v1/queue": page(),
    "get /api/v1/workers": Door(opens=403, outside=None),  # for administrators
    "get /api/v1/channels": page(),
    "get /api/v1/exports": page(),
    "post /api/v1/exports": act(None, opens=200, outside=409),  # charlie sees no picture of the studio's
    "get /api/v1/exports/{pk}": OWN,
    "get /api/v1/exports/{pk}/file": OWN,
    "delete /api/v1/exports/{pk}": maker_only(method="delete", opens=204, refused=404),
    "post /api/v1/uploads": act(None, opens=200, outside=None),  # into one's own team, where none is named
    "get /api/v1/uploads/{pk}": OWN,
    "post /api/v1/uploads/{pk}/files": maker_only(opens=200, refused=404),
    "put /api/v1/uploads/{pk}/files/{file}": maker_only(method="put", opens=200, refused=404),
    "post /api/v1/uploads/{pk}/files/{file}/finish": maker_only(opens=200, refused=404),
    "post /api/v1/uploads/{pk}/undo": maker_only(opens=200, refused=404),
    **teaching.OVER_THE_API,
}


BODIES = {
    "post /api/v1/generations": {"prompt": "a rocket"},
    "post /api/v1/batches": (many := {"name": "Rockets", "generations": [{"prompt": "a rocket"}]}),
    "post /api/v1/batches/estimate": many,
}


def _thing(door: str, bob, make_job, make_batch, **more):
    """What the address is about: a batch or a job of bob's."""
    return make_batch(bob, prompts=1, **more) if "/batches/" in door else make_job(bob, **more)


def _empty(door: str) -> dict:
    """What is sent where nothing need be said; Django's client would post a form."""
    return {"content_type": "application/json"} if door.startswith("post") else {}


def test_no_address_is_missing_from_the_table(db):
    paths = Client().get("/api/v1/openapi.json").json()["paths"]
    assert {f"{method} {path}" for path, methods in paths.items() for method in methods} == set(DOORS)


@pytest.mark.parametrize("door", DOORS)
def test_who_gets_in(calls, everybody, studio, make_job, make_batch, make_media, door):
    bob, answers = everybody["bob"], {}
    for person, user in everybody.items():
        with undone():
            client = calls(user) if user else Client()
            found = next((it for of in (deliveries, things, teaching) if (it := of.call(door, bob, make_media))), None)
            path, options = found or (
                door.format(pk=_thing(door, bob, make_job, make_batch).pk).split()[1],
                _empty(door),
            )
            if door in BODIES:
                options = {"data": {**BODIES[door], "team": str(studio.pk)}, "content_type": "application/json"}
            response = getattr(client, door.split()[0])(path, **options)
        answers[person] = response.status_code
        if response.status_code >= 400:
            _problem(response, response.status_code)
    assert answers == {person: DOORS[door].answers(person) if person else 401 for person in PEOPLE}


@pytest.mark.parametrize("door", [door for door in DOORS if re.search("/(jobs|batches)/{pk}", door)])
def test_a_private_job_exists_for_nobody_else(calls, alice, bob, make_job, make_batch, door):
    method, path = door.format(pk=_thing(door, bob, make_job, make_batch, visibility="private").pk).split()
    _problem(getattr(calls(alice), method)(path, **_empty(door)), 404)
    assert getattr(calls(bob), method)(path, **_empty(door)).status_code == DOORS[door].opens


# Nobody can be asked about a private picture: gallery/test_reviews.py.
HIDDEN = [
    door
    for door in DOORS
    if re.search("/(media|albums|comments)/{pk}", door) and door != "post /api/v1/media/{pk}/reviews"
]


@pytest.mark.parametrize("door", HIDDEN)
def test_a_private_picture_exists_for_nobody_else(calls, alice, bob, make_media, door):
    path, options = things.call(door, bob, make_media, "private")
    method = door.split()[0]
    _problem(getattr(calls(alice), method)(path, **options), 404)
    assert getattr(calls(bob), method)(path, **options).status_code == DOORS[door].opens


def test_every_operation_has_examples_that_its_schema_allows(db):
    schema = Client().get("/api/v1/openapi.json").json()
    found = 0
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            for told in [operation.get("requestBody", {}), *operation["responses"].values()]:
                for content in told.get("content", {}).values():
                    if "example" in content:
                        checked = Draft202012Validator({**content["schema"], "components": schema["components"]})
                        errors = [error.message for error in checked.iter_errors(content["example"])]
                        assert errors == [], f"{method} {path}"
                        found += 1
    assert found > len(schema["paths"])


def test_its_page_needs_nothing_from_elsewhere(db):
    response = Client().get("/api/v1/docs")
    page = response.content.decode()
    assert "ninja/swagger-ui-bundle.js" in page
    assert "https://" not in page
    assert "'self'" in response["Content-Security-Policy"]
    assert all(finders.find(f"ninja/{name}") for name in re.findall(r'/ninja/([^"?]+)"', page))


def test_a_key_is_made_where_the_way_to_that_page_is_shown(as_, alice):
    assert 'href="/api/v1/docs"' in as_(alice).get("/account/keys/").content.decode()


def test_a_key_alone_says_who_calls(as_, alice, bob):
    """A session that comes along counts for nothing, whether the key opens or not; nor is a new one begun."""
    key, token = create_api_key(user=bob, name="B")
    client = as_(alice)
    headers = {"Authorization": f"Bearer {token}"}
    response = client.get("/api/v1/me", headers=headers)
    assert (response.json()["email"], response.cookies) == ("bob@example.com", {})
    assert client.get("/api/v1/me").json()["email"] == "alice@example.com"
    revoke_api_key(user=bob, key=key)
    _problem(client.get("/api/v1/me", headers=headers), 401)


def test_answers_to_keys_are_guarded_as_pages_are(calls, as_, bob):
    by_key, by_session = calls(bob).get("/api/v1/me"), as_(bob).get("/api/v1/me")
    for name in ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control", "Content-Length"):
        assert by_key[name], name
    for name in ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Cache-Control"):
        assert by_key[name] == by_session[name]
    assert by_key["X-Request-ID"]
    assert calls(bob).get("/api/v1/me", headers={"Host": "evil.example"}).status_code == 400
