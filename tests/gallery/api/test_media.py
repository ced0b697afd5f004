"""The list of pictures for programs."""

import hashlib
from base64 import urlsafe_b64encode
from uuid import UUID

import pytest
from celery import current_app

from gallery import services, tasks
from gallery.services import like_media, set_policy, set_tags

URL = "/api/v1/media"


def _prompts(client, **query) -> list[str]:
    return [item["prompt"] for item in client.get(URL, query).json()["items"]]


def test_a_picture_is_told_with_all_it_is_found_by(calls, bob, make_media):
    media = make_media(bob, prompt="a pear", style="Flat", seed=3)
    set_tags(user=bob, media=media, words=["Spring"])
    like_media(user=bob, media=media, liked=True)
    (item,) = calls(bob).get(URL).json()["items"]
    assert {name: item[name] for name in ("prompt", "style", "seed", "model", "tags", "likes", "colours", "page")} == {
        "prompt": "a pear",
        "style": "Flat",
        "seed": 3,
        "model": "Starter",
        "tags": ["spring"],
        "likes": 1,
        "colours": ["red"],
        "page": f"/gallery/{media.pk}/",
    }
    assert item["owner"]["name"] == "Bob"


def test_who_sees_what(calls, bob, carol, charlie, make_media):
    make_media(bob, prompt="shared")
    make_media(bob, prompt="own", visibility="private")
    make_media(bob, prompt="for all", visibility="published")
    assert set(_prompts(calls(bob))) == {"shared", "own", "for all"}
    assert set(_prompts(calls(carol))) == {"shared", "for all"}
    assert _prompts(calls(charlie)) == ["for all"]


def test_pages_follow_by_their_cursor_in_every_order(calls, bob, make_media):
    for number in range(5):
        like_media(user=bob, media=make_media(bob, prompt=f"pear {number}"), liked=number == 2)
    client = calls(bob)
    for sort, first in (("newest", "pear 4"), ("oldest", "pear 0"), ("liked", "pear 2"), ("rated", "pear 4")):
        found, cursor = [], ""
        while cursor is not None:
            body = client.get(URL, {"sort": sort, "limit": 2, "cursor": cursor}).json()
            found += [item["prompt"] for item in body["items"]]
            cursor = body["next"]
        assert found[0] == first
        assert sorted(found) == [f"pear {number}" for number in range(5)]


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"cursor": "x"}, {"sort": "shuffled"}, {"colour": "mauve"}, {"since": "soon"}, {"stars": 6}],
)
def test_a_malformed_question_is_told_where(calls, bob, query):
    response = calls(bob).get(URL, query)
    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == [f"query.{next(iter(query))}"]


@pytest.mark.parametrize(
    ("sort", "place"),
    [
        ("newest", f"0001-01-01T00:00:00+14:00 {UUID(int=1)}"),
        ("oldest", f"9999-12-31T23:59:59-14:00 {UUID(int=1)}"),
        ("newest", f"2026-01-01T00:00:00 {UUID(int=1)}"),
        ("liked", f"{10**30} 2026-01-01T00:00:00+00:00 {UUID(int=1)}"),
        ("liked", f"-1 2026-01-01T00:00:00+00:00 {UUID(int=1)}"),
        ("rated", f"many 2026-01-01T00:00:00+00:00 {UUID(int=1)}"),
    ],
)
def test_a_cursor_that_no_page_told_is_said_to_be_none(calls, client, bob, make_media, sort, place):
    make_media(bob)
    forged = urlsafe_b64encode(place.encode()).decode()
    response = calls(bob).get(URL, {"sort": sort, "cursor": forged})
    assert response.status_code == 422
    assert [error["path"] for error in response.json()["errors"]] == ["query.cursor"]
    client.force_login(bob)
    assert client.get("/gallery/", {"sort": sort, "before": forged}).status_code == 404


def test_one_is_told_as_it_stands_to_the_caller(calls, bob, carol, make_media):
    media = make_media(bob)
    like_media(user=carol, media=media, liked=True)
    told = {person: calls(person).get(f"{URL}/{media.pk}").json() for person in (bob, carol)}
    assert [(one["likes"], one["liked"]) for one in told.values()] == [(1, False), (1, True)]
    assert told[bob]["sha256"] == media.sha256


def test_its_file_is_what_is_kept(calls, bob, make_media):
    media = make_media(bob)
    client = calls(bob)
    response = client.get(client.get(f"{URL}/{media.pk}").json()["file"])
    assert response["Content-Type"] == "image/png"
    assert hashlib.sha256(response.content).hexdigest() == media.sha256
    assert client.get(f"{URL}/{media.pk}/file", {"rendition": "tile"})["Content-Type"] == "image/webp"


def test_its_file_goes_on_where_a_download_broke_off(calls, alice, bob, make_media):
    media, client = make_media(bob), calls(bob)
    address = f"{URL}/{media.pk}/file"
    assert client.get(address)["ETag"] == f'"{media.sha256}"'
    on = {"Range": "bytes=10-", "If-Range": f'"{media.sha256}"'}
    response = client.get(address, headers=on)
    assert (response.status_code, response["Content-Range"]) == (206, f"bytes 10-{media.bytes - 1}/{media.bytes}")
    assert client.get(address, headers={**on, "If-Range": '"another"'}).status_code == 200
    assert client.get(address, headers={**on, "Range": f"bytes={media.bytes}-"}).status_code == 416
    set_policy(user=alice, team=media.team, marks_drafts=True)
    assert client.get(address, headers=on).status_code == 200  # its mark is drawn anew each time


