"""Where people are signed in: listed, told apart, ended."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import devices
from accounts.services import forget_old_sessions
from accounts.services import sessions as noting
from tests.people import PASSWORD

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
PHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {WEBKIT} Version/18.5 Mobile/15E148 Safari/604.1"
LAPTOP = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0.0.0 Safari/537.36"


@pytest.fixture(autouse=True)
def _nothing_noted():
    noting._noted.clear()


def _signed_in(user, agent: str) -> Client:
    client = Client(headers={"user-agent": agent})
    assert client.post("/account/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
    return client


def test_the_page_names_each_place_and_marks_this_one(bob):
    _signed_in(bob, PHONE)
    page = _signed_in(bob, LAPTOP).get("/account/sessions/").content.decode()
    assert "Safari 18 · iPhone" in page
    assert "Chrome 140 · Windows" in page
    assert page.count("This one") == 1


def test_one_is_ended_the_others_stay(bob):
    phone, laptop = _signed_in(bob, PHONE), _signed_in(bob, LAPTOP)
    session = UserSession.objects.get(session_key=phone.session.session_key)
    laptop.post(f"/account/sessions/{session.pk}/end/")
    assert phone.get("/account/profile/").status_code == 302
    assert laptop.get("/account/profile/").status_code == 200


def test_all_others_are_ended_at_once(bob, alice):
    phone, laptop, hers = _signed_in(bob, PHONE), _signed_in(bob, LAPTOP), _signed_in(alice, PHONE)
    page = laptop.post("/account/sessions/others/end/", follow=True).content.decode()
    assert "Signed out in 1 other place." in page
    assert "You are signed in nowhere else." in page
    assert phone.get("/account/profile/").status_code == 302
    assert hers.get("/account/profile/").status_code == 200


def test_being_here_is_noted_now_and_then_not_with_each_request(bob, django_assert_max_num_queries):
    client = _signed_in(bob, PHONE)
    UserSession.objects.update(ip="10.9.9.9")
    client.get("/account/sessions/")
    assert UserSession.objects.get(user=bob).ip == "127.0.0.1"
    UserSession.objects.update(ip="10.9.9.9")
    client.get("/account/sessions/")
    assert UserSession.objects.get(user=bob).ip == "10.9.9.9"


def test_rows_of_sessions_that_are_over_are_removed(bob):
    _signed_in(bob, PHONE)
    Session.objects.all().delete()
    forget_old_sessions()
    assert not UserSession.objects.exists()


@pytest.mark.parametrize(
    ("agent", "browser", "system", "icon"),
    [
        (PHONE, "Safari 18", "iPhone", "smartphone"),
        (LAPTOP, "Chrome 140", "Windows", "laptop"),
        (LAPTOP + " Edg/141.0.1.2", "Edge 141", "Windows", "laptop"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox 142", "Linux", "laptop"),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605 CriOS/139.0 Safari/604",
            "Chrome 139",
            "iPad",
            "tablet",
        ),
        ("python-httpx/0.28", "python-httpx", "", "terminal"),
        ("", "", "", "terminal"),
    ],
)
def test_what_people_call_it(agent, browser, system, icon):
    assert (devices.browser(agent), devices.system(agent), devices.icon(agent)) == (browser, system, icon)
