"""Teaching over the API: from a draft to an adapter, and who may."""

import pytest
from django.utils import timezone

from accounts.models import Membership, Team
from accounts.roles import Role
from gallery.services import create_album
from generator import queue, runner
from generator.models import Adapter, Training
from generator.progress import Progress
from tests.generator.trainings.conftest import QUICK, photo

JSON = "application/json"
RIGHTS = {"rights": "own", "people": "nobody"}


@pytest.fixture
def drafted(calls, alice, bob, studio, tiny_model) -> dict:
    """bob's draft in the studio, as he was told of it."""
    wanted = {"name": "Our bottle", "noun": "bottle", "model": "tiny", "team": str(studio.pk)}
    answer = calls(bob).post("/api/v1/trainings", wanted, JSON)
    assert answer.status_code == 201, answer.json()
    assert answer["Location"] == f"/api/v1/trainings/{answer.json()['id']}"
    return answer.json()


def bring(client, pk: str, count: int = 3) -> None:
    """Different pictures."""
    for number in range(count):
        answer = client.post(f"/api/v1/trainings/{pk}/files?name=v{number}.png", photo(number), "image/png")
        assert answer.status_code == 201, answer.json()


def test_from_a_draft_to_an_adapter(calls, bob, studio, drafted):
    client, at = calls(bob), f"/api/v1/trainings/{drafted['id']}"
    assert (drafted["state"], drafted["word"], drafted["steps"]) == ("draft", "ourbottle", 0)
    assert (drafted["readiness"]["is_ready"], drafted["points"], drafted["model"]) == (False, [], "tiny")
    refused = client.post(f"{at}/start")
    assert (refused.status_code, refused.json()["title"]) == (409, "Conflict")

    bring(client, drafted["id"])
    changed = client.patch(at, {"changes": {"steps": 6, "points": 2, "rank": 4, "size": 128}}, JSON).json()
    assert changed["changes"] == {"steps": 6, "points": 2, "rank": 4, "size": 128}
    assert changed["cost"]["steps"] == 6
    Training.objects.filter(pk=drafted["id"]).update(changes=QUICK)
    one = changed["pictures"][0]
    told = client.patch(f"{at}/pictures/{one['id']}", {"caption": "on a table", "crop": [0, 0, 80, 80]}, JSON).json()
    assert (told["caption"], told["crop"], told["rights"]) == ("on a table", [0, 0, 80, 80], "")
    assert client.patch(f"{at}/pictures/{one['id']}", {"crop": [0, 0, 99, 99]}, JSON).status_code == 409
    ready = client.put(f"{at}/rights", RIGHTS, JSON).json()
    assert {picture["rights"] for picture in ready["pictures"]} == {"own"}

    once = {"Idempotency-Key": "start"}
    started = [client.post(f"{at}/start", headers=once).json() for _lost_answer in range(2)][1]
    assert (started["state"], started["steps"], started["cost"]) == ("queued", 8, None)
    assert client.post(f"{at}/pause").json()["state"] == "paused"
    assert client.post(f"{at}/resume").json()["state"] == "queued"
    runner.run(Progress(queue.claim(worker="w")))
    done = client.get(at).json()
    assert (done["state"], done["step"], done["seconds_left"]) == ("done", 8, None)
    assert [point["step"] for point in done["points"]] == [0, 3, 6]
    assert sum(point["is_proposed"] for point in done["points"]) == 1
    sample = client.get(done["points"][1]["samples"][0])
    assert (sample.status_code, sample["Content-Type"], sample.content[:4]) == (200, "image/png", b"\x89PNG")

    once = {"Idempotency-Key": "take"}
    made = [client.post(f"{at}/points/6", headers=once) for _lost_answer in range(2)][1]
    assert (made.status_code, made.json()["is_model"], made.json()["version"]) == (201, False, 1)
    assert (made.json()["adapter"]["training"], made.json()["adapter"]["step"]) == (drafted["id"], 6)
    assert client.post(f"{at}/points/6").status_code == 409
    assert client.post(f"{at}/points/5").status_code == 409
    offered = client.get("/api/v1/adapters", {"team": studio.pk}).json()
    assert [(one["slug"], one["triggers"]) for one in offered] == [(made.json()["slug"], ["ourbottle bottle"])]
    assert client.get(at).json()["points"][2]["taken"] == made.json()["slug"]

    next_version = client.post(f"{at}/versions")
    assert (next_version.status_code, next_version.json()["version"]) == (201, 2)
    assert next_version.json()["previous"] == drafted["id"]
    assert client.delete(at).status_code == 409, "an adapter comes from it"
    assert client.delete(f"/api/v1/trainings/{next_version.json()['id']}").status_code == 204
    assert [row["id"] for row in client.get("/api/v1/trainings", {"mine": True}).json()["items"]] == [drafted["id"]]


