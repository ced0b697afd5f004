"""A page that only shows reads a person's roles once; whatever changes something or lasts asks each time."""

import pytest
from django.http import HttpResponse

from accounts.middleware import greet
from accounts.models import User


@pytest.fixture
def ask(rf, bob, client):
    """The person as a view meets them, at an address."""
    client.force_login(bob)

    def ask(method, address):
        request = rf.generic(method, address)
        request.user, request.session, request.htmx = bob, client.session, False
        greet(lambda request: HttpResponse())(request)
        return request.user

    return ask


def test_a_page_reads_them_once(ask, studio):
    bob = ask("GET", "/gallery/")
    assert bob.kept_roles[studio.pk] == "creator"


@pytest.mark.parametrize(
    ("method", "address"),
    [("POST", "/gallery/"), ("GET", "/api/v1/generations/1/events"), ("GET", "/v1/models"), ("GET", "/media/a")],
)
def test_what_changes_or_lasts_does_not(ask, method, address):
    assert ask(method, address).kept_roles is None


@pytest.fixture
def kept(monkeypatch):
    """Whose roles were to be kept, request by request."""
    seen = []
    monkeypatch.setattr(User, "keep_roles", lambda user: seen.append(user))
    return seen


def test_a_program_that_reads_asks_once(calls, alice, kept):
    client = calls(alice)
    client.get("/api/v1/queue")
    assert kept == [alice]


def test_a_program_that_changes_or_follows_asks_each_time(calls, alice, make_job, kept):
    client, job = calls(alice), make_job(alice)
    assert client.post(f"/api/v1/jobs/{job.pk}/cancel").status_code == 200
    assert client.get(f"/api/v1/jobs/{job.pk}/events").status_code == 200
    assert kept == []


def test_roles_that_nobody_asks_for_are_not_read(bob, studio, django_assert_num_queries):
    with django_assert_num_queries(0):
        bob.keep_roles()
    with django_assert_num_queries(1):
        assert bob.kept_roles[studio.pk] == "creator"
        assert bob.kept_roles[studio.pk] == "creator"
