"""Albums for programs."""

import json

import pytest

from accounts.services import ensure_personal_team
from gallery import services
from gallery.models import Album

URL = "/api/v1/albums"


def _send(client, method: str, path: str, body: dict, **headers):
    return getattr(client, method)(path, body, content_type="application/json", headers=headers)


@pytest.fixture
def spring(bob, studio, make_media) -> Album:
    """bob's album of three pictures."""
    media = [make_media(bob, prompt=f"picture {n}").pk for n in range(3)]
    return services.create_album(user=bob, team=studio, name="Spring", media=media)


def _prompts(client, album: Album, **query) -> list[str]:
    return [item["prompt"] for item in client.get(f"{URL}/{album.pk}/pictures", query).json()["items"]]


def test_one_is_made_once_for_a_key(calls, bob, studio, make_media):
    client, media = calls(bob), make_media(bob)
    body = {"name": "Spring", "team": str(studio.pk), "media": [str(media.pk)]}
    first = _send(client, "post", URL, body, **{"Idempotency-Key": "one"})
    again = _send(client, "post", URL, body, **{"Idempotency-Key": "one"})
    assert (first.status_code, first["Location"]) == (201, f"{URL}/{first.json()['id']}")
    assert again.json()["id"] == first.json()["id"]
    assert first.json()["pictures"] == 1
    assert Album.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": " "}, "body.name"),
        ({"name": "x" * 121}, "body.name"),
        ({"name": "x\x00"}, "body.name"),
        ({"name": "x", "visibility": "secret"}, "body.visibility"),
        ({"name": "x", "colour": "red"}, "body.colour"),
        ({"name": "x", "team": "00000000-0000-4000-8000-000000000000"}, "body.team"),
    ],
)
def test_what_is_wrong_is_told_where(calls, bob, body, path):
    response = _send(calls(bob), "post", URL, body)
    assert (response.status_code, [one["path"] for one in response.json()["errors"]]) == (422, [path])
    assert not Album.objects.exists()


def test_what_is_left_out_stays(calls, bob, spring):
    assert _send(calls(bob), "patch", f"{URL}/{spring.pk}", {"description": "In bloom"}).json()["name"] == "Spring"
    spring.refresh_from_db()
    assert (spring.name, spring.description, spring.visibility) == ("Spring", "In bloom", "team")


def test_pictures_come_in_change_places_and_go(calls, bob, spring, make_media):
    client, late = calls(bob), make_media(bob, prompt="late")
    path = f"{URL}/{spring.pk}"
    assert _send(client, "post", f"{path}/pictures", {"media": [str(late.pk)]}).json()["pictures"] == 4
    first = spring.items.first().media_id
    assert _send(client, "post", f"{path}/order", {"media": str(late.pk), "before": str(first)}).status_code == 200
    assert _prompts(client, spring) == ["late", "picture 0", "picture 1", "picture 2"]
    assert _send(client, "put", f"{path}/cover", {"media": str(late.pk)}).json()["cover"] == str(late.pk)
    assert client.delete(f"{path}/pictures/{late.pk}").status_code == 204
    assert _prompts(client, spring) == ["picture 0", "picture 1", "picture 2"]
    assert client.get(path).json()["cover"] is None
    refused = _send(client, "put", f"{path}/cover", {"media": str(late.pk)})
    assert (refused.status_code, "not in this album" in refused.json()["detail"]) == (409, True)


def test_pictures_of_another_team_stay_out(calls, bob, charlie, spring, make_media):
    theirs = make_media(charlie, team=charlie.memberships.get().team, visibility="published")
    refused = _send(calls(bob), "post", f"{URL}/{spring.pk}/pictures", {"media": [str(theirs.pk)]})
    assert (refused.status_code, spring.items.count()) == (409, 3)


def test_pages_follow_each_other_in_the_albums_order(calls, bob, spring):
    client, found, cursor = calls(bob), [], ""
    while cursor is not None:
        page = client.get(f"{URL}/{spring.pk}/pictures", {"limit": 2, "cursor": cursor}).json()
        found += [item["prompt"] for item in page["items"]]
        cursor = page["next"]
    assert found == ["picture 0", "picture 1", "picture 2"]
    wrong = client.get(f"{URL}/{spring.pk}/pictures", {"cursor": "here"})
    assert [one["path"] for one in wrong.json()["errors"]] == ["query.cursor"]


def test_albums_come_in_pages_the_latest_changed_first(calls, bob, studio):
    names = [f"Album {n}" for n in range(5)]
    for name in names:
        services.create_album(user=bob, team=studio, name=name)
    client, found, cursor = calls(bob), [], ""
    while cursor is not None:
        page = client.get(URL, {"limit": 2, "cursor": cursor}).json()
        found += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert found == names[::-1]


def test_tabs_are_those_of_the_page(calls, bob, charlie, studio, spring):
    services.share_album(user=bob, album=spring, email=charlie.email, right="view")
    own = services.create_album(user=bob, team=ensure_personal_team(bob), name="Own")

    def names(person, **query) -> set[str]:
        return {item["name"] for item in calls(person).get(URL, query).json()["items"]}

    assert names(bob) == {"Spring", "Own"}
    assert names(bob, tab="team") == {own.name}  # where a key without a team works
    assert names(bob, tab="team", team=studio.pk) == {"Spring"}
    assert names(charlie, tab="shared") == {"Spring"}
    assert names(charlie, tab="mine") == set()
    assert calls(charlie).get(URL, {"team": studio.pk}).status_code == 404


def test_hidden_pictures_are_neither_counted_nor_named(calls, alice, bob, spring):
    first = spring.items.first().media
    services.set_cover(user=bob, album=spring, media=first.pk)
    services.set_visibility(user=bob, media=first, visibility="private")
    body = calls(alice).get(f"{URL}/{spring.pk}").json()
    assert (body["pictures"], body["cover"]) == (2, None)
    assert str(first.pk) not in json.dumps(calls(alice).get(f"{URL}/{spring.pk}/pictures").json())
    assert calls(bob).get(f"{URL}/{spring.pk}").json()["cover"] == str(first.pk)


def test_a_guest_sees_it_until_the_right_is_taken_back(calls, bob, charlie, spring):
    path = f"{URL}/{spring.pk}"
    assert _send(calls(bob), "post", f"{path}/members", {"email": charlie.email}).json()["right"] == "view"
    assert len(_prompts(calls(charlie), spring)) == 3
    assert [one["person"]["id"] for one in calls(bob).get(f"{path}/members").json()] == [charlie.pk]
    assert calls(bob).delete(f"{path}/members/{charlie.pk}").status_code == 204
    assert calls(charlie).get(path).status_code == 404
    nobody = _send(calls(bob), "post", f"{path}/members", {"email": "nobody@example.com"})
    assert nobody.status_code == 409