def test_asked_twice_it_is_drafted_once(calls, bob, studio, tiny_model):
    client, wanted = calls(bob), {"name": "Ink", "kind": "style", "model": "tiny", "team": str(studio.pk)}
    ids = {
        client.post("/api/v1/trainings", wanted, JSON, headers={"Idempotency-Key": "once"}).json()["id"]
        for _time in range(2)
    }
    assert len(ids) == Training.objects.count() == 1


def test_a_picture_that_is_sent_twice_comes_once(calls, bob, drafted):
    client, at = calls(bob), f"/api/v1/trainings/{drafted['id']}"

    def send(number: int, key: str) -> str:
        headers = {"Idempotency-Key": key}
        answer = client.post(f"{at}/files?name=a.png", photo(number), "image/png", headers=headers)
        return answer.json().get("id", answer.status_code)

    assert send(1, "first") == send(1, "first")
    assert send(2, "first") == 409, "another picture under the same key"
    assert send(2, "second") != send(1, "first")
    assert len(client.get(at).json()["pictures"]) == 2


def test_what_makes_no_sense_is_told_by_its_path(calls, bob, studio, tiny_model, drafted):
    client, at = calls(bob), f"/api/v1/trainings/{drafted['id']}"

    def paths(answer) -> list[str]:
        assert answer.status_code == 422
        return [error["path"] for error in answer.json()["errors"]]

    assert paths(client.post("/api/v1/trainings", {"name": "X", "model": "nothing"}, JSON)) == ["body.model"]
    assert paths(client.post("/api/v1/trainings", {"name": "X", "changes": {"steps": 0}}, JSON)) == [
        "body.changes.steps"
    ]
    assert paths(client.post(f"{at}/gallery", {"media": [str(studio.pk)]}, JSON)) == ["body.media.0"]
    assert paths(client.put(f"{at}/rights", {"rights": "stolen", "people": "nobody"}, JSON)) == ["body.rights"]
    assert client.post(f"{at}/files?name=a.png", b"no picture", "image/png").status_code == 409
    assert client.post("/api/v1/trainings", {"name": "No noun", "model": "tiny"}, JSON).status_code == 409
    assert Training.objects.count() == 1


def test_pictures_of_the_gallery_come_all_or_none(calls, bob, make_media, drafted):
    client, at = calls(bob), f"/api/v1/trainings/{drafted['id']}"
    shown, private = make_media(bob), make_media(bob, visibility="private")
    assert client.post(f"{at}/gallery", {"media": [str(shown.pk), str(private.pk)]}, JSON).status_code == 409
    assert client.get(at).json()["pictures"] == []
    told = client.post(f"{at}/gallery", {"media": [str(shown.pk)]}, JSON).json()
    assert [picture["media"] for picture in told["pictures"]] == [str(shown.pk)]
    removed = client.delete(f"{at}/pictures/{told['pictures'][0]['id']}")
    assert (removed.status_code, removed.json()) == (200, {"learned": [], "models": []})


def test_a_picture_that_was_learned_from_says_what_knows_it(calls, bob, drafted):
    bring(calls(bob), drafted["id"], 1)
    training = Training.objects.get(pk=drafted["id"])
    training.pictures.update(learned=timezone.now())
    adapter, picture = taught(training), training.pictures.get()
    answer = calls(bob).delete(f"/api/v1/trainings/{training.pk}/pictures/{picture.pk}")
    assert [one["slug"] for one in answer.json()["learned"]] == [adapter.slug]
    assert calls(bob).get(f"/api/v1/trainings/{training.pk}").json()["pictures"] == []


def taught(training: Training) -> Adapter:
    """An adapter that came of it."""
    facts = {"slug": "our-bottle", "name": "Our bottle", "source": "/b", "family": "sd1", "licence_name": "MIT"}
    return Adapter.objects.create(training=training, version=1, point=3, **facts)


