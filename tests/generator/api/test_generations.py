"""Asking for pictures by a key: made once, told where it is wrong, followed to its end."""

import json
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from accounts.models import Answered
from accounts.services import create_api_key
from gallery.models import Media
from generator import events
from generator.models import Generation, Job, State

ASKED = {"prompt": "a red apple, 3d icon", "count": 2, "seed": 7, "steps": 4}


def _post(client: Client, path: str, body: dict, **headers):
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_one_request(calls, bob, studio, checkpoint):
    response = _post(calls(bob), "/api/v1/generations", {**ASKED, "team": str(studio.pk)})
    assert response.status_code == 201
    body = response.json()
    assert response["Location"] == f"/api/v1/jobs/{body['id']}"
    assert (body["state"], body["settings"]["seed"], body["team"]["name"]) == ("queued", 7, "Studio")
    assert body["settings"]["checkpoint"] == "starter"
    assert Generation.objects.get(job=body["id"]).count == 2


def test_a_key_may_have_a_team_of_its_own(bob, studio, checkpoint):
    def team_of(**kwargs) -> str:
        _key, token = create_api_key(user=bob, name="A", scope="write", **kwargs)
        client = Client(headers={"Authorization": f"Bearer {token}"})
        return _post(client, "/api/v1/generations", ASKED).json()["team"]["name"]

    assert team_of() == "Personal"
    assert team_of(team=studio) == "Studio"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"prompt": ""}, "body.prompt"),
        ({"count": 9}, "body.count"),
        ({"checkpoint": "nothing"}, "body.checkpoint"),
        ({"aspect": [1, 200]}, "body.aspect.0"),
        ({"sampler": "x"}, "body.sampler"),
        ({"team": str(uuid.uuid4())}, "body.team"),
        ({"seed": "many"}, "body.seed"),
    ],
)
def test_mistakes_are_told_by_their_place(calls, bob, checkpoint, change, path):
    response = _post(calls(bob), "/api/v1/generations", {**ASKED, **change})
    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == [path]
    assert not Job.objects.exists()