def test_a_draft_leaves_with_the_word_on_it(calls, alice, bob, make_media):
    media = make_media(bob)
    set_policy(user=alice, team=media.team, marks_drafts=True)
    response = calls(bob).get(f"{URL}/{media.pk}/file")
    assert hashlib.sha256(response.content).hexdigest() != media.sha256


def test_title_tags_and_visibility_change_together_or_not_at_all(calls, bob, make_media):
    media, client = make_media(bob), calls(bob)
    wanted = {"title": "Spring", "tags": ["Red", "#apple"], "visibility": "private"}
    told = client.patch(f"{URL}/{media.pk}", wanted, content_type="application/json").json()
    assert (told["title"], told["tags"], told["visibility"]) == ("Spring", ["apple", "red"], "private")
    wrong = client.patch(f"{URL}/{media.pk}", {"title": "No", "tags": ["x" * 41]}, content_type="application/json")
    assert [one["path"] for one in wrong.json()["errors"]] == ["body.tags"]
    assert client.get(f"{URL}/{media.pk}").json()["title"] == "Spring"


def test_into_the_trash_and_back(calls, bob, carol, make_media):
    media, client = make_media(bob), calls(bob)
    assert client.delete(f"{URL}/{media.pk}").status_code == 204
    assert client.get(f"{URL}/{media.pk}").json()["deleted"]
    assert calls(carol).get(f"{URL}/{media.pk}").status_code == 404
    assert client.post(f"{URL}/{media.pk}/restore").json()["deleted"] is None


def test_likes_and_stars(calls, bob, make_media):
    media, client = make_media(bob), calls(bob)
    assert [client.put(f"{URL}/{media.pk}/like").json()["likes"] for _time in range(2)] == [1, 1]
    assert client.delete(f"{URL}/{media.pk}/like").json()["liked"] is False
    stars = client.put(f"{URL}/{media.pk}/stars", {"stars": 4}, content_type="application/json").json()
    assert (stars["stars"], stars["own_stars"]) == (4.0, 4)
    wrong = client.put(f"{URL}/{media.pk}/stars", {"stars": 6}, content_type="application/json")
    assert [one["path"] for one in wrong.json()["errors"]] == ["body.stars"]


@pytest.fixture
def worker(monkeypatch) -> None:
    """A worker that answers at once."""
    run = {services.ALIKE: tasks.alike, services.UNDERSTAND: tasks.understand}
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_options: run[name](*args))


def test_by_meaning_and_more_like_this(calls, bob, carol, make_media, worker):
    shoes, socks, pear = [make_media(bob, prompt=prompt) for prompt in ("running shoes", "white sneakers", "a pear")]
    hidden = make_media(bob, prompt="secret running shoes", visibility="private")
    services.understand(pks=[one.pk for one in (shoes, socks, pear, hidden)])
    assert set(_prompts(calls(carol), q="footwear", meaning=True)) == {"running shoes", "white sneakers"}
    assert _prompts(calls(carol), q="footwear") == []
    assert _prompts(calls(carol), like=shoes.pk) == ["white sneakers"]
    assert _prompts(calls(carol), like=hidden.pk) == []


def test_without_a_worker_it_says_so_and_looks_for_words(calls, bob, make_media, monkeypatch):
    monkeypatch.setattr(current_app, "send_task", lambda *_args, **_options: None)
    media = make_media(bob, prompt="a pear")
    body = calls(bob).get(URL, {"q": "pear", "meaning": True}).json()
    assert [one["prompt"] for one in body["items"]] == ["a pear"]
    assert "No worker" in body["notice"]
    body = calls(bob).get(URL, {"like": media.pk}).json()
    assert (body["items"], "No worker" in body["notice"]) == ([], True)
    assert calls(bob).get(URL, {"q": "pear"}).json()["notice"] == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [("until", "9999-12-31"), ("since", "0001-01-01"), ("person", 10**20), ("person", 0), ("q", "pear\x00")],
)
def test_what_no_database_could_look_for_is_told(calls, bob, name, value):
    response = calls(bob).get(URL, {name: value})
    assert (response.status_code, response.json()["errors"][0]["path"]) == (422, f"query.{name}")


def test_a_title_with_what_no_database_keeps_is_told(calls, bob, make_media):
    response = calls(bob).patch(f"{URL}/{make_media(bob).pk}", {"title": "\x00"}, content_type="application/json")
    assert (response.status_code, response.json()["errors"][0]["path"]) == (422, "body.title")


@pytest.mark.parametrize("day", ["0.0", "1735689600", "2026-1-1", "yesterday", "2026-02-30", ""])
def test_a_day_is_written_out(calls, bob, day):
    answer = calls(bob).get("/api/v1/media", {"until": day})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "query.until")
    assert calls(bob).get("/api/v1/media", {"until": "2026-02-28"}).status_code == 200
