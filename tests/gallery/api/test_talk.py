"""What is said about pictures, and decided, for programs."""

import pytest

from gallery import services
from gallery.models import Comment, Decision, Media

KEY = {"Idempotency-Key": "once"}


def _send(client, method: str, path: str, body: dict, **options):
    return getattr(client, method)(f"/api/v1{path}", body, content_type="application/json", **options)


def _paths(response) -> list[str]:
    assert response.status_code == 422
    return [one["path"] for one in response.json()["errors"]]


@pytest.fixture
def media(bob, make_media) -> Media:
    return make_media(bob)


def test_a_remark_at_a_point_is_made_once(calls, carol, bob, media):
    client = calls(carol)
    body = {"text": "Lighter, @Bob", "x": 0.25, "y": 0.5}
    first, again = (_send(client, "post", f"/media/{media.pk}/comments", body, headers=KEY) for _time in range(2))
    assert first.status_code == 201
    assert first.json() == again.json()
    told = client.get(first["Location"]).json()
    assert (told["text"], told["x"], told["y"]) == ("Lighter, @Bob", 0.25, 0.5)
    assert [person["id"] for person in told["mentions"]] == [bob.pk]
    assert Comment.objects.count() == 1


def test_a_thread_is_read_answered_and_dealt_with(calls, carol, rita, media):
    first = services.add_comment(user=rita, media=media, text="Hm")
    client, path = calls(carol), f"/media/{media.pk}/comments"
    answer = _send(client, "post", path, {"text": "Yes", "parent": str(first.pk)}).json()
    assert answer["parent"] == str(first.pk)
    assert _send(client, "patch", f"/comments/{first.pk}", {"resolved": True}).json()["resolved"]
    assert _send(client, "patch", f"/comments/{answer['id']}", {"text": "Of course"}).json()["edited"]
    assert _send(client, "patch", f"/comments/{first.pk}", {"text": "Mine now"}).status_code == 403
    services.delete_comment(user=rita, comment=first)
    shown = client.get(f"/api/v1{path}").json()["items"]
    assert [(one["text"], bool(one["deleted"])) for one in shown] == [("", True), ("Of course", False)]
    assert client.delete(f"/api/v1/comments/{answer['id']}").status_code == 204
    assert client.get(f"/api/v1{path}").json() == {"items": [], "next": None}


def test_half_of_a_change_is_none(calls, carol, rita, media):
    first = services.add_comment(user=rita, media=media, text="Hm")
    answer = services.add_comment(user=carol, media=media, text="Yes", parent=first)
    assert (
        _send(calls(carol), "patch", f"/comments/{answer.pk}", {"text": "No", "resolved": True}).status_code == 403
    )  # an answer is no thread
    answer.refresh_from_db()
    assert answer.text == "Yes"


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, ["body.text"]),
        ({"text": "  "}, ["body.text"]),
        ({"text": "Hm", "x": 2, "y": 0}, ["body.x"]),
        ({"text": "Hm", "x": 0.5}, ["body"]),
        ({"text": "Hm", "parent": "00000000-0000-4000-8000-000000000000"}, ["body.parent"]),
    ],
)
def test_what_is_wrong_with_a_remark_is_told_where(calls, carol, media, body, paths):
    assert _paths(_send(calls(carol), "post", f"/media/{media.pk}/comments", body)) == paths
    assert not Comment.objects.exists()


def test_a_picture_is_asked_about_and_approved(calls, bob, rita, media):
    asking, deciding = calls(bob), calls(rita)
    body = {"reviewers": [rita.pk], "note": "For Monday"}
    assert rita.pk in [one["id"] for one in asking.get("/api/v1/reviewers", {"team": media.team_id}).json()]
    asked, again = (_send(asking, "post", f"/media/{media.pk}/reviews", body, headers=KEY) for _time in range(2))
    assert (asked.status_code, again.json()) == (201, asked.json())
    assert (asked.json()["state"], asked.json()["may_decide"]) == ("asked", False)
    (waiting,) = deciding.get("/api/v1/reviews").json()["items"]
    assert (waiting["id"], waiting["may_decide"]) == (asked.json()["id"], True)
    path = f"/reviews/{waiting['id']}/decisions"
    decided, twice = (_send(deciding, "post", path, {"verdict": "approved"}, headers=KEY) for _time in range(2))
    assert (decided.status_code, twice.status_code, Decision.objects.count()) == (201, 201, 1)
    assert (decided.json()["state"], decided.json()["decisions"][0]["sha256"]) == ("approved", media.sha256)
    assert deciding.get("/api/v1/reviews").json()["items"] == []
    done = deciding.get("/api/v1/reviews", {"tab": "decided", "team": media.team_id}).json()["items"]
    assert [one["id"] for one in done] == [waiting["id"]]
    assert asking.get(f"/api/v1/media/{media.pk}/reviews").json()[0]["decisions"][0]["reviewer"] == "Rita"
    closed = _send(deciding, "post", path, {"verdict": "rejected"})
    assert closed.status_code == 409


def test_what_is_wrong_with_a_request_is_told_where(calls, bob, carol, rita, media):
    client, path = calls(bob), f"/media/{media.pk}/reviews"
    assert _paths(_send(client, "post", path, {"reviewers": [rita.pk, carol.pk]})) == ["body.reviewers.1"]
    assert _paths(_send(client, "post", path, {"role": "viewer"})) == ["body.role"]
    nowhere = "00000000-0000-4000-8000-000000000000"
    assert _paths(_send(client, "post", path, {"role": "owner", "version_of": nowhere})) == ["body.version_of"]
    assert _send(client, "post", path, {}).status_code == 409  # nobody is asked
    assert not media.reviews.exists()


def test_asking_for_changes_says_which_and_where(calls, bob, rita, media):
    review = services.ask_review(user=bob, media=media, reviewers=[rita])
    path = f"/reviews/{review.pk}/decisions"
    assert _send(calls(rita), "post", path, {"verdict": "changes"}).status_code == 409
    body = {"verdict": "changes", "note": "Less red", "x": 0.1, "y": 0.2}
    assert _send(calls(rita), "post", path, body).json()["state"] == "changes"
    assert [(one.text, one.x) for one in media.comments.all()] == [("Less red", 0.1)]


def test_who_has_a_say_is_asked_once_for_a_whole_page(calls, bob, rita, make_media, django_assert_max_num_queries):
    for _one in range(6):
        services.ask_review(user=bob, media=make_media(bob), role="reviewer")
    client = calls(rita)
    with django_assert_max_num_queries(20):
        assert [one["may_decide"] for one in client.get("/api/v1/reviews").json()["items"]] == [True] * 6


def test_whoever_may_decide_one_is_told_so_in_a_list(calls, alice, bob, carol, rita, media):
    review = services.ask_review(user=bob, media=media, reviewers=[rita])
    for person in (alice, bob, carol, rita):
        told = calls(person).get(f"/api/v1/reviews/{review.pk}").json()["may_decide"]
        assert told == services.may_decide(person, review)


def test_a_request_is_taken_back(calls, bob, rita, media):
    review = services.ask_review(user=bob, media=media, reviewers=[rita])
    assert _send(calls(bob), "post", f"/reviews/{review.pk}/withdraw", {}).json()["closed"]
    media.refresh_from_db()
    assert media.review_state == ""
