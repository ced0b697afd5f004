"""The pictures of a step."""

import uuid

import pytest
from django.urls import reverse

from accounts.models import User
from generator import previews
from generator.models import Job


@pytest.fixture
def shown(alice, make_job) -> Job:
    """A job of alice's with a preview of its third step."""
    job = make_job(alice)
    live = previews.Live(attempt=0, seq=1, step=3, steps=4, eta=None, count=1)
    previews.write(job.pk, live, [b"RIFF preview"])
    return job


def url(job: Job, index: int = 0, step: int = 3) -> str:
    return reverse("generator:preview", args=[job.pk, index, step])


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("bob", 200), ("victor", 200), ("charlie", 404)])
def test_who_sees_it(as_, alice, bob, victor, charlie, shown, who, status):
    assert as_(User.objects.get(email=f"{who}@example.com")).get(url(shown)).status_code == status


def test_a_private_jobs_previews_are_its_owners(as_, alice, bob, shown):
    Job.objects.update(visibility="private")
    assert as_(alice).get(url(shown)).status_code == 200
    assert as_(bob).get(url(shown)).status_code == 404


def test_strangers_see_none(client, shown):
    assert client.get(url(shown)).status_code == 302


def test_it_is_a_picture_that_only_this_browser_keeps(as_, alice, shown):
    response = as_(alice).get(url(shown))
    assert response["Content-Type"] == "image/webp"
    assert response.content == b"RIFF preview"
    assert "private" in response["Cache-Control"]
    assert "max-age=3600" in response["Cache-Control"]


@pytest.mark.parametrize(("index", "step"), [(0, 4), (1, 3), (99, 99)])
def test_what_is_not_there_is_not_found(as_, alice, shown, index, step):
    assert as_(alice).get(url(shown, index, step)).status_code == 404


def test_an_unknown_job_is_not_found(as_, alice, shown):
    assert as_(alice).get(reverse("generator:preview", args=[uuid.uuid4(), 0, 3])).status_code == 404


def test_it_asks_the_database_little(as_, alice, shown, django_assert_num_queries):
    client = as_(alice)
    client.get(url(shown))  # the first request of a session is noted
    with django_assert_num_queries(4):  # session, person, roles, the job
        client.get(url(shown))