def test_who_may_look_and_who_may_change(calls, alice, bob, rita, victor, charlie, drafted):
    at = f"/api/v1/trainings/{drafted['id']}"
    bring(calls(bob), drafted["id"], 1)
    picture = Training.objects.get(pk=drafted["id"]).pictures.get()
    changes = [
        ("patch", at, {"name": "Mine"}),
        ("put", f"{at}/rights", RIGHTS),
        ("patch", f"{at}/pictures/{picture.pk}", {"caption": "mine"}),
        ("delete", f"{at}/pictures/{picture.pk}", None),
        ("post", f"{at}/start", None),
        ("post", f"{at}/pause", None),
        ("post", f"{at}/stop", None),
        ("post", f"{at}/points/3", None),
        ("delete", at, None),
    ]
    for person, looks, changed in ((victor, 200, 403), (rita, 200, 403), (charlie, 404, 404)):
        client = calls(person)
        assert client.get(at).status_code == looks
        for method, address, body in changes:
            answer = getattr(client, method)(address, body, JSON)
            assert answer.status_code == changed, (person, method, address)
        assert client.post(f"{at}/files?name=a.png", photo(9), "image/png").status_code == changed
        assert client.post(f"{at}/versions").status_code == changed
    assert calls(charlie).get("/api/v1/trainings").json()["items"] == []
    assert calls(alice).patch(at, {"name": "The owner’s"}, JSON).json()["name"] == "The owner’s"
    assert calls(bob, scope="read").post(f"{at}/start").status_code == 403


def test_an_adapter_is_lent_and_retired_by_who_curates(calls, alice, bob, victor, charlie, studio, drafted):
    adapter = taught(Training.objects.get(pk=drafted["id"]))
    adapter.teams.set([studio])
    at, other = f"/api/v1/adapters/{adapter.slug}", Team.objects.create(name="Press")
    Membership.objects.create(team=other, user=alice, role=Role.CREATOR)
    assert calls(charlie).put(f"{at}/retired", {"is_retired": True}, JSON).status_code == 404
    assert calls(victor).put(f"{at}/retired", {"is_retired": True}, JSON).status_code == 403
    assert calls(bob).put(f"{at}/teams", {"team": str(other.pk)}, JSON).status_code == 422, "he is not in it"
    lent = calls(alice).put(f"{at}/teams", {"team": str(other.pk)}, JSON)
    assert (lent.status_code, set(adapter.teams.all())) == (200, {studio, other})
    calls(alice).put(f"{at}/teams", {"team": str(other.pk), "is_lent": False}, JSON)
    assert set(adapter.teams.all()) == {studio}
    assert calls(bob).put(f"{at}/retired", {"is_retired": True}, JSON).json()["is_retired"] is True
    assert calls(bob).get("/api/v1/adapters", {"team": studio.pk}).json() == []


def test_a_model_from_scratch(calls, bob, charlie, studio, tiny_model, make_media):
    media = [make_media(bob, prompt=f"a shoe {n % 2}") for n in range(20)]
    album = create_album(user=bob, team=studio, name="Shoes", media=[one.pk for one in media])
    client = calls(bob)
    wanted = {"name": "Shoes", "source": f"album:{album.pk}", "people": "nobody", "model": "tiny"}
    wanted |= {"team": str(studio.pk), "changes": {"size": 64, "seed": 3}}
    assert client.post("/api/v1/trainings/scratch", {**wanted, "source": "album:x"}, JSON).status_code == 409
    assert client.post("/api/v1/trainings/scratch", {**wanted, "changes": {"size": 100}}, JSON).status_code == 422
    answer = client.post("/api/v1/trainings/scratch", wanted, JSON)
    assert answer.status_code == 201, answer.json()
    told = answer.json()
    assert (told["kind"], told["count"], told["pictures"], told["readiness"]["is_ready"]) == ("scratch", 20, [], True)
    assert calls(charlie).post("/api/v1/trainings/scratch", wanted, JSON).status_code == 422, "he is in no such team"
    at = f"/api/v1/trainings/{told['id']}"
    assert client.patch(at, {"name": "Other"}, JSON).status_code == 409
    few = {"autoencoder_steps": 2, "steps": 2, "batch": 4, "points": 1, "widths": [16, 32]}
    training = Training.objects.get(pk=told["id"])
    Training.objects.filter(pk=training.pk).update(changes=training.changes | few)
    assert client.post(f"{at}/start").json()["state"] == "queued"
    runner.run(Progress(queue.claim(worker="w")))
    assert [point["step"] for point in client.get(at).json()["points"]] == [2]
    made = client.post(f"{at}/points/2").json()
    assert (made["is_model"], made["adapter"]) == (True, None)
    models = client.get("/api/v1/models", {"team": studio.pk}).json()
    assert made["slug"] in [model["slug"] for model in models]