def test_the_same_key_makes_it_once(calls, bob, alice, studio, checkpoint):
    client, asked = calls(bob), {**ASKED, "team": str(studio.pk)}
    first, second = (_post(client, "/api/v1/generations", asked, **{"Idempotency-Key": "abc"}) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    other = _post(client, "/api/v1/generations", {**asked, "seed": 8}, **{"Idempotency-Key": "abc"})
    assert other.status_code == 409
    assert _post(calls(alice), "/api/v1/generations", asked, **{"Idempotency-Key": "abc"}).status_code == 201
    assert Job.objects.count() == 2
    wrong = _post(client, "/api/v1/generations", {**asked, "count": 99}, **{"Idempotency-Key": "new"})
    assert wrong.status_code == 422
    assert not Answered.objects.filter(key="new").exists()


def test_many_at_once_or_none(calls, bob, studio, checkpoint):
    client = calls(bob)
    rows = [{**ASKED, "title": f"Shoe {n}"} for n in range(3)]
    made = _post(client, "/api/v1/batches", {"name": "Shoes", "generations": rows, "team": str(studio.pk)})
    assert made.status_code == 201
    assert made.json()["states"] == {"queued": 3}
    rows[1]["format"] = "round"
    wrong = _post(client, "/api/v1/batches", {"name": "Shoes", "generations": rows})
    assert [error["path"] for error in wrong.json()["errors"]] == ["body.generations.1.format"]
    assert Job.objects.count() == 3
    path = f"/api/v1/batches/{made.json()['id']}"
    assert client.post(f"{path}/cancel").json()["states"] == {"cancelled": 3}
    assert client.get(path).json()["total"] == 3


def test_a_row_of_a_batch_may_want_more_pictures_than_one_request(calls, bob, studio, checkpoint):
    asked = {"name": "Shoes", "generations": [{**ASKED, "count": 20}], "team": str(studio.pk)}
    assert _post(calls(bob), "/api/v1/batches", asked).json()["states"] == {"queued": 3}
    assert sum(Job.objects.values_list("generation__count", flat=True)) == 20
    asked["generations"] = [{**ASKED, "count": 4000}, ASKED]
    refused = _post(calls(bob), "/api/v1/batches/estimate", asked)
    assert (refused.status_code, "501" in refused.json()["detail"]) == (409, True)
    asked["generations"] = [{**ASKED, "count": 4001}]
    assert _post(calls(bob), "/api/v1/batches", asked).status_code == 422


def test_what_many_would_cost_before_they_are_asked_for(calls, bob, studio, checkpoint):
    client, rows = calls(bob), [{**ASKED, "count": n} for n in (1, 3)]
    told = _post(client, "/api/v1/batches/estimate", {"name": "Shoes", "generations": rows}).json()
    assert (told["prompts"], told["pictures"], told["seconds"]) == (2, 4, None)  # nobody works
    assert told["pictures_left_today"] == client.get("/api/v1/me").json()["pictures_left_today"]
    rows[1]["style"] = "nothing"
    wrong = _post(client, "/api/v1/batches/estimate", {"name": "Shoes", "generations": rows})
    assert [error["path"] for error in wrong.json()["errors"]] == ["body.generations.1.style"]
    assert not Job.objects.exists()


def test_pictures_of_a_batch_in_the_order_of_its_requests(calls, bob, make_batch, make_media):
    batch = make_batch(bob, prompts=3)
    jobs = list(batch.jobs.order_by("position"))
    made = {job: make_media(bob) for job in reversed(jobs)}
    for job, media in made.items():
        Media.objects.filter(pk=media.pk).update(job=job.pk)
    make_media(bob)
    told = calls(bob).get(f"/api/v1/batches/{batch.pk}/media").json()
    assert told == [str(made[job].pk) for job in jobs]


def test_proportions_that_no_format_has(calls, bob, studio, checkpoint):
    made = _post(calls(bob), "/api/v1/generations", {**ASKED, "aspect": [1200, 628]}).json()["settings"]
    assert made["format"] == "landscape"
    assert made["width"] / made["height"] == pytest.approx(1200 / 628, rel=0.15)  # in multiples of 8
    assert made["width"] * made["height"] == pytest.approx(checkpoint.native_size**2, rel=0.15)


def test_again(calls, bob, make_job):
    job = make_job(bob)
    made = calls(bob).post(f"/api/v1/jobs/{job.pk}/retry").json()
    assert made["id"] != str(job.pk)
    assert made["settings"]["seed"] == job.generation.seed


def test_a_key_that_is_used_too_often(calls, bob, settings):
    settings.API_REQUESTS_PER_MINUTE = 2
    client = calls(bob)
    answers = [client.get("/api/v1/me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert answers[2]["Content-Type"] == "application/problem+json"


def test_what_has_not_changed_is_not_sent_again(calls, bob, make_job):
    client, path = calls(bob), f"/api/v1/jobs?mine=true&state={State.QUEUED}"
    first = client.get(path)
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    make_job(bob)
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.django_db(transaction=True)
async def test_following_a_job_to_its_end(bob, studio, make_job):
    job = await sync_to_async(make_job)(bob)
    _key, token = await sync_to_async(create_api_key)(user=bob, name="A")
    headers = {"Authorization": f"Bearer {token}"}
    response = await AsyncClient().get(f"/api/v1/jobs/{job.pk}/events", headers=headers)
    assert response["Content-Type"] == "text/event-stream"
    lines = aiter(response)
    told = [(await anext(lines)).decode()]
    await sync_to_async(job.move)(State.RUNNING, lease=uuid.uuid4())
    await sync_to_async(job.move)(State.FAILED, reason="No luck")
    await sync_to_async(events.tell_ended)(job)
    told += [line.decode() async for line in lines]
    names = [line.partition("\n")[0] for line in told]
    assert names[0] == "event: job.snapshot"
    assert names[-1] == "event: job.failed"
    assert json.loads(told[-1].split("data: ")[1])["reason"] == "No luck"


@pytest.mark.django_db(transaction=True)
async def test_only_who_sees_a_job_may_follow_it(charlie, bob, make_job):
    job = await sync_to_async(make_job)(bob)
    _key, token = await sync_to_async(create_api_key)(user=charlie, name="A")
    headers = {"Authorization": f"Bearer {token}"}
    assert (await AsyncClient().get(f"/api/v1/jobs/{job.pk}/events", headers=headers)).status_code == 404


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("person", "status"), [("bob", 200), ("victor", 200), ("charlie", 404)])
async def test_a_training_is_followed_by_its_team(request, bob, studio, checkpoint, make_job, person, status):
    job = await sync_to_async(make_job)(bob)
    await job.generation.adelete()
    await Job.objects.filter(pk=job.pk).aupdate(kind=Job.Kind.TRAIN, state=State.DONE)
    user = await sync_to_async(request.getfixturevalue)(person)
    _key, token = await sync_to_async(create_api_key)(user=user, name="A")
    headers = {"Authorization": f"Bearer {token}"}
    response = await AsyncClient().get(f"/api/v1/jobs/{job.pk}/events", headers=headers)
    assert response.status_code == status
    if status == 200:
        told = [line.decode() async for line in response]
        assert told[-1].startswith("event: job.done")
