"""Cancel, retry and hide: who may, and what the page gets back."""

import uuid

import pytest
from django.urls import reverse

from accounts.models import User
from generator.models import Job, State

HTMX = {"HX-Request": "true"}


def url(action: str, job: Job) -> str:
    return reverse(f"generator:{action}", args=[job.pk])


@pytest.mark.parametrize(
    ("action", "who", "status"),
    [
        ("cancel", "bob", 200),
        ("cancel", "alice", 200),
        ("cancel", "victor", 403),
        ("cancel", "charlie", 404),
        ("retry", "bob", 200),
        ("retry", "alice", 200),
        ("retry", "victor", 403),
        ("retry", "charlie", 404),
        ("hide", "bob", 200),
        ("hide", "alice", 403),
        ("hide", "victor", 403),
        ("hide", "charlie", 404),
    ],
)
def test_who_may(as_, alice, bob, victor, charlie, make_job, action, who, status):
    job = make_job(bob)
    if action != "cancel":
        Job.objects.update(state=State.FAILED)
    client = as_(User.objects.get(email=f"{who}@example.com"))
    assert client.post(url(action, job), headers=HTMX).status_code == status


@pytest.mark.parametrize("action", ["cancel", "retry", "hide"])
def test_strangers_and_links_change_nothing(client, as_, alice, make_job, action):
    job = make_job(alice)
    assert client.post(url(action, job)).url.startswith(reverse("account_login"))
    assert as_(alice).get(url(action, job)).status_code == 405
    assert as_(alice).post(reverse(f"generator:{action}", args=[uuid.uuid4()])).status_code == 404
    job.refresh_from_db()
    assert (job.state, job.hidden) == (State.QUEUED, False)


def test_cancel_answers_with_the_cancelled_card(as_, alice, make_job):
    page = as_(alice).post(url("cancel", make_job(alice)), headers=HTMX).content.decode()
    assert 'data-state="cancelled"' in page


def test_a_running_job_says_that_it_stops(as_, alice, make_job):
    job = make_job(alice)
    job.move(State.RUNNING, lease=uuid.uuid4())
    page = as_(alice).post(url("cancel", job), headers=HTMX).content.decode()
    assert "stopping" in page
    assert url("cancel", job) not in page


def test_retry_puts_a_new_card_in_the_place_of_the_old_one(as_, alice, make_job):
    old = make_job(alice, seed=4127)
    Job.objects.update(state=State.FAILED)
    page = as_(alice).post(url("retry", old), headers=HTMX).content.decode()
    new = Job.objects.exclude(pk=old.pk).get()
    assert new.generation.seed == 4127
    assert f'id="job-{new.pk}"' in page
    assert f'id="job-{old.pk}" hx-swap-oob="delete"' in page
    old.refresh_from_db()
    assert old.hidden


def test_a_team_mates_failure_stays_on_their_page(as_, alice, bob, make_job):
    old = make_job(bob)
    Job.objects.update(state=State.FAILED)
    as_(alice).post(url("retry", old), headers=HTMX)
    old.refresh_from_db()
    assert not old.hidden


def test_a_refusal_is_a_toast_and_changes_no_card(as_, alice, make_job):
    job = make_job(alice)
    response = as_(alice).post(url("hide", job), headers=HTMX)
    assert (response.status_code, response["HX-Reswap"]) == (422, "none")
    assert "Cancel this before" in response.content.decode()


def test_without_scripts_everything_leads_back_to_the_page(as_, alice, make_job):
    client, job = as_(alice), make_job(alice)
    for action in ("hide", "cancel", "retry", "hide"):
        assert client.post(url(action, job)).url == reverse("generator:create")
