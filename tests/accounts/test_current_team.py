"""request.team: chosen by the session, checked on each request, never missing, and free for those who do not use it."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.middleware import current_team
from accounts.models import Membership, Team, User
from accounts.services import create_team


def _team_seen_by(user, session: dict) -> Team | None:
    request = RequestFactory().get("/")
    request.user, request.session = user, session
    seen = []
    current_team(lambda request: seen.append(request.team) or HttpResponse())(request)
    return seen[0] or None


def test_the_chosen_team_with_one_query(alice, studio, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert _team_seen_by(alice, {"team": str(studio.pk)}) == studio


def test_a_request_that_does_not_ask_pays_nothing(alice, studio, django_assert_num_queries):
    request = RequestFactory().get("/")
    request.user, request.session = alice, {"team": str(studio.pk)}
    with django_assert_num_queries(0):
        current_team(lambda request: HttpResponse())(request)


def test_the_personal_team_without_a_choice(alice, studio):
    assert _team_seen_by(alice, {}) == alice.personal_team


def test_a_team_one_is_no_longer_in_is_not_served(alice, bob, studio):
    Membership.objects.filter(user=bob, team=studio).delete()
    assert _team_seen_by(bob, {"team": str(studio.pk)}) == bob.personal_team


def test_somebody_made_elsewhere_gets_a_personal_team(db):
    user = User.objects.create_superuser("root@example.com", "a rather long password")
    assert _team_seen_by(user, {}).personal_of == user


def test_nobody_has_no_team(db):
    assert _team_seen_by(AnonymousUser(), {}) is None


def test_switching_holds_for_this_session_and_the_next_sign_in(as_, alice, studio, client):
    other = create_team(user=alice, name="Other")
    response = as_(alice).post("/team/switch/", {"team": str(other.pk)})
    assert (response.status_code, response.url) == (302, "/")
    client.post("/account/login/", {"login": alice.email, "password": "a rather long password"})
    assert client.session["team"] == str(other.pk)
    assert client.get("/team/").context["team"] == other


@pytest.mark.parametrize("word", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_wrong_choice_changes_nothing(as_, alice, studio, word):
    client = as_(alice)
    assert client.post("/team/switch/", {"team": word}).status_code in (302, 404)
    assert client.session["team"] == str(studio.pk)
